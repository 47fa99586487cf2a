"""Does `bench noise` post the storm it says, count groups rightly, and write what it found?"""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import orjson

from bench import groups, groups_storm, house
from bench.load import Load, ReadyRequests, Result
from bench.noise_report import render
from bench.noise_results import NoiseReport, NoiseTurn, StormTurn, TrialTurn
from bench.noise_storm import NUMBER, PER_REQUEST, write_bodies
from bench.turns import Turn
from domain.correlation.making import Maker
from domain.correlation.model import GroupStrategy, Topology
from domain.ids import new_id


def test_the_storm_is_posted_in_its_order_each_alert_with_a_number_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "storm.jsonl"
    write_bodies(path, 3 * PER_REQUEST, noise=0.0)
    bodies = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    numbers = [int(alert["labels"][NUMBER]) for body in bodies for alert in body]

    assert [len(body) for body in bodies] == [PER_REQUEST] * 3
    assert sorted(numbers) == list(range(3 * PER_REQUEST))
    assert numbers[0] < groups_storm.CAUSES, "a cause comes before what follows from it"

    requests = ReadyRequests(_load(path))
    sent = [requests.next() for _ in bodies]
    assert requests.exhausted
    assert all(one.startswith(b"POST /alerts HTTP/1.1\r\nHost: 127.0.0.1:1\r\nX-Key: k\r\n") for one in sent)
    heads = [one.split(b"\r\n\r\n", 1) for one in sent]
    assert all(head.endswith(b"Content-Length: %d" % len(body)) for head, body in heads)
    assert [orjson.loads(body) for _, body in heads] == bodies


def test_pairs_tell_how_well_a_storm_was_grouped() -> None:
    one, other = new_id(), new_id()
    assert groups.pairwise(Counter({(1, one): 3, (2, other): 2})) == (1.0, 1.0)
    assert groups.pairwise(Counter({(1, one): 2, (2, one): 2})) == (2 / 6, 1.0)
    assert groups.pairwise(Counter({(1, one): 2, (1, other): 2})) == (1.0, 2 / 6)


def test_of_the_group_rules_of_the_house_only_one_is_for_what_ingest_posts() -> None:
    rules = house.steady_group_rules()
    labels = {"alertname": "HighErrorRate", "cluster": "eu-1", "service": "checkout", "team": "payments"}
    fitting = [rule for rule in rules if rule.condition is None and all(m.matches(labels) for m in rule.matchers)]

    assert len(rules) == house.GROUP_RULES
    assert {rule.strategy for rule in rules} == set(GroupStrategy) - {GroupStrategy.TOPOLOGY}
    said = next(groups_storm.storm(1)).signal
    said.labels.clear()
    said.labels.update(labels)
    ways = [way for rule in fitting for way in Maker(Topology()).ways(rule, said, groups_storm.INTEGRATION.id)]
    assert [way.rule for way in ways] == rules[:1]


def test_the_report_has_every_ratio_and_says_what_was_missed() -> None:
    text = render(_report())

    assert "| with 300 alert rules, 0.6 of the rate without | 0.50 | **no** |" in text
    assert "| storm, 0% noise: at most 60 groups | 50 | yes |" in text
    assert "| a million signals tried within a minute | 30 s | yes |" in text
    assert "| a scenario | 300 alert rules | 500 | 0.50 | 20 | 20 | 20 | 2.00 |" in text


def _load(path: Path) -> Load:
    return Load(
        port=1, path="/alerts", headers={"X-Key": "k"}, opening="", item="", closing="", prefix="", bodies=str(path)
    )


def _turn(rate: int, cpu: float) -> Turn:
    result = Result(requests=1, accepted=rate, statuses={}, seconds=1.0, latencies={}, cpu_seconds=0.0)
    parts = {"server": cpu, "relay": cpu, "database": cpu}
    return Turn(
        scenario="a scenario", contender="tocsin", route="api", result=result, differs=0, cpu=parts, settle_seconds=0.0
    )


def _report() -> NoiseReport:
    houses = {"nothing": _turn(1000, 10.0), "300 alert rules": _turn(500, 20.0), "all of them": _turn(500, 20.0)}
    storm = StormTurn(
        server="tocsin",
        ways="50 group rules",
        noise=0.0,
        alerts=100,
        groups=50,
        alone=0,
        precision=1.0,
        recall=1.0,
        rate=1000.0,
        cpu={"server": 1.0, "database": 1.0},
        grown=1.0,
    )
    trial = TrialTurn(
        draft="a draft",
        rules=300,
        signals=1_000_000,
        matched=5,
        seconds=30.0,
        cpu={"server": 20.0, "database": 5.0},
        grown=1.0,
        steps=[(0.5, 0.01), (30.0, 1.0)],
    )
    return NoiseReport(
        began=datetime(2026, 3, 4, tzinfo=UTC),
        machine=["a machine"],
        seconds=1.0,
        rounds=1,
        turns=[NoiseTurn(house=name, turn=turn) for name, turn in houses.items()],
        storms=[storm],
        trials=[trial],
    )
