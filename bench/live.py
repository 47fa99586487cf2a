"""When does the last of a thousand sockets have an event, and how many a second can all have? With peers, in turns.

Where an event is on its way is told by four clocks that are one: the load process's (post sent, post answered, first
client, last client) and the id Redis gives to the relay's message, which is the time of the hand-over to the API's hub
to the millisecond below (so what follows it is measured too long by up to one, never too short).
"""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import redis

from bench import database, live_ingest, live_restart, profile
from bench.database import Stores
from bench.live_load import listen
from bench.live_people import People
from bench.live_results import LiveReport, LiveTurn, MemoryTurn, RestartTurn
from bench.live_servers import LiveTocsin, Peer
from bench.live_wire import LiveLoad, LiveResult, Publishing, Subscriber, allow_files
from bench.machine import describe
from persistence.stream import EVENTS_STREAM
from persistence.stream_message import decode_message

GROUPS = (1, 5, 20)
MOST_MESSAGES = 1000
FIELD = b"message"
PROFILE_SECONDS = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many sockets, how many events one by one, how long at full rate, how often all of it."""

    folder: Path
    subscribers: int = 1000
    events: int = 30
    gap: float = 0.4
    seconds: float = 4.0
    rounds: int = 2
    memory: tuple[int, ...] = (1000, 5000)
    parts: frozenset[str] = frozenset({"fan-out", "memory", "restart"})
    only: frozenset[str] = frozenset()

    def takes(self, server: str) -> bool:
        """Whether this server has turns."""
        return not self.only or server in self.only


@dataclass(frozen=True, slots=True)
class Server:
    """Whose turn it is: where it listens, its process, and how an event is made at it."""

    port: int
    pid: int
    publishing: Publishing


def measure(plan: Plan) -> LiveReport:
    """Run the whole plan."""
    began = datetime.now(UTC)
    allow_files(max(plan.subscribers, *plan.memory))
    turns: list[LiveTurn] = []
    memory: list[MemoryTurn] = []
    ingest = []
    restart: RestartTurn | None = None
    with database.running(plan.folder) as stores, ExitStack() as stack:
        tocsin = LiveTocsin(plan.folder / "logs", stores, plan.folder / "tocsin")
        stack.callback(tocsin.stop)
        tocsin.start()
        people = People(stores.tocsin)
        if "memory" in plan.parts:
            memory = [_memory(plan, tocsin, people, number) for number in plan.memory]
        if "fan-out" in plan.parts:
            turns = list(_turns(plan, tocsin, people, stores=stores, stack=stack))
        if "restart" in plan.parts:
            restart = live_restart.measure(
                tocsin, people, subscribers=plan.subscribers, events=plan.events, gap=plan.gap
            )
        if "ingest" in plan.parts:
            ingest = list(live_ingest.measure(tocsin, people, stores, subscribers=plan.subscribers))
    return LiveReport(
        began=began,
        machine=describe(),
        subscribers=plan.subscribers,
        turns=turns,
        memory=memory,
        restart=restart,
        ingest=ingest,
    )


def profile_it(plan: Plan, *, groups: int) -> None:
    """Where the API process's own time goes while it sends as fast as all sockets keep up."""
    allow_files(plan.subscribers)
    with database.running(plan.folder) as stores, ExitStack() as stack:
        tocsin = LiveTocsin(plan.folder / "logs", stores, plan.folder / "tocsin")
        stack.callback(tocsin.stop)
        tocsin.start()
        crowd = People(stores.tocsin).crowd(plan.subscribers, groups=groups)
        load = _load(plan, Server(tocsin.port, tocsin.api_pid, tocsin.publishing()), crowd, prefix="seen")
        # Not the subscribing: a few events one by one tell that it is over.
        with ThreadPoolExecutor() as pool:
            listening = pool.submit(listen, msgspec.structs.replace(load, events=3, seconds=PROFILE_SECONDS + 4))
            tocsin.wait_for_sockets(plan.subscribers)
            time.sleep(2)
            with profile.watching(plan.folder, tocsin.api_pid, seconds=PROFILE_SECONDS):
                found = listening.result()
    print(f"{plan.subscribers} sockets in {groups} groups: {found.sustained:.1f} events/s while it was watched")


# -- fan-out -----------------------------------------------------------------------------------------------------------


