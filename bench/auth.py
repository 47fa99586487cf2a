"""What does it cost to know who asks and what they may? The same pages of alerts with the checks on and off, in turns.

Three servers over one database: as it is served; without rate limits; and with who asks believed from the first
request on and no field guarded (bench/auth_off.py). The processor's time a request, of the server and of PostgreSQL
together, is what is compared: it is disturbed less by a busy machine than the rate is.
"""

import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import database
from bench.database import Database, Stores
from bench.load import run
from bench.machine import cpu_seconds
from bench.read_fill import filled
from bench.read_pages import write_bodies
from bench.read_servers import ReadTocsin, load_of

GOAL = 10.0
UNLIMITED = ("PERSON", "KEY", "ADDRESS", "STRANGER")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much, how long, how often."""

    folder: Path
    alerts: int = 20_000
    seconds: float = 4.0
    rounds: int = 5
    connections: int = 16


@dataclass(frozen=True, slots=True)
class Turn:
    """One server's turn: microseconds of processor a request, and milliseconds at the median."""

    server: str
    cpu: float
    p50: float
    rate: float


class Checked(ReadTocsin):
    """As it is served."""

    label = "as served"


class Uncounted(Checked):
    """Without rate limits."""

    label = "no rate limits"

    def environment(self) -> dict[str, str]:
        """All limits off."""
        return {**super().environment(), **{f"TOCSIN_RATE_LIMIT_{name}": "0" for name in UNLIMITED}}


class Unchecked(Uncounted):
    """With the checks off."""

    label = "no checks"

    def start(self) -> None:
        """As the role starts it, but for the checks."""
        self._spawn([sys.executable, "-m", "bench.auth_off", "serve"], self.environment(), log="tocsin-auth-off")
        self._wait_until_answers("/readyz")


def measure(plan: Plan) -> list[Turn]:
    """Run the plan and print what it found."""
    with database.running(plan.folder) as stores, ExitStack() as stack:
        write_bodies(plan.folder / "pages.jsonl")
        servers = [
            kind(plan.folder / "logs", stores, plan.folder / f"auth-{kind.__name__}", _rows(stores, plan))
            for kind in (Checked, Uncounted, Unchecked)
        ]
        for server in servers:
            stack.callback(server.stop)
            server.start()
            _turn(server, stores, plan, seconds=1.0)
        turns = [_turn(server, stores, plan, seconds=plan.seconds) for _ in range(plan.rounds) for server in servers]
    for line in report(turns):
        print(line)
    return turns


def _rows(stores: Stores, plan: Plan) -> Database:
    return filled(stores, plan.alerts).database


def _turn(server: Checked, stores: Stores, plan: Plan, *, seconds: float) -> Turn:
    roots = (server.parts()["server"], stores.postgresql_pid)
    before = sum(cpu_seconds(root) for root in roots)
    result = run(load_of(server, connections=plan.connections, seconds=seconds, bodies=plan.folder / "pages.jsonl"))
    if set(result.statuses) != {"200"}:
        raise RuntimeError(f"{server.label} answered {result.statuses}")
    used = sum(cpu_seconds(root) for root in roots) - before
    turn = Turn(server.label, 1e6 * used / result.requests, result.latencies["p50"], result.requests / result.seconds)
    print(f"{turn.server:16} {turn.rate:7,.0f}/s  p50 {turn.p50:6.1f} ms  {turn.cpu:7,.0f} µs of processor", flush=True)
    return turn


def report(turns: list[Turn]) -> list[str]:
    """The shares, of the medians."""
    cpu = {name: median(turn.cpu for turn in turns if turn.server == name) for name in {turn.server for turn in turns}}
    served, uncounted, unchecked = cpu[Checked.label], cpu[Uncounted.label], cpu[Unchecked.label]
    checks, limits = 100 * (uncounted - unchecked) / uncounted, 100 * (served - uncounted) / served
    return [
        f"a request: {served:,.0f} µs of processor, {unchecked:,.0f} without checks",
        f"authentication and permissions: {checks:.1f} % (the goal: at most {GOAL:.0f} %)",
        f"rate limits: {limits:.1f} % more",
    ]
