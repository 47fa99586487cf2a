"""What does it cost an alert to find its owner? 200 lines, services and matchers, against alerts of several kinds.

python -m bench.team_ownership
"""

import time
from collections.abc import Iterator, Mapping
from itertools import cycle, islice

from domain.ids import new_id
from domain.silences.matcher_syntax import parse_matchers
from domain.teams.ownership import Claim, Ownership, OwnershipLine

ROUNDS = 200_000
LABELS = {
    "alertname": "HighErrorRate",
    "instance": "10.1.2.3:9100",
    "job": "node",
    "severity": "critical",
    "cluster": "eu-1",
    "namespace": "shop",
    "pod": "checkout-7d9f",
    "prometheus": "monitoring/k8s",
}


def ownership() -> Ownership:
    """A hundred services; fifty lists with an equal label, fifty with regular expressions alone."""
    lines = [OwnershipLine(id=new_id(), team_id=new_id(), service_name=f"service-{n}") for n in range(100)]
    texts = [f'namespace="ns-{n}",severity=~"critical|high"' for n in range(50)]
    texts += [f'namespace=~"team-{n}-.*",cluster!="test"' for n in range(50)]
    lines += [OwnershipLine(id=new_id(), team_id=new_id(), matchers=parse_matchers(text)) for text in texts]
    return Ownership(version=1, claims=[Claim(line, f"team {n}", is_private=False) for n, line in enumerate(lines)])


def _nanoseconds(owned: Ownership, asked: Iterator[tuple[str | None, Mapping[str, str]]], rounds: int) -> float:
    """The mean cost of an answer, beyond that of the loop."""
    given = list(islice(asked, rounds))
    started = time.process_time()
    for service, labels in given:
        owned.find(service, labels)
    spent = time.process_time() - started
    started = time.process_time()
    for _service, _labels in given:
        pass
    return (spent - (time.process_time() - started)) / rounds * 1e9


def main() -> None:
    """Print a line a kind of alert."""
    few = [{**LABELS, "pod": f"pod-{n}", "namespace": f"ns-{n % 60}"} for n in range(500)]
    many = ({**LABELS, "namespace": f"shop-{n}"} for n in range(ROUNDS))
    kinds: dict[str, Iterator[tuple[str | None, Mapping[str, str]]]] = {
        "its service is owned": cycle([(f"service-{n}", LABELS) for n in range(100)]),
        "labels, of sixty kinds": cycle([(None, labels) for labels in few]),
        "labels nobody owns, the same again": cycle([("other", LABELS)]),
        "labels never seen before, nobody's": ((None, labels) for labels in many),
    }
    for name, asked in kinds.items():
        rounds = ROUNDS if "never" not in name else ROUNDS // 10
        print(f"{name:40} {_nanoseconds(ownership(), asked, rounds) / 1000:8.2f} µs")


if __name__ == "__main__":
    main()
