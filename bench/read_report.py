"""How does read.md read? Reads of the store and the index at both sizes, a page over HTTP beside peers; goals first."""

from collections.abc import Iterator, Sequence

from bench.number import met, number
from bench.read_index import INDEX_SCENARIOS
from bench.read_results import OTHER, SAME, STOCK, TOCSIN, TWO, ReadReport
from bench.read_store import SCENARIOS
from bench.read_turns import Scenario

STORE_GOAL, GROWTH_GOAL, HTTP_GOAL, STOCK_GOAL = 50.0, 1.5, 200.0, 1.6


def render(report: ReadReport) -> str:
    """The text of read.md."""
    parts = [_head(report)]
    if report.store:
        parts.append(_store(report))
    if report.index:
        parts.append(_index(report))
    if report.http:
        parts.append(_http(report))
    return "\n\n".join(parts) + "\n"


def _head(report: ReadReport) -> str:
    lines = [
        "# How fast alerts are read",
        "",
        "Written by `python -m bench read` (`--quick` prints and writes nothing, `--parts` picks store, index, http).",
        "The databases are made inside PostgreSQL over two years (`read_fill.py`); see `how.md` and `notes.md`.",
        "",
        f"Run of {report.began:%Y-%m-%d}.",
        "",
        *(f"- {line}" for line in report.machine),
        "",
    ]
    lines += ["| goal | figure | met |", "|---|---|---|"]
    if report.store:
        lines += _bounds(report, "read in the store", SCENARIOS)
    if report.index:
        lines += _bounds(report, "search by the index", INDEX_SCENARIOS)
    if report.http:
        for server, asked in [(TOCSIN, SAME), (TOCSIN, OTHER), (TWO, OTHER)]:
            p95, ratio = report.latency(server, "p95", asked), report.rate(server, asked) / report.rate(STOCK)
            who = f"a page over HTTP, {report.connections} clients, {asked}"
            who += "" if server == TOCSIN else f" ({server})"
            lines += [
                _goal(f"{who}: p95 under 200 ms", f"{number(p95)} ms", is_met=p95 < HTTP_GOAL),
                _goal(f"{who}: 1.6 times the requests/s of stock", number(ratio), is_met=ratio >= STOCK_GOAL),
            ]
    return "\n".join(lines)


def _bounds(report: ReadReport, each: str, scenarios: Sequence[Scenario]) -> list[str]:
    """Whether all that have a goal are fast enough, and as fast among more."""
    bounded = [scenario.name for scenario in scenarios if scenario.is_bounded]
    slowest = max(bounded, key=lambda name: report.at(name, report.sizes[-1]).latencies["p95"])
    grown = max(bounded, key=report.growth)
    worst = report.at(slowest, report.sizes[-1]).latencies["p95"]
    return [
        _goal(
            f"each {each}: p95 under 50 ms among {report.sizes[-1]:,}",
            f"{number(worst)} ms ({slowest})",
            is_met=worst < STORE_GOAL,
        ),
        _goal(
            f"each {each} at most 1.5 times as long as among {report.sizes[0]:,} (medians)",
            f"{number(report.growth(grown))} ({grown})",
            is_met=report.growth(grown) <= GROWTH_GOAL,
        ),
    ]


def _goal(goal: str, figure: str, *, is_met: bool) -> str:
    return f"| {goal} | {figure} | {met(is_met)} |"


def _store(report: ReadReport) -> str:
    lines = [
        "## Reads in the store",
        "",
        "Milliseconds of one call of the program's own read function, on one connection, another value each time.",
        "Those in brackets have no goal: nothing is kept for them, PostgreSQL has to look at alerts.",
        "",
        *_reads(report, SCENARIOS),
    ]
    return "\n".join(lines)


def _index(report: ReadReport) -> str:
    lines = [
        "## Searches by the index",
        "",
        "Milliseconds of what `searchAlerts` does for 50 hits: private teams from PostgreSQL, the search by",
        "Elasticsearch on the same machine, and the rows from PostgreSQL. First with highlights, then with facets and",
        "the number of hits too; those in brackets have no goal: each of their hits, up to all alerts, is counted five",
        "times.",
        "",
        *_reads(report, INDEX_SCENARIOS),
    ]
    return "\n".join(lines)


def _reads(report: ReadReport, scenarios: Sequence[Scenario]) -> Iterator[str]:
    """A line a read."""
    sizes = report.sizes
    yield f"| read | {' | '.join(f'p50 of {size:,} | p95 of {size:,}' for size in sizes)} | times as long (p50) |"
    yield "|---|" + "---|" * (2 * len(sizes) + 1)
    for scenario in scenarios:
        at = [report.at(scenario.name, size).latencies for size in sizes]
        cells = [number(found[place]) for found in at for place in ("p50", "p95")]
        name = scenario.name if scenario.is_bounded else f"({scenario.name})"
        yield f"| {name} | {' | '.join(cells)} | {number(report.growth(scenario.name))} |"


def _http(report: ReadReport) -> str:
    lines = [
        f"## A page over HTTP: 50 alerts of 12 fields, {report.connections} clients, among {report.sizes[-1]:,}",
        "",
        "`stock` is Strawberry's own view and a resolver over asyncpg, `plain` the same JSON by Starlette and orjson;",
        "both without sign-in, limits, visibility, metrics or logs. Clients ask for the same newest page, whose",
        "answers are shared by those who wait (decision 052), or each for another: a service's newest, or one in the",
        "middle of two years (`read_pages.py`). The peers always give the newest. Of the processor: microseconds a",
        "request.",
        "",
        "| server | asked for | requests/s | of stock | p50 ms | p95 ms | p99 ms | server µs | PostgreSQL µs |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for server, asked in dict.fromkeys((turn.server, turn.asked) for turn in report.http):
        rate = report.rate(server, asked)
        cells = [server, asked, number(rate), number(rate / report.rate(STOCK))]
        cells += [number(report.latency(server, place, asked)) for place in ("p50", "p95", "p99")]
        cells += [number(report.cpu(server, part, asked)) for part in ("server", "database")]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
