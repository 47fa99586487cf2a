"""How fast are alerts read, among 100,000 and a million? In the store, by the search index, over HTTP beside peers."""

import json
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench import database, read_index, read_store
from bench.contenders.base import Contender
from bench.database import Stores
from bench.load import run
from bench.machine import cpu_seconds, describe
from bench.read_fill import filled
from bench.read_pages import NEWEST, write_bodies
from bench.read_results import OTHER, PLAIN, SAME, STOCK, HttpTurn, ReadReport, StoreTurn
from bench.read_servers import ReadPeer, ReadTocsin, load_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much, how long, how often; `parts` of store, index and http."""

    folder: Path
    sizes: tuple[int, ...] = (100_000, 1_000_000)
    seconds: float = 1.0
    http_seconds: float = 8.0
    rounds: int = 3
    connections: int = 100
    parts: frozenset[str] = frozenset({"store", "index", "http"})
    # How the names of reads and servers begin; all of them when empty.
    only: tuple[str, ...] = ()


def measure(plan: Plan) -> ReadReport:
    """Run the whole plan."""
    began = datetime.now(UTC)
    with database.running(plan.folder) as stores, ExitStack() as stack:
        sizes = [filled(stores, size) for size in plan.sizes]
        only = plan.only or ("",)
        store: list[StoreTurn] = []
        if "store" in plan.parts:
            store = read_store.measure(sizes, seconds=plan.seconds, rounds=plan.rounds, only=only)
        index: list[StoreTurn] = []
        if "index" in plan.parts:
            index = read_index.measure(
                sizes, plan.folder / "search", seconds=plan.seconds, rounds=plan.rounds, only=only
            )
        http: list[HttpTurn] = []
        if "http" in plan.parts:
            logs, largest = plan.folder / "logs", sizes[-1].database
            bodies = plan.folder / "pages.jsonl"
            write_bodies(bodies)
            ours: list[Contender] = [
                ReadTocsin(logs, stores, plan.folder / f"tocsin-read-{number}", largest, processes=number)
                for number in (1, 2)
            ]
            peers: list[Contender] = [
                ReadPeer(logs, STOCK, "bench.stock_read", largest),
                ReadPeer(logs, PLAIN, "bench.plain_read", largest),
            ]
            ours, peers = ([one for one in those if one.name.startswith(only)] for those in (ours, peers))
            for server in (*ours, *peers):
                stack.callback(server.stop)
                server.start()
            _compare([*ours, *peers])
            turns = [
                *(Turn(server, SAME, None) for server in (*ours, *peers)),
                *(Turn(server, OTHER, bodies) for server in ours),
            ]
            for number in range(plan.rounds + 1):
                found = [_measure(plan, turn, stores, is_kept=number > 0) for turn in turns]
                http += found if number else []
    return ReadReport(
        began=began,
        machine=describe(),
        sizes=list(plan.sizes),
        store=store,
        index=index,
        http=http,
        connections=plan.connections,
    )


@dataclass(frozen=True, slots=True)
class Turn:
    """Whom to ask what."""

    server: Contender
    asked: str
    bodies: Path | None


def _measure(plan: Plan, turn: Turn, stores: Stores, *, is_kept: bool) -> HttpTurn:
    """One turn. The first ones, which warm up, are short and not kept."""
    server, seconds = turn.server, plan.http_seconds if is_kept else 1.0
    parts = {"server": server.parts()["server"], "database": stores.postgresql_pid}
    before = {name: cpu_seconds(pid) for name, pid in parts.items()}
    result = run(load_of(server, connections=plan.connections, seconds=seconds, bodies=turn.bodies))
    if set(result.statuses) != {"200"}:
        raise RuntimeError(f"{server.name} answered {result.statuses}")
    cpu = {name: 1e6 * (cpu_seconds(pid) - before[name]) / result.requests for name, pid in parts.items()}
    if is_kept:
        rate, p95 = result.requests / result.seconds, result.latencies["p95"]
        used = ", ".join(f"{name} {value:,.0f}" for name, value in cpu.items())
        print(f"{server.name:20} {turn.asked:18} {rate:8,.0f}/s  p95 {p95:5.0f} ms  µs: {used}", flush=True)
    return HttpTurn(server=server.name, asked=turn.asked, result=result, cpu=cpu)


def _compare(servers: list[Contender]) -> None:
    """All must answer alike: fifty alerts of the same twelve fields, without errors."""
    for server in servers:
        token = server.token if isinstance(server, ReadTocsin) else "none"
        request = urllib.request.Request(
            f"http://127.0.0.1:{server.port}/graphql",
            data=json.dumps({"query": NEWEST}).encode(),
            headers={"content-type": "application/json", "authorization": f"Bearer {token}"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - as above
            found = json.load(answer)
        nodes = found["data"]["alerts"]["nodes"]
        if found.get("errors") or len(nodes) != 50 or {len(node) for node in nodes} != {12}:
            raise RuntimeError(f"{server.name} answers something else: {str(found)[:300]}")
