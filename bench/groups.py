"""How well, and at what cost, does a storm become groups? 100,000 alerts over 50 known causes, in one pass.

python -m bench.groups [alerts]

Placed by the very code of the ingest path, over a store that is a dict. Beside it what Alertmanager's `group_by` alone
makes of the same alerts, by the same code: one rule of equal labels, as its documentation writes it.
"""

import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from bench.groups_storm import CAUSES, INTEGRATION, NEEDS, NOISE, START, STORM, Said, storm
from bench.machine import resident_bytes
from domain.alerts.problem import AlertState, Problem
from domain.correlation.model import GroupRule, GroupStrategy, Part
from domain.correlation.placing import KnownGroup, Placing, Sighting
from domain.correlation.topology import topology_of
from domain.correlation.trial import opened
from domain.correlation.ways import Correlation, RuleInForce
from domain.ids import new_id
from domain.silences.matcher_syntax import parse_matchers

ALERTS = 100_000
BATCH = 100


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


def run(correlation: Correlation, said: Iterable[Said]) -> Outcome:
    """Place the storm batch by batch; an alert of no group is a group of its own."""
    book, seen, spent = Book(), Counter[tuple[int, UUID]](), 0.0
    ungrouped, batch, count = 0, [], 0
    for one in [*said, None]:
        if one is not None:
            batch.append(one)
            if len(batch) < BATCH:
                continue
        states = [opened(each.signal, INTEGRATION.id) for each in batch]
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
