"""How is a read timed at several sizes? Turn and turn about, with another value each time; the first turn warms up."""

import random
import time
from array import array
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bench.load import percentiles
from bench.read_results import StoreTurn
from domain.alerts.filter import AlertFilter


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is asked: `kind` says how, `wanted` what for. `is_bounded`: the goals hold for it."""

    name: str
    kind: str
    wanted: Callable[[random.Random], AlertFilter]
    is_bounded: bool = True


# Asks one scenario at the size of this number.
Ask = Callable[[Scenario, int, AlertFilter], Awaitable[object]]


async def in_turns(
    scenarios: Sequence[Scenario], sizes: Sequence[int], ask: Ask, *, seconds: float, rounds: int
) -> list[StoreTurn]:
    """Every scenario at every size."""
    taken: dict[tuple[str, int], array[float]] = {}
    for scenario in scenarios:
        for turn in range(rounds + 1):
            for number, size in enumerate(sizes):
                found = await _turn(scenario, number, ask, seed=turn, seconds=seconds)
                # The first turn warms caches and statements up.
                if turn:
                    taken.setdefault((scenario.name, size), array("d")).extend(found)
        print(_line(scenario, sizes, taken), flush=True)
    return [
        StoreTurn(scenario=name, alerts=size, calls=len(found), latencies=percentiles(found))
        for (name, size), found in taken.items()
    ]


async def _turn(scenario: Scenario, number: int, ask: Ask, *, seed: int, seconds: float) -> "array[float]":
    dice, found = random.Random(seed), array("d")
    deadline = time.perf_counter() + seconds
    while (began := time.perf_counter()) < deadline:
        await ask(scenario, number, scenario.wanted(dice))
        found.append(time.perf_counter() - began)
    return found


def _line(scenario: Scenario, sizes: Sequence[int], taken: "dict[tuple[str, int], array[float]]") -> str:
    parts = []
    for size in sizes:
        at = percentiles(taken[scenario.name, size])
        parts.append(f"{size:>9,}: p50 {at['p50']:7.2f} p95 {at['p95']:7.2f} ms")
    return f"{scenario.name:42} " + "   ".join(parts)
