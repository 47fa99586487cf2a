"""Is there room for one more of what is everybody's or a team's? Bounded for all, and so that nobody shuts others out.

With one bound of all, a few teams, or a single one, could use it up. So a team has a bound of its own, and some places
that are its own: they are there however many others have. What is no team's has half of all places for its own.
"""

from dataclasses import dataclass
from uuid import UUID

from domain.errors import InvalidInput

# So many a team may have, also when all places are taken.
OWN = 10


@dataclass(frozen=True, slots=True)
class Numbers:
    """How many there are by now: of all, and of the team, or of no team, that wants one more."""

    of_all: int
    theirs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How many of them there may be: `what` they are, and `how` room is made."""

    what: str
    how: str
    of_all: int
    of_team: int

    def check(self, numbers: Numbers, *, team_id: UUID | None) -> None:
        """InvalidInput where no more can be kept."""
        if team_id is not None and numbers.theirs >= self.of_team:
            message = f"the team has {self.of_team} {self.what}, and no more can be kept: {self.how}"
            raise InvalidInput(message, ("teamId",))
        own = self.of_all // 2 if team_id is None else OWN
        if numbers.of_all >= self.of_all and numbers.theirs >= own:
            raise InvalidInput(
                f"there are {self.of_all} {self.what}, and no more can be kept: {self.how}; beyond that each team may "
                f"have {OWN}, and {self.of_all // 2} may be no team's"
            )
