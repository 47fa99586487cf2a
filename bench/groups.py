"""How well, and at what cost, does a storm become groups? 100,000 alerts over 50 known causes, in one pass.

python -m bench.groups [alerts]

Placed by the very code of the ingest path, over a store that is a dict. Beside it what Alertmanager's `group_by` alone
makes of the same alerts, by the same code: one rule of equal labels, as its documentation writes it.
"""

import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from bench.machine import resident_bytes
from domain.alerts.model import AlertStatus, Severity
from domain.alerts.normalise import NormalSignal, normalise
from domain.alerts.problem import AlertState, Problem
from domain.alerts.signal import Signal
from domain.correlation.model import GroupRule, GroupStrategy, Part
from domain.correlation.placing import KnownGroup, Placing, Sighting
from domain.correlation.topology import topology_of
from domain.correlation.ways import Correlation, RuleInForce
from domain.ids import new_id
from domain.integrations.model import Integration, IntegrationSource
from domain.silences.matcher_syntax import parse_matchers

ALERTS = 100_000
CAUSES = 50
NOISE = 0.02
BATCH = 100
START = datetime(2026, 3, 4, 12, tzinfo=UTC)
STORM = timedelta(minutes=20)
INTEGRATION = Integration(id=new_id(), name="bench", source=IntegrationSource.PROMETHEUS, created_at=START)
NAMES = ("HighLatency", "ErrorRate", "Saturation", "PodCrashLooping", "QueueGrowing", "ProbeFailed")
# Which service needs which.
NEEDS = [(f"app-{db}-{app}", f"db-{db}") for db in range(10) for app in range(12)]
WORDS = (
    "connection pool of {} exhausted by batch job after {} seconds",
    "certificate of {} cannot be renewed, {} days left",
    "replication of volume {} lags by {} segments",
    "license server refused host {} for the {} time",
    "dns resolution of {} failed {} times in a row",
    "clock of {} drifted by {} milliseconds",
    "kernel on {} reported {} uncorrectable memory errors",
    "backup of {} skipped {} tables",
    "message broker {} dropped {} consumers",
    "firmware of switch {} rebooted port {}",
)


@dataclass(frozen=True, slots=True)
class Said:
    """One alert of the storm, and the cause that a person would name."""

    signal: NormalSignal
    cause: int


def _signal(number: int, at: datetime, *, title: str, labels: dict[str, str], service: str | None) -> NormalSignal:
    said = Signal(
        title=title,
        source="prometheus",
        dedup_key=f"bench:1:{number}",
        dedup_recipe="numbered",
        severity=Severity.HIGH,
        service_name=service,
        labels=labels,
    )
    return normalise(said, INTEGRATION, at)


def storm(alerts: int, *, noise: float = 0.0, seed: int = 1) -> Iterator[Said]:
    """The alerts in order of their time. Ten causes each: a cluster, a service others need, a change, a text, a pair.

    Of `noise` of them the label that tells the cause is lost, or the message is worded otherwise, as in any house.
    """
    chance = random.Random(seed)
    begins = {cause: chance.uniform(0, STORM.total_seconds() / 2) for cause in range(CAUSES)}
    moments = []
    for number in range(alerts):
        cause = number % CAUSES
        # The first of a cause is the cause itself; the rest follow within the storm.
        late = 0.0 if number < CAUSES else chance.expovariate(1 / 200)
        moments.append((begins[cause] + min(late, STORM.total_seconds() / 2), number, cause))
    for seconds, number, cause in sorted(moments):
        yield Said(_of_cause(cause, number, START + timedelta(seconds=seconds), noise=noise, chance=chance), cause)


