"""Does ingest keep its rate with a thousand subscribers? Full load without them, with a quiet filter, with batches.

Subscribers of one quiet service get nothing, and cost what it takes to know that. Unfiltered ones follow
`alertEventBatches`, where the schema has it; one that falls behind is told so and follows on from where it was told.
While the load runs, `/metrics` says once a second how far each consumer of the relay is behind.
"""

import re
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from bench import turns
from bench.database import Stores
from bench.live_followers import Following, Seen
from bench.live_load import ROOT
from bench.live_people import FIELDS, People
from bench.live_results import IngestTurn
from bench.live_servers import LiveTocsin
from bench.live_wire import Subscriber
from bench.load import run
from bench.turns import Scenario
from graphql_api.schema import printed

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


def measure(tocsin: LiveTocsin, people: People, stores: Stores, *, subscribers: int) -> Iterator[IngestTurn]:
    """Each scenario without anyone, then with each kind of crowd."""
    crowds: dict[str, list[Subscriber]] = {"nobody": []}
    crowd = people.crowd(subscribers, groups=1)
    crowds["quiet service"] = [msgspec.structs.replace(one, query=FILTERED, variables=QUIET) for one in crowd]
    if "alertEventBatches" in printed():
        crowd = people.crowd(subscribers, groups=1)
        crowds["everything, in batches"] = [msgspec.structs.replace(one, query=BATCHES, variables={}) for one in crowd]
    else:
        print("alertEventBatches is not in the schema: unfiltered subscribers are left out")
    for scenario in SCENARIOS:
        taken: dict[str, list[IngestTurn]] = {}
        # Turn and turn about: what else the machine does falls on all alike.
        for _ in range(ROUNDS):
            for name, followers in crowds.items():
                taken.setdefault(name, []).append(_take(tocsin, stores, scenario, name=name, followers=followers))
        for found in taken.values():
            turn = _together(found)
            print(_line(turn), flush=True)
            yield turn


def _take(
    tocsin: LiveTocsin, stores: Stores, scenario: Scenario, *, name: str, followers: list[Subscriber]
) -> IngestTurn:
    route = next(route for route in tocsin.routes() if route.name == "api")
    tocsin.clear()
    stores.checkpoint()
    run(turns.load_of(tocsin, route, scenario, seconds=turns.WARM_UP_SECONDS, prefix="warm"))
    tocsin.settle()
    prefix = "warm" if scenario.repeats else "test"
    with _following(tocsin, followers) as seen, _lags(tocsin) as lags:
        rate = run(turns.load_of(tocsin, route, scenario, seconds=SECONDS, prefix=prefix)).rate
        settle_seconds = tocsin.settle()
    return IngestTurn(
        scenario=scenario.name,
        crowd=name,
        rates=[rate],
        frames=seen[0].frames if seen else 0,
        resets=seen[0].resets if seen else 0,
        lags={consumer: (max(values), values[-1]) for consumer, values in lags.items()},
        settle_seconds=settle_seconds,
    )


def _together(found: list[IngestTurn]) -> IngestTurn:
    """One scenario's turns of one crowd."""
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
    )


def _line(turn: IngestTurn) -> str:
    lags = "  ".join(f"{name} {most:.1f}" for name, (most, _) in turn.lags.items())
    rates = " ".join(f"{rate:,.0f}" for rate in turn.rates)
    return (
        f"{turn.scenario:42} {turn.crowd:24} {rates} alerts/s  frames {turn.frames:,} resets {turn.resets}  "
        f"behind at most, s: {lags}"
    )


@contextmanager
def _following(tocsin: LiveTocsin, followers: list[Subscriber]) -> Iterator[list[Seen]]:
    """The crowd, in a process of its own, for as long as the block runs; what it saw is in the list afterwards."""
    seen: list[Seen] = []
    if not followers:
        yield seen
        return
    command = [sys.executable, "-m", "bench.live_followers"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(msgspec.json.encode(Following(port=tocsin.port, subscribers=followers)) + b"\n")
        process.stdin.flush()
        process.stdout.readline()
        try:
            yield seen
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
