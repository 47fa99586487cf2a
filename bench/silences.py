"""What does it cost an alert to be held against the silences that stand? None, and 200 of several kinds.

python -m bench.silences
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.alerts.model import Severity
from domain.ids import new_id
from domain.silences.matcher_syntax import parse_matchers
from domain.silences.model import Silence
from domain.silences.standing import KnownSilences, SilencesInForce
from persistence.silence_conditions import kept_condition

ROUNDS = 50_000
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
INTEGRATION = new_id()


@dataclass(frozen=True, slots=True)
class _Alert:
    """An alert as ingest has it, as far as a silence looks."""

    labels: dict[str, str]
    title: str = "5 % of requests fail"
    severity: Severity = Severity.HIGH
    source: str = "prometheus"
    service_name: str | None = "checkout"
    dedup_key: str = "am:1:0f"
    started_at: datetime = NOW
    integration_id: UUID = INTEGRATION
    team_id: UUID | None = None


ALERTS = [
    _Alert(
        {
            "alertname": f"Alert{number % 40}",
            "instance": f"10.1.{number % 7}.{number % 251}:9100",
            "job": "node",
            "severity": "critical",
            "cluster": "eu-1",
            "namespace": f"ns-{number % 90}",
            "pod": f"checkout-{number}",
        }
    )
    for number in range(1_000)
]


def _silences(texts: Iterable[str], condition: str | None = None) -> tuple[Silence, ...]:
    return tuple(
        Silence(
            id=new_id(),
            matchers=parse_matchers(text),
            condition=None if condition is None else kept_condition(condition.format(number)),
            starts_at=NOW - timedelta(hours=1),
            ends_at=NOW + timedelta(hours=1),
            created_by="",
            comment="bench",
            updated_at=NOW,
        )
        for number, text in enumerate(texts)
    )


KINDS = {
    "none": (),
    "200, a label's value (alertname and instance)": _silences(
        f'alertname="Other{n}",instance=~"10.2.{n}.*"' for n in range(200)
    ),
    "200, half a value, half a pattern alone": _silences(
        f'namespace="other-{n}"' if n % 2 else f'instance=~"10.2.{n}.*",alertname=~"Alert.*"' for n in range(200)
    ),
    "200 patterns whose bounds say nothing (.*n)": _silences(f'pod=~".*-x{n}"' for n in range(200)),
    "200 conditions after a label's value": _silences(
        (f'namespace="ns-{n}"' for n in range(200)), 'alert.severity < HIGH && alert.service != "s{}"'
    ),
    "200 conditions alone": _silences(("" for _ in range(200)), 'alert.labels.pod == "p{}"'),
}


def _nanoseconds(ask: Callable[[_Alert], object], rounds: int) -> float:
    started = time.process_time()
    for number in range(rounds):
        ask(ALERTS[number % len(ALERTS)])
    return (time.process_time() - started) / rounds * 1e9


def main() -> None:
    """Print a line a kind: by the index, and one after the other."""
    for name, silences in KINDS.items():
        index = SilencesInForce(silences)
        one_by_one = _nanoseconds(
            lambda alert, silences=silences: [one for one in silences if one.holds(alert)],  # type: ignore[misc]
            ROUNDS // 20,
        )
        print(f"{_nanoseconds(index.holding, ROUNDS // 5):9.0f} ns  {one_by_one:9.0f} ns one by one   {name}")
    known = KnownSilences(KINDS["200, a label's value (alertname and instance)"])
    per_batch = _nanoseconds(lambda _alert: known.at(NOW), ROUNDS)
    print(f"{per_batch:9.0f} ns a batch to know which of 200 stand")


if __name__ == "__main__":
    main()