def _of_cause(cause: int, number: int, at: datetime, *, noise: float, chance: random.Random) -> NormalSignal:
    kind, which = divmod(cause, 10)
    is_plain = number < CAUSES or chance.random() >= noise
    name = chance.choice(NAMES)
    labels = {"alertname": name, "instance": f"10.0.{number % 250}.{number % 199}:9100", "severity": "high"}
    if kind == 0:  # a cluster loses its power: every alertname, every service
        service = f"svc-{chance.randrange(40)}"
        labels |= {"service": service, **({"cluster": f"cluster-{which}"} if is_plain else {})}
        return _signal(number, at, title=f"{name} on {labels['instance']}", labels=labels, service=service)
    if kind == 1:  # a database that twelve services need
        service = f"db-{which}" if number < CAUSES else f"app-{which}-{chance.randrange(12)}"
        labels |= {"cluster": f"shared-{chance.randrange(5)}", "service": service}
        return _signal(number, at, title=f"{name} of {service}", labels=labels, service=service)
    if kind == 2:  # a change that breaks several services, named by its number
        service = f"web-{chance.randrange(30)}"
        labels |= {"service": service, **({"change": f"CHG-{which}"} if is_plain else {})}
        return _signal(number, at, title=f"{name} after deploy", labels=labels, service=service)
    if kind == 3:  # one message from everywhere, with nothing in its labels to tell
        host = f"host-{chance.randrange(5000)}"
        labels |= {"service": f"misc-{chance.randrange(50)}", "alertname": "LogMatch"}
        return _signal(
            number,
            at,
            title=WORDS[which].format(host, chance.randrange(1000)) + ("" if is_plain else ", operator informed"),
            labels=labels,
            service=None,
        )
    # Payments and their gateway of one region, each with its own names.
    side = "gateway" if number // CAUSES % 2 else "payments"
    labels |= {"service": side, "alertname": f"{side}-{name}", **({"region": f"region-{which}"} if is_plain else {})}
    return _signal(number, at, title=f"{side} {name} in region-{which}", labels=labels, service=side)


def _rule(rank: int, name: str, strategy: GroupStrategy, matchers: str = "", **values: object) -> RuleInForce:
    made = GroupRule(
        id=new_id(),
        name=name,
        strategy=strategy,
        rank=rank,
        created_at=START,
        updated_at=START,
        matchers=parse_matchers(matchers) if matchers else (),
        window=timedelta(minutes=30),
        **values,  # type: ignore[arg-type] # the rule's fields
    )
    return RuleInForce(made)


def house_rules(idle: int = 0) -> Correlation:
    """The rules of a house that thought about it; with `idle` more that are for other alerts."""
    scoped = [
        _rule(1_000 + n, f"idle {n}", GroupStrategy.LABELS, f'tenant="t-{n}",env=~"prod|stage"', labels=("host",))
        for n in range(idle)
    ]
    parts = tuple(Part(name=side, matchers=parse_matchers(f'service="{side}"')) for side in ("payments", "gateway"))
    rules = [
        _rule(1, "payments and their gateway", GroupStrategy.TOGETHER, parts=parts, labels=("region",)),
        _rule(2, "what depends on what", GroupStrategy.TOPOLOGY),
        _rule(3, "one change", GroupStrategy.LABELS, 'change=~".+"', labels=("change",)),
        _rule(4, "one region", GroupStrategy.LABELS, 'region=~".+"', labels=("region",)),
        _rule(5, "one cluster", GroupStrategy.LABELS, 'cluster=~"cluster-.*"', labels=("cluster",)),
        _rule(6, "the same message", GroupStrategy.SIMILARITY, threshold=88),
        *scoped,
    ]
    return Correlation(version=1, rules=rules, topology=topology_of(NEEDS))


def alertmanager_rules(*names: str) -> Correlation:
    """`group_by` alone."""
    return Correlation(version=1, rules=[_rule(1, "group_by", GroupStrategy.LABELS, labels=names)])


