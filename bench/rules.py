"""What do alert rules cost an arriving alert, and a stored signal that a rule is tried on? In time of the processor.

python -m bench.rules
"""

import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from uuid import UUID

import orjson

from domain.alerts.model import Severity
from domain.alerts.normalise import NormalSignal, normalise
from domain.alerts.signal import Signal
from domain.ids import new_id
from domain.integrations.model import Integration, IntegrationSource
from domain.rules.applying import apply_rules
from domain.rules.model import AlertRule, Effects
from domain.rules.rule_set import NO_RULES, RuleSet
from domain.rules.stored import StoredSignal
from domain.rules.trial import Trial
from persistence.conditions import CONDITIONS
from persistence.ingest_rows import signal_body

ALERTS = 4_000
RULES = 300
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
INTEGRATION = Integration(
    id=UUID("01890000-0000-7000-8000-000000000001"), name="p", source=IntegrationSource.PROMETHEUS, created_at=NOW
)
# Each with the number of the rule in it, so that no two are the same.
KINDS: dict[str, Callable[[int], str]] = {
    "a service": lambda n: f'alert.service == "service-{n}" && alert.severity >= HIGH',
    "two labels": lambda n: f'alert.labels.instance == "host-{n}" && alert.labels.env == "prod"',
    "a part of the title": lambda n: f'alert.title.contains("host-{n}7 ") && alert.severity >= MEDIUM',
    "a regular expression": lambda n: f'alert.title.matches("^Disk.*service-{n}$")',
    "either of two": lambda n: f'alert.labels.alertname == "Never{n}" || alert.source.startsWith("none-{n}")',
    "three things, one telling": lambda n: (
        f'alert.severity == CRITICAL && alert.labels.env == "prod" && alert.labels.zone == "eu-{n}"'
    ),
}


def alerts() -> list[NormalSignal]:
    """Alerts of 200 services and 1,000 hosts, with eight labels each."""
    chance = random.Random(1)
    made = []
    for number in range(ALERTS):
        service, host = f"service-{chance.randrange(200)}", f"host-{number % 1_000}"
        labels = {
            "alertname": chance.choice(["Latency", "Disk", "CPU"]),
            "env": chance.choice(["prod", "dev", "stage"]),
            "instance": host,
            "job": service,
            "region": "eu",
            "pod": f"pod-{number}",
            "zone": "a",
            "unit": "b",
        }
        signal = Signal(
            title=f"High latency on {host} of {service}",
            source=host,
            dedup_key=f"am:1:{number:016x}",
            dedup_recipe="fingerprint of the labels",
            severity_text=chance.choice(["critical", "warning", "info"]),
            description="x" * 120,
            service_name=service,
            labels=labels,
            metadata={"generatorURL": "http://prometheus/graph", "value": number},
        )
        made.append(normalise(signal, INTEGRATION, NOW))
    return made


def rule(number: int, condition: str, effects: Effects | None = None) -> AlertRule:
    """One that sets a severity, where nothing else is said."""
    return AlertRule(
        id=new_id(),
        name=f"rule {number}",
        condition=condition,
        position=number,
        created_at=NOW,
        updated_at=NOW,
        effects=effects or Effects(severity=Severity.HIGH),
    )


def mixed(count: int = RULES) -> list[AlertRule]:
    """Rules of each kind in turn."""
    kinds = list(KINDS.values())
    return [rule(number, kinds[number % len(kinds)](number)) for number in range(count)]


def microseconds(work: Callable[[], object], times: int) -> float:
    """The least of three runs, an alert."""
    spent = []
    for _ in range(3):
        started = time.process_time()
        work()
        spent.append(time.process_time() - started)
    return min(spent) / times * 1e6


def _arriving(signals: Sequence[NormalSignal], rules: RuleSet) -> float:
    return microseconds(lambda: [apply_rules(one, INTEGRATION.id, rules) for one in signals], len(signals))


def _tried(bodies: Sequence[str], draft: AlertRule, today: Sequence[AlertRule]) -> tuple[float, int]:
    trial = Trial(draft, today, engine=CONDITIONS)
    started = time.process_time()
    for body in bodies:
        stored = StoredSignal(
            orjson.loads(body), received_at=NOW, integration_id=INTEGRATION.id, alert_id=None, team_id=None
        )
        trial.take(stored)
    return (time.process_time() - started) / len(bodies) * 1e6, trial.report(is_whole=True).matched


def main() -> None:
    """Print a line a kind of rule, then a line a draft."""
    signals = alerts()
    print("an arriving alert, µs:")
    print(f"  {_arriving(signals, NO_RULES):6.2f}  without rules")
    print(
        f"  {_arriving(signals, RuleSet(version=1, rules=mixed(), engine=CONDITIONS)):6.2f}  {RULES} rules of each kind"
    )
    for name, kind in KINDS.items():
        every = RuleSet(version=1, rules=[rule(n, kind(n)) for n in range(RULES)], engine=CONDITIONS)
        print(f"  {_arriving(signals, every):6.2f}  {RULES} rules about {name}")
    for name, condition in (("holds for each", "true"), ("the engine must be asked", "alert.metadata.value < 0")):
        one = RuleSet(version=1, rules=[rule(0, condition)], engine=CONDITIONS)
        print(f"  {_arriving(signals, one):6.2f}  one rule that {name}")
    bodies = [orjson.dumps(signal_body(one)).decode() for one in signals]
    print(f"a stored signal, µs, with {RULES} rules of today:")
    for condition in ('alert.service == "service-7"', 'alert.labels.env == "dev"', "alert.occurrences > 2"):
        cost, matched = _tried(bodies, rule(RULES, condition, Effects(suppress="quiet")), mixed())
        print(f"  {cost:6.2f}  {condition} (holds for {matched} of {len(bodies)})")


if __name__ == "__main__":
    main()
