"""Does the server's memory stay flat? A million new alerts, a hundred a request; the resident size after each part."""

from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from bench import database, turns
from bench.contenders.tocsin import Tocsin
from bench.load import run
from bench.machine import describe, resident_bytes
from bench.results import MAIN_ROUTE, MemoryReport

PARTS = 20
MEGABYTE = 1024 * 1024


def measure(folder: Path, *, alerts: int) -> MemoryReport:
    """Post so many alerts in parts, sampling after each."""
    began = datetime.now(UTC)
    samples: list[tuple[int, dict[str, float]]] = []
    accepted, seconds = 0, 0.0
    with database.running(folder) as stores, ExitStack() as stack:
        tocsin = Tocsin(folder / "logs", stores, folder / "tocsin")
        stack.callback(tocsin.stop)
        tocsin.start()
        route = next(route for route in tocsin.routes() if route.name == MAIN_ROUTE)
        for part in range(PARTS):
            load = turns.load_of(
                tocsin, route, turns.BATCH, seconds=600.0, prefix=f"part{part:02}", limit=alerts // PARTS
            )
            result = run(load)
            if result.accepted != result.requests * load.per_request:
                raise RuntimeError(f"not every post was taken: {result.statuses}")
            accepted += result.accepted
            seconds += result.seconds
            tocsin.settle()
            sizes = {name: resident_bytes(pid) / MEGABYTE for name, pid in tocsin.parts().items()}
            samples.append((accepted, sizes))
            print(
                f"{accepted:>9,} alerts  " + "  ".join(f"{name} {size:.0f} MB" for name, size in sizes.items()),
                flush=True,
            )
        differs = abs(tocsin.stored().occurrences - accepted)
    return MemoryReport(began=began, machine=describe(), samples=samples, rate=accepted / seconds, differs=differs)
