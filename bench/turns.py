"""What is one turn? An emptied server, a warm-up, a load, and the proof that what was answered 2xx is stored."""

import itertools
import sys
from dataclasses import dataclass

import msgspec

from bench.contenders.base import Contender, Route, Stored
from bench.database import Stores
from bench.load import Load, Result, run
from bench.machine import cpu_seconds

WARM_UP_SECONDS = 1.0
KNOWN_KEYS = 1000
# Keys of a turn are no other turn's: a server may remember what was open, and the database is emptied behind its back.
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A shape of load. `repeats`: the keys are known already. `rate`: requests a second, or as many as it takes."""

    per_request: int
    connections: int
    repeats: bool = False
    rate: float | None = None

    @property
    def name(self) -> str:
        """What the report calls it."""
        kind = "known keys" if self.repeats else "new keys"
        return f"{self.per_request} a request, {self.connections} connections, {kind}"

    def takes(self, route: Route) -> bool:
        """Whether the route can be posted this load."""
        return route.takes_single if self.per_request == 1 else route.takes_batches


SINGLE_32 = Scenario(1, 32)
SINGLE_256 = Scenario(1, 256)
SINGLE_32_REPEATS = Scenario(1, 32, repeats=True)
SINGLE_256_REPEATS = Scenario(1, 256, repeats=True)
BATCH = Scenario(100, 8)
BATCH_REPEATS = Scenario(100, 8, repeats=True)
SCENARIOS = (SINGLE_32, SINGLE_256, SINGLE_32_REPEATS, SINGLE_256_REPEATS, BATCH, BATCH_REPEATS)


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement.

    `differs`: alerts answered 2xx and not stored, or stored and not answered 2xx; 0 is the only good figure. `cpu`:
    microseconds an alert of each part (server, relay, database, load). `settle_seconds`: how long the relay worked on.
    """

    scenario: str
    contender: str
    route: str
    result: Result
    differs: int
    cpu: dict[str, float]
    settle_seconds: float
    target_rate: float | None = None

    @property
    def rate(self) -> float:
        """Alerts a second."""
        return self.result.rate

    def line(self) -> str:
        """One line for who watches."""
        latencies = " ".join(f"{name} {value:.1f}" for name, value in self.result.latencies.items())
        cpu = " ".join(f"{name} {value:.0f}" for name, value in self.cpu.items())
        wrong = f"  DIFFERS BY {self.differs}" if self.differs else ""
        return (
            f"{self.scenario:42} {self.contender:13}{self.route:8}{self.rate:8,.0f}/s  {latencies} ms  "
            f"CPU µs an alert: {cpu}  {self.result.statuses}{wrong}"
        )


def take(contender: Contender, route: Route, scenario: Scenario, *, stores: Stores, seconds: float) -> Turn:
    """Run one turn."""
    if contender.restarts_each_turn:
        contender.start()
    try:
        contender.clear()
        stores.checkpoint()
        warm, test = prefixes()
        run(load_of(contender, route, scenario, seconds=WARM_UP_SECONDS, prefix=warm))
        contender.settle()
        # Known keys are those of the warm-up.
        prefix = warm if scenario.repeats else test
        return _measure(
            contender,
            route,
            scenario,
            load_of(contender, route, scenario, seconds=seconds, prefix=prefix),
            stores=stores,
        )
    finally:
        if contender.restarts_each_turn:
            contender.stop()


def prefixes() -> tuple[str, str]:
    """What leads the keys of one turn's warm-up, and of its load."""
    number = next(_numbers)
    return f"warm{number:03}-", f"test{number:03}-"


def load_of(
    contender: Contender, route: Route, scenario: Scenario, *, seconds: float, prefix: str, limit: int = sys.maxsize
) -> Load:
    """The scenario's requests to one route; `prefix` leads every key."""
    return Load(
        port=contender.port,
        path=route.path,
        headers=dict(route.headers),
        opening=route.format.opening,
        item=route.format.item,
        closing=route.format.closing,
        prefix=prefix,
        per_request=scenario.per_request,
        connections=scenario.connections,
        seconds=seconds,
        cycle=KNOWN_KEYS if scenario.repeats else 0,
        rate=scenario.rate,
        limit=limit,
    )


def _measure(contender: Contender, route: Route, scenario: Scenario, load: Load, *, stores: Stores) -> Turn:
    parts = {**contender.parts(), "database": stores.postgresql_pid}
    stored = contender.stored()
    used = {name: cpu_seconds(pid) for name, pid in parts.items()}
    result = run(load)
    used = {name: cpu_seconds(pid) - used[name] for name, pid in parts.items()} | {"load": result.cpu_seconds}
    settle_seconds = contender.settle()
    return Turn(
        scenario=scenario.name,
        contender=contender.name,
        route=route.name,
        result=result,
        differs=_difference(load, result, before=stored, after=contender.stored()),
        cpu={name: 1e6 * seconds / max(1, result.accepted) for name, seconds in used.items()},
        settle_seconds=settle_seconds,
        target_rate=scenario.rate,
    )


def _difference(load: Load, result: Result, *, before: Stored, after: Stored) -> int:
    """By how many alerts the store and the answers differ."""
    occurrences = abs(after.occurrences - before.occurrences - result.accepted)
    if load.cycle:
        return occurrences
    return max(occurrences, abs(after.alerts - before.alerts - result.accepted))
