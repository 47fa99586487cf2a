"""Does ingest keep its rate with a thousand subscribers and the search consumer? Full load, with each company in turn.

What runs beside it is the turn's company: nobody; a thousand sockets whose filter matches nothing (they cost what it
takes to know that); a thousand that follow `alertEventBatches` without a filter (one that falls behind is told so and
follows on from where it was told); the search consumer with an Elasticsearch on the same machine; and both. While the
load runs, `/metrics` says once a second how far each consumer of the log is behind, and processor time is counted by
process.
"""

import re
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
import redis

from bench import turns
from bench.database import Stores
from bench.live_cost import Meter
from bench.live_followers import Following, Seen
from bench.live_load import ROOT
from bench.live_people import FIELDS, People
from bench.live_results import IngestTurn
from bench.live_search import Search
from bench.live_servers import LiveTocsin
from bench.live_wire import Subscriber
from bench.load import run
from bench.turns import Scenario

SECONDS = 5.0
# Longer than followers may be behind.
LONG_SECONDS = 100.0
ROUNDS = 3
# What is posted, for how long, how often.
PLAN = (
    *((scenario, SECONDS, ROUNDS) for scenario in (turns.SINGLE_32, turns.BATCH, turns.BATCH_REPEATS)),
    (turns.BATCH, LONG_SECONDS, 1),
)
QUIET: dict[str, object] = {"filter": {"serviceName": ["a quiet one"]}}
RESET = "... on StreamReset { reason resumeAfter }"
FILTERED = f"""
subscription Quiet($filter: AlertFilter, $after: String) {{
  alertEvents(filter: $filter, after: $after) {{ __typename {FIELDS} {RESET} }}
}}"""
BATCHES = f"""
subscription Batches($after: String) {{
  alertEventBatches(after: $after) {{
    __typename
    ... on AlertEventBatch {{ events {{ id cursor kind occurredAt alert {{ id title severity status }} }} }}
    {RESET}
  }}
}}"""
LAG = re.compile(
    r'^tocsin_(?:relay|live)_lag_seconds\{(?:consumer="|stage="(?=followers))([^"]+)"\} (\S+)$', re.MULTILINE
)
NOBODY = "nobody"
NOTHING = Seen(frames=0, bytes=0, resets=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """What runs beside the load."""

    name: str
    followers: list[Subscriber]
    searches: bool


def companies(people: People, subscribers: int, *, searches: bool) -> list[Company]:
    """Nobody first: the others are compared with it."""
    quiet = [
        msgspec.structs.replace(one, query=FILTERED, variables=QUIET) for one in people.crowd(subscribers, groups=1)
    ]
    batches = [msgspec.structs.replace(one, query=BATCHES, variables={}) for one in people.crowd(subscribers, groups=1)]
    crowds = {NOBODY: [], "quiet service": quiet, "everything, in batches": batches}
    found = [Company(name=name, followers=crowd, searches=False) for name, crowd in crowds.items()]
    if searches:
        found += [
            Company(name="search" if name == NOBODY else f"{name}, and search", followers=crowd, searches=True)
            for name, crowd in crowds.items()
        ]
    return found


def measure(
    tocsin: LiveTocsin, people: People, stores: Stores, *, subscribers: int, only: frozenset[str] = frozenset()
) -> Iterator[IngestTurn]:
    """Each scenario with each company, turn and turn about."""
    with ExitStack() as stack:
        search = Search.start(tocsin.data_dir, stack)
        stack.enter_context(_without_autovacuum(stores))
        known = companies(people, subscribers, searches=search is not None)
        beside = [one for one in known if not only or one.name in only | {NOBODY}]
        for scenario, seconds, rounds in PLAN:
            taken: dict[str, list[IngestTurn]] = {}
            # Turn and turn about: what else the machine does falls on all alike.
            for _ in range(rounds):
                # Long, with nobody and with everybody.
                for company in beside if rounds > 1 else (beside[0], beside[-1]):
                    turn = _take(tocsin, stores, scenario, company, search=search, seconds=seconds)
                    taken.setdefault(company.name, []).append(turn)
            for found in taken.values():
                turn = _together(found)
                print(_line(turn), flush=True)
                yield turn


@contextmanager
def _without_autovacuum(stores: Stores) -> Iterator[None]:
    """It comes once a minute, for a second, to whichever turn it meets; so each turn does its work before it begins."""
    reload = "SELECT pg_reload_conf()"
    stores.tocsin.run("ALTER SYSTEM SET autovacuum = off", reload)
    try:
        yield
    finally:
        stores.tocsin.run("ALTER SYSTEM RESET autovacuum", reload)


def _take(
    tocsin: LiveTocsin, stores: Stores, scenario: Scenario, company: Company, *, search: Search | None, seconds: float
) -> IngestTurn:
    route = next(route for route in tocsin.routes() if route.name == "api")
    tocsin.clear()
    if search is not None:
        search.clear()
    tocsin.restart_relay(search.url if search is not None and company.searches else None)
    stores.checkpoint()
    run(turns.load_of(tocsin, route, scenario, seconds=turns.WARM_UP_SECONDS, prefix="warm"))
    tocsin.settle()
    stores.tocsin.run("VACUUM ANALYZE")
    prefix = "warm" if scenario.repeats else "test"
    parts = {
        **tocsin.parts(),
        **({} if search is None else {"elasticsearch": search.pid}),
        "valkey": _valkey_pid(stores),
    }
    with _following(tocsin, company.followers) as crowd, _lags(tocsin) as lags:
        parts |= {"subscribers": crowd.pid} if crowd else {}
        meter = Meter(stores.tocsin, parts, postgresql=stores.postgresql_pid)
        result = run(turns.load_of(tocsin, route, scenario, seconds=seconds, prefix=prefix))
        during = meter.since()
        told = crowd.seen() if crowd else NOTHING
        settle_seconds = tocsin.settle()
        whole = meter.since()
        seen = crowd.seen() if crowd else NOTHING
    return IngestTurn(
        scenario=scenario.name + (f", {seconds:.0f} s" if seconds > SECONDS else ""),
        crowd=company.name,
        rates=[result.rate],
        frames=told.frames,
        frames_after=seen.frames - told.frames,
        resets=seen.resets,
        lags={consumer: (max(values), values[-1]) for consumer, values in lags.items()},
        settle_seconds=settle_seconds,
        cpu={name: 1e6 * seconds / max(1, result.accepted) for name, seconds in whole.items()},
        busy=(sum(during.values()) + result.cpu_seconds) / seconds,
    )


def _valkey_pid(stores: Stores) -> int:
    with redis.Redis.from_url(stores.redis_url) as client:
        info: Any = client.info("server")
    return int(info["process_id"])


def _together(found: list[IngestTurn]) -> IngestTurn:
    """One scenario's turns with one company."""
    lags = {
        consumer: (max(turn.lags[consumer][0] for turn in found), max(turn.lags[consumer][1] for turn in found))
        for consumer in found[0].lags
    }
    return msgspec.structs.replace(
        found[0],
        rates=[turn.rates[0] for turn in found],
        frames=sum(turn.frames for turn in found),
        frames_after=sum(turn.frames_after for turn in found),
        resets=sum(turn.resets for turn in found),
        lags=lags,
        settle_seconds=max(turn.settle_seconds for turn in found),
        cpu={name: sum(turn.cpu.get(name, 0.0) for turn in found) / len(found) for name in found[0].cpu},
        busy=sum(turn.busy for turn in found) / len(found),
    )


def _line(turn: IngestTurn) -> str:
    lags = "  ".join(f"{name} {most:.1f}" for name, (most, _) in turn.lags.items())
    rates = " ".join(f"{rate:,.0f}" for rate in turn.rates)
    cpu = "  ".join(f"{name} {used:.0f}" for name, used in turn.cpu.items())
    return (
        f"{turn.scenario:42} {turn.crowd:36} {rates} alerts/s  frames {turn.frames:,} then {turn.frames_after:,} "
        f"resets {turn.resets}  behind at most, s: {lags}  worked on {turn.settle_seconds:.1f} s; "
        f"{turn.busy:.2f} cores busy; CPU µs an alert: {cpu}"
    )


class _Crowd:
    """The subscribers of a turn, in a process of their own."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.pid, self._asking, self._telling = process.pid, process.stdin, process.stdout

    def begin(self, following: Following) -> None:
        """Return when all have subscribed."""
        self._asking.write(msgspec.json.encode(following) + b"\n")
        self._asking.flush()
        self._telling.readline()

    def seen(self) -> Seen:
        """What came so far."""
        self._asking.write(b"\n")
        self._asking.flush()
        return msgspec.json.decode(self._telling.readline(), type=Seen)


@contextmanager
def _following(tocsin: LiveTocsin, followers: list[Subscriber]) -> Iterator[_Crowd | None]:
    """The crowd, for as long as the block runs."""
    if not followers:
        yield None
        return
    command = [sys.executable, "-m", "bench.live_followers"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as process:
        crowd = _Crowd(process)
        crowd.begin(Following(port=tocsin.port, subscribers=followers))
        yield crowd


@contextmanager
def _lags(tocsin: LiveTocsin) -> Iterator[dict[str, list[float]]]:
    """Seconds behind by consumer, a figure a second while the block runs."""
    found: dict[str, list[float]] = {}
    ended = threading.Event()

    def look() -> None:
        with urllib.request.urlopen(f"http://127.0.0.1:{tocsin.port}/metrics", timeout=30) as answer:
            for consumer, seconds in LAG.findall(answer.read().decode()):
                found.setdefault(consumer, []).append(float(seconds))

    def watch() -> None:
        while not ended.is_set():
            began = time.monotonic()
            look()
            ended.wait(max(0.0, 1 - (time.monotonic() - began)))
        look()

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        ended.set()
        thread.join()
