"""What may a viewer see? What is of no team or of a public one; a private team's only its members and administrators.

One rule for a team itself, for its alerts, and for the integrations whose default team it is, with their receipts and
rejected items. Said here for memory and in persistence/reads/visibility.py for SQL. Invisible and absent look the same.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Sight:
    """How far a viewer sees: everything (administrators, the system), or all but other people's private teams."""

    everything: bool = False
    team_ids: frozenset[UUID] = frozenset()

    def sees(self, team_id: UUID | None, private_team_ids: AbstractSet[UUID]) -> bool:
        """Whether what belongs to this team is visible, given which teams are private."""
        if self.everything or team_id is None:
            return True
        return team_id not in private_team_ids or team_id in self.team_ids


EVERYTHING = Sight(everything=True)
