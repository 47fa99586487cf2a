"""Does `bench read` ask for pages that differ, and say which goals were met?"""

from datetime import UTC, datetime
from pathlib import Path

import orjson

from bench.load import Result
from bench.read_index import INDEX_SCENARIOS
from bench.read_pages import write_bodies
from bench.read_report import render
from bench.read_results import OTHER, PLAIN, SAME, STOCK, TOCSIN, TWO, HttpTurn, ReadReport, StoreTurn
from bench.read_store import SCENARIOS


def test_no_two_of_a_hundred_clients_ask_for_the_same_page(tmp_path: Path) -> None:
    path = tmp_path / "pages.jsonl"
    write_bodies(path, 400)
    bodies = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    assert len(bodies) == 400
    asked = [orjson.dumps(body["variables"]) for body in bodies]
    assert all(len(set(asked[first : first + 100])) == 100 for first in range(300))
    assert len({body["query"] for body in bodies}) == 1


def test_the_report_says_which_goals_were_met() -> None:
    report = _report()
    text = render(report)
    assert "| each read in the store: p95 under 50 ms among 1,000 | 20.0 ms (newest page) | yes |" in text
    assert "| each search by the index: p95 under 50 ms among 1,000 | 20.0 ms (search: a rare word) | yes |" in text
    assert "100 clients, the same page: p95 under 200 ms | 150 ms | yes |" in text
    assert "100 clients, another page each: p95 under 200 ms | 250 ms | **no** |" in text
    assert f"| {TOCSIN} | {SAME} | 200 | 2.00 |" in text
    later = ReadReport(
        began=report.began, machine=[], sizes=report.sizes, store=[], http=report.http, connections=report.connections
    )
    assert later.with_rest_of(report).store == report.store
    assert later.with_rest_of(report).index == report.index


def _report() -> ReadReport:
    places = {"p50": 10.0, "p95": 20.0, "p99": 30.0}
    store, index = (
        [
            StoreTurn(scenario=scenario.name, alerts=size, calls=1, latencies=places)
            for scenario in scenarios
            for size in (100, 1000)
        ]
        for scenarios in (SCENARIOS, INDEX_SCENARIOS)
    )
    http = [
        *(_turn(server, SAME, 150.0) for server in (TOCSIN, TWO, STOCK, PLAIN)),
        *(_turn(server, OTHER, 250.0) for server in (TOCSIN, TWO)),
    ]
    return ReadReport(
        began=datetime(2026, 11, 26, tzinfo=UTC),
        machine=["a machine"],
        sizes=[100, 1000],
        store=store,
        index=index,
        http=http,
        connections=100,
    )


def _turn(server: str, asked: str, p95: float) -> HttpTurn:
    requests = 100 if server == STOCK else 200
    result = Result(
        requests=requests,
        accepted=requests,
        statuses={"200": requests},
        seconds=1.0,
        latencies={"p50": 100.0, "p95": p95, "p99": 300.0},
        cpu_seconds=0.1,
    )
    return HttpTurn(server=server, asked=asked, result=result, cpu={"server": 1000.0, "database": 400.0})
