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
ROUNDS = 3
SCENARIOS = (turns.SINGLE_32, turns.BATCH, turns.BATCH_REPEATS)
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
LAG = re.compile(r'^tocsin_relay_lag_seconds\{consumer="([^"]+)"\} (\S+)$', re.MULTILINE)
NOBODY = "nobody"


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
        known = companies(people, subscribers, searches=search is not None)
        beside = [one for one in known if not only or one.name in only | {NOBODY}]
        for scenario in SCENARIOS:
            taken: dict[str, list[IngestTurn]] = {}
            # Turn and turn about: what else the machine does falls on all alike.
            for _ in range(ROUNDS):
                for company in beside:
                    turn = _take(tocsin, stores, scenario, company, search=search)
                    taken.setdefault(company.name, []).append(turn)
            for found in taken.values():
                turn = _together(found)
                print(_line(turn), flush=True)
                yield turn


def _take(
    tocsin: LiveTocsin, stores: Stores, scenario: Scenario, company: Company, *, search: Search | None
) -> IngestTurn:
    route = next(route for route in tocsin.routes() if route.name == "api")
    tocsin.clear()
    if search is not None:
        search.clear()
    tocsin.restart_relay(search.url if search is not None and company.searches else None)
    stores.checkpoint()
    run(turns.load_of(tocsin, route, scenario, seconds=turns.WARM_UP_SECONDS, prefix="warm"))
    tocsin.settle()
    prefix = "warm" if scenario.repeats else "test"
    parts = {
        **tocsin.parts(),
        **({} if search is None else {"elasticsearch": search.pid}),
        "valkey": _valkey_pid(stores),
    }
    with _following(tocsin, company.followers) as (seen, pid), _lags(tocsin) as lags:
        meter = Meter(stores.tocsin, {**parts, **pid}, postgresql=stores.postgresql_pid)
        result = run(turns.load_of(tocsin, route, scenario, seconds=SECONDS, prefix=prefix))
        during = meter.since()
        settle_seconds = tocsin.settle()
        whole = meter.since()
    return IngestTurn(
        scenario=scenario.name,
        crowd=company.name,
        rates=[result.rate],
        frames=seen[0].frames if seen else 0,
        resets=seen[0].resets if seen else 0,
        lags={consumer: (max(values), values[-1]) for consumer, values in lags.items()},
        settle_seconds=settle_seconds,
        cpu={name: 1e6 * seconds / max(1, result.accepted) for name, seconds in whole.items()},
        busy=(sum(during.values()) + result.cpu_seconds) / SECONDS,
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
        f"{turn.scenario:42} {turn.crowd:36} {rates} alerts/s  frames {turn.frames:,} resets {turn.resets}  "
        f"behind at most, s: {lags}  worked on {turn.settle_seconds:.1f} s; {turn.busy:.2f} cores busy; "
        f"CPU µs an alert: {cpu}"
    )


@contextmanager
def _following(tocsin: LiveTocsin, followers: list[Subscriber]) -> Iterator[tuple[list[Seen], dict[str, int]]]:
    """The crowd, in a process of its own, for as long as the block runs; what it saw is in the list afterwards."""
    seen: list[Seen] = []
    if not followers:
        yield seen, {}
        return
    command = [sys.executable, "-m", "bench.live_followers"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(msgspec.json.encode(Following(port=tocsin.port, subscribers=followers)) + b"\n")
        process.stdin.flush()
        process.stdout.readline()
        try:
            yield seen, {"subscribers": process.pid}
        finally:
            process.stdin.close()
            told = process.stdout.read()
            process.wait()
        seen.append(msgspec.json.decode(told, type=Seen))


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