@dataclass(slots=True)
class Book:
    """Groups and keys, as the store keeps them."""

    groups: dict[UUID, KnownGroup] = field(default_factory=dict)
    keyed: dict[str, dict[str, UUID]] = field(default_factory=dict)
    sightings: dict[str, list[Sighting]] = field(default_factory=dict)

    def placing(self, correlation: Correlation, batch: Sequence[Said], states: Sequence[AlertState]) -> Placing:
        """What the store reads for a batch."""
        problems = {
            (state.integration_id, state.dedup_key): Problem(
                integration_id=state.integration_id, dedup_key=state.dedup_key, alert=state
            )
            for state in states
        }
        placing = Placing(correlation=correlation, problems=problems, may_ask=False, known=self.groups)
        placing.sightings = {key: list(seen) for key, seen in self.sightings.items()}
        for said in batch:
            ways = correlation.ways(said.signal, INTEGRATION.id)
            placing.ways.add(said.signal, ways)
            for way in ways:
                if way.key in self.keyed and way.key not in placing.groups:
                    placing.groups[way.key] = {part: self.groups[group] for part, group in self.keyed[way.key].items()}
        return placing

    def keep(self, placing: Placing, states: Sequence[AlertState]) -> None:
        """What the store writes."""
        by_id = {state.id: state for state in states}
        for one in placing.waiting:
            state = by_id[one.alert_id]
            self.sightings.setdefault(one.group_key, []).append(
                Sighting(
                    alert_id=state.id,
                    key=(state.integration_id, state.dedup_key),
                    number=one.number,
                    seen_at=one.seen_at,
                    group=None if state.group_id is None else self.groups[state.group_id],
                )
            )
        for (key, part), group_id in placing.keyed.items():
            self.keyed.setdefault(key, {})[part] = group_id


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a storm became."""

    groups: int
    ungrouped: int
    precision: float
    recall: float
    microseconds: float

    @property
    def f1(self) -> float:
        """The harmonic mean of the two."""
        return 2 * self.precision * self.recall / (self.precision + self.recall)


def _state(signal: NormalSignal) -> AlertState:
    at = signal.received_at
    return AlertState(
        id=new_id(),
        integration_id=INTEGRATION.id,
        dedup_key=signal.signal.dedup_key,
        dedup_recipe=signal.signal.dedup_recipe,
        title=signal.title,
        severity=signal.severity,
        source=signal.source,
        service_name=signal.service_name,
        labels=signal.labels,
        status=AlertStatus.ACTIVE,
        team_id=None,
        occurrences=1,
        episode=1,
        version=1,
        content_hash=signal.content_hash,
        created_at=at,
        updated_at=at,
        started_at=at,
        last_seen_at=at,
        source_time=None,
        is_new=True,
    )


def run(correlation: Correlation, said: Iterable[Said]) -> Outcome:
    """Place the storm batch by batch; an alert of no group is a group of its own."""
    book, seen, spent = Book(), Counter[tuple[int, UUID]](), 0.0
    ungrouped, batch, count = 0, [], 0
    for one in [*said, None]:
        if one is not None:
            batch.append(one)
            if len(batch) < BATCH:
                continue
        states = [_state(each.signal) for each in batch]
        began = time.process_time()
        placing = book.placing(correlation, batch, states)
        for each, state in zip(batch, states, strict=True):
            placing.place(state, each.signal)
        book.keep(placing, states)
        spent += time.process_time() - began
        for each, state in zip(batch, states, strict=True):
            ungrouped += state.group_id is None
            seen[each.cause, state.group_id or new_id()] += 1
        count += len(batch)
        batch = []
    precision, recall = pairwise(seen)
    groups = len({group for _, group in seen}) - ungrouped
    return Outcome(groups, ungrouped, precision, recall, spent / max(1, count) * 1e6)


def pairwise(seen: Counter[tuple[int, UUID]]) -> tuple[float, float]:
    """Of all pairs put together, those of one cause; of all pairs of one cause, those put together."""

    def pairs(counts: Iterable[int]) -> int:
        return sum(count * (count - 1) // 2 for count in counts)

    causes, groups = Counter[int](), Counter[UUID]()
    for (cause, group), count in seen.items():
        causes[cause] += count
        groups[group] += count
    both = pairs(seen.values())
    return both / max(1, pairs(groups.values())), both / max(1, pairs(causes.values()))


def main() -> None:
    """Print a line for each way to group."""
    alerts = int(sys.argv[1]) if len(sys.argv) > 1 else ALERTS
    kinds = {
        "rules of the house": house_rules(),
        "… and 50 more that are for others": house_rules(idle=50),
        "group_by: alertname, cluster, service": alertmanager_rules("alertname", "cluster", "service"),
        "group_by: alertname": alertmanager_rules("alertname"),
        "group_by: service": alertmanager_rules("service"),
    }
    for noise in (0.0, NOISE):
        before = resident_bytes(os.getpid())
        said = list(storm(alerts, noise=noise))
        grown = (resident_bytes(os.getpid()) - before) / 1e6
        print(f"\n{alerts:,} alerts over {CAUSES} causes within {STORM}, {noise:.0%} noise; {grown:.0f} MB of alerts")
        print(f"{'':42}{'groups':>8}{'alone':>8}{'precision':>11}{'recall':>8}{'F1':>8}{'µs':>8}{'MB more':>9}")
        for name, correlation in kinds.items():
            base = resident_bytes(os.getpid())
            found = run(correlation, said)
            more = (resident_bytes(os.getpid()) - base) / 1e6
            print(
                f"{name:42}{found.groups:8,}{found.ungrouped:8,}{found.precision:11.3f}{found.recall:8.3f}"
                f"{found.f1:8.3f}{found.microseconds:8.1f}{more:9.1f}"
            )


if __name__ == "__main__":
    main()
