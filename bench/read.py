"""How fast are alerts read, among a hundred thousand and among a million? In the store, and over HTTP beside peers."""

import json
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench import database, read_store
from bench.contenders.base import Contender
from bench.load import run
from bench.machine import describe
from bench.read_fill import filled
from bench.read_results import HttpTurn, ReadReport
from bench.read_servers import QUERY, ReadPeer, ReadTocsin, load_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much, how long, how often; `parts` of store and http."""

    folder: Path
    sizes: tuple[int, ...] = (100_000, 1_000_000)
    seconds: float = 1.0
    http_seconds: float = 8.0
    rounds: int = 3
    connections: int = 100
    parts: frozenset[str] = frozenset({"store", "http"})


def measure(plan: Plan) -> ReadReport:
    """Run the whole plan."""
    began = datetime.now(UTC)
    with database.running(plan.folder) as stores, ExitStack() as stack:
        sizes = [filled(stores, size) for size in plan.sizes]
        store = read_store.measure(sizes, seconds=plan.seconds, rounds=plan.rounds) if "store" in plan.parts else []
        http: list[HttpTurn] = []
        if "http" in plan.parts:
            logs, largest = plan.folder / "logs", sizes[-1].database
            servers: list[Contender] = [
                ReadTocsin(logs, stores, plan.folder / "tocsin-read", largest),
                ReadPeer(logs, "stock", "bench.stock_read", largest),
                ReadPeer(logs, "plain", "bench.plain_read", largest),
            ]
            for server in servers:
                stack.callback(server.stop)
                server.start()
            _compare(servers)
            http = [turn for number in range(plan.rounds + 1) for turn in _turns(plan, servers, is_kept=number > 0)]
    return ReadReport(
        began=began,
        machine=describe(),
        sizes=list(plan.sizes),
        store=store,
        http=http,
        connections=plan.connections,
    )


def _turns(plan: Plan, servers: list[Contender], *, is_kept: bool) -> list[HttpTurn]:
    turns = []
    for server in servers:
        seconds = plan.http_seconds if is_kept else 1.0
        result = run(load_of(server, connections=plan.connections, seconds=seconds))
        if set(result.statuses) != {"200"}:
            raise RuntimeError(f"{server.name} answered {result.statuses}")
        if is_kept:
            rate = result.requests / result.seconds
            print(f"{server.name:8} {rate:8,.0f}/s  p95 {result.latencies['p95']:.0f} ms", flush=True)
            turns.append(HttpTurn(server=server.name, result=result))
    return turns


def _compare(servers: list[Contender]) -> None:
    """All must answer alike: fifty alerts of the same twelve fields, without errors."""
    for server in servers:
        token = server.token if isinstance(server, ReadTocsin) else "none"
        request = urllib.request.Request(
            f"http://127.0.0.1:{server.port}/graphql",
            data=json.dumps({"query": QUERY}).encode(),
            headers={"content-type": "application/json", "authorization": f"Bearer {token}"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - as above
            found = json.load(answer)
        nodes = found["data"]["alerts"]["nodes"]
        if found.get("errors") or len(nodes) != 50 or {len(node) for node in nodes} != {12}:
            raise RuntimeError(f"{server.name} answers something else: {str(found)[:300]}")
