"""Which escalation policies would take an alert of the past, if it opened today? For a trial of a rule.

By the policies as they are now. What groups, silences, pauses and routing rules would have made of it is not asked: a
trial tells what changes, and these stay as they are.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from uuid import UUID

from domain.alerts.model import Severity
from domain.escalations.model import Policy


@dataclass(slots=True, kw_only=True)
class Paging:
    """The policies at work, as far as whoever asks may see them: of another nothing is told, not that it is there."""

    policies: tuple[Policy, ...] = ()
    _takers: dict[tuple[UUID | None, Severity], frozenset[UUID]] = field(default_factory=dict)

    def takers(self, team_id: UUID | None, severity: Severity) -> frozenset[UUID]:
        """The policies that take an alert of this team and severity."""
        key = team_id, severity
        found = self._takers.get(key)
        if found is None:
            found = self._takers[key] = frozenset(
                one.id
                for one in self.policies
                if one.team_id == team_id and severity in one.severities and one.steps and not one.is_by_rule
            )
        return found

    def names(self, ids: AbstractSet[UUID]) -> str | None:
        """The policies as people read them; None for none."""
        shown = {one.name for one in self.policies if one.id in ids}
        return ", ".join(sorted(shown)) or None