def _turns(plan: Plan, tocsin: LiveTocsin, people: People, *, stores: Stores, stack: ExitStack) -> Iterator[LiveTurn]:
    """Ours with each number of groups, then the peers; and again."""
    peers: list[Peer] = []
    for number in range(plan.rounds):
        for groups in GROUPS if plan.takes("tocsin") else GROUPS[:1]:
            crowd = people.crowd(plan.subscribers, groups=groups)
            found = listen(
                _load(
                    plan,
                    Server(tocsin.port, tocsin.api_pid, tocsin.publishing()),
                    crowd,
                    prefix=f"t{number}g{groups:02}-",
                )
            )
            if not peers:
                peers = _peers(plan, found.samples[0])
                for peer in peers:
                    stack.callback(peer.stop)
                    peer.start()
            yield _shown(_turn("tocsin", groups, found, plan.subscribers, handed_over=_handed_over(stores)))
            tocsin.settle()
        for peer in peers:
            crowd = [Subscriber(token="", query=sent.query, operation=sent.operation) for sent in crowd]
            found = listen(_load(plan, Server(peer.port, peer.pid, peer.publishing()), crowd, prefix="p"))
            yield _shown(_turn(peer.name, 1, found, plan.subscribers, handed_over=None))


def _peers(plan: Plan, sample: str) -> list[Peer]:
    """They are given what Tocsin sent: the bare one the bytes of the message, the stock one the event in it."""
    event = msgspec.json.decode(sample)["payload"]["data"]["alertEvents"]
    logs = plan.folder / "logs"
    known = [
        Peer(logs, "bare", "bench.plain_live", sample),
        Peer(logs, "stock", "bench.stock_live", msgspec.json.encode(event).decode()),
    ]
    return [peer for peer in known if plan.takes(peer.name)]


def _load(plan: Plan, server: Server, crowd: list[Subscriber], *, prefix: str) -> LiveLoad:
    return LiveLoad(
        port=server.port,
        server_pid=server.pid,
        subscribers=crowd,
        publishing=server.publishing,
        prefix=prefix,
        events=plan.events,
        gap=plan.gap,
        seconds=plan.seconds,
    )


def _handed_over(stores: Stores) -> dict[str, float]:
    """When the relay gave each alert's opening to Redis: seconds of the wall clock, by the alert's id."""
    client = redis.Redis.from_url(stores.redis_url)
    try:
        moments: dict[str, float] = {}
        entries: Any = client.xrevrange(EVENTS_STREAM, count=MOST_MESSAGES)
        for entry_id, fields in entries:
            message = decode_message(fields[FIELD].decode())
            for event in (message.events or []) if message is not None else []:
                moments[str(event.event.alert_id)] = int(entry_id.split(b"-")[0]) / 1000
        return moments
    finally:
        client.close()


def _turn(
    server: str, groups: int, found: LiveResult, subscribers: int, *, handed_over: dict[str, float] | None
) -> LiveTurn:
    stages: dict[str, list[float]] = {}

    def add(name: str, seconds: float) -> None:
        stages.setdefault(name, []).append(1000 * seconds)

    for timed in found.timed:
        if handed_over is None:
            # A peer's broadcast begins when the post has come.
            begins = timed.sent
        else:
            begins = handed_over[str(msgspec.json.decode(timed.answer)["alerts"][0]["alertId"])]
            add("post to answer", timed.answered - timed.sent)
            add("answer to hand-over", begins - timed.answered)
            add("answer to last", timed.last - timed.answered)
        add("hand-over to first", timed.first - begins)
        add("first to last", timed.last - timed.first)
        add("hand-over to last", timed.last - begins)
        add("post to last", timed.last - timed.sent)
    return LiveTurn(
        server=server,
        groups=groups,
        subscribers=subscribers,
        stages=stages,
        sustained=found.sustained,
        bytes_each=found.bytes / max(1, found.frames),
        load_share=found.load_share,
        cost=1e6 * found.server_seconds / max(1, found.sustained_events * subscribers),
    )


def _shown(turn: LiveTurn) -> LiveTurn:
    print(turn.line(), flush=True)
    return turn


# -- memory ------------------------------------------------------------------------------------------------------------


def _memory(plan: Plan, tocsin: LiveTocsin, people: People, number: int) -> MemoryTurn:
    """A process that has done nothing before but serve a few sockets, so that what is loaded once does not count."""
    tocsin.restart_api()
    few = LiveLoad(
        port=tocsin.port,
        subscribers=people.crowd(50, groups=5),
        publishing=tocsin.publishing(),
        prefix=f"few{number}-",
        events=5,
        gap=0.05,
        seconds=0.5,
    )
    listen(few)
    found = listen(
        LiveLoad(
            port=tocsin.port,
            subscribers=people.crowd(number, groups=5),
            publishing=tocsin.publishing(),
            prefix=f"many{number}-",
            events=min(10, plan.events),
            gap=1.0,
            seconds=2.0,
            patience=180.0,
            server_pid=tocsin.api_pid,
        )
    )
    turn = MemoryTurn(
        subscribers=number,
        resident=found.resident,
        subscribe_seconds=found.subscribe_seconds,
        last_ms=[1000 * (timed.last - timed.answered) for timed in found.timed],
    )
    print(
        f"{number} sockets: {turn.each / 1000:.1f} kB each, all there after {turn.subscribe_seconds:.1f} s", flush=True
    )
    return turn
