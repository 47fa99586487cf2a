"""Which alerts may a viewer see? Those of no team and of public teams; a private team's only its members and admins.

The one rule, said here for memory and in persistence/reads/visibility.py for SQL. Invisible and absent look the same.
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
        """Whether an alert of this team is visible, given which teams are private."""
        if self.everything or team_id is None:
            return True
        return team_id not in private_team_ids or team_id in self.team_ids


EVERYTHING = Sight(everything=True)
