"""Does a change leave alerts to nobody? When those of each team and severity reach a person, before and after.

Alerts of one team and severity go to every policy that takes them: they reach nobody while none of these does. What
nobody took before is no new gap. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from domain.alerts.model import Severity
from domain.escalations.coverage import Staff, both, coverage, outside
from domain.escalations.model import Policy
from domain.schedules.model import Span

# By team and severity, in order of time. What no policy takes is not in it. A policy by rule takes no alert by itself,
# so it fills nobody else's hole: it has its own, by its id.
Holes: TypeAlias = Mapping[tuple[UUID | None, Severity, UUID | None], Sequence[Span]]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedGap:
    """A time in which alerts of a team reach nobody any more."""

    team_id: UUID | None
    severities: tuple[Severity, ...]
    span: Span


def holes_of(policies: Sequence[Policy], *, staff: Staff, span: Span) -> Holes:
    """When alerts that some policy takes would reach nobody."""
    found: dict[tuple[UUID | None, Severity, UUID | None], Sequence[Span]] = {}
    # Those by rule at last: what a rule holds for, the others take as well.
    for policy in sorted(policies, key=lambda one: one.is_by_rule):
        if policy.archived_at is not None or not policy.steps:
            continue
        holes = coverage(policy, staff=staff, span=span).holes
        for severity in policy.severities:
            others = policy.team_id, severity, None
            key = policy.team_id, severity, policy.id if policy.is_by_rule else None
            found[key] = both(found[others], holes) if others in found else holes
    return found


def opened(before: Holes, after: Holes, span: Span) -> list[OpenedGap]:
    """What is a hole after and was none before; severities that share one are told together."""
    found: dict[tuple[UUID | None, Span], set[Severity]] = {}
    for (team_id, severity, by_rule), were in before.items():
        covered = outside(were, span)
        by_others = after.get((team_id, severity, None), [span])
        for gap in both(after.get((team_id, severity, by_rule), by_others), covered):
            found.setdefault((team_id, gap), set()).add(severity)
    gaps = [
        OpenedGap(team_id=team_id, severities=tuple(sorted(severities, key=_RANK.__getitem__)), span=gap)
        for (team_id, gap), severities in found.items()
    ]
    return sorted(gaps, key=lambda gap: (gap.span.starts_at, str(gap.team_id)))


_RANK = {severity: rank for rank, severity in enumerate(Severity)}
