"""How does a team say when its alerts can wait? Its managers do; people's own quiet hours count beside them.

What is held is what tells people of the team's alerts, whoever they are. A channel is no person: nothing there is held.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol, TypeAlias
from uuid import UUID

from domain.alerts.visibility import Sight
from domain.contacts.planning import QuietHours, Rest
from domain.contacts.wishing import checked_quiet_hours
from domain.desk import Desk
from domain.versions import require_version


@dataclass(frozen=True, slots=True)
class TeamRest:
    """The quiet hours of a team; None for none."""

    team_id: UUID
    quiet_hours: QuietHours | None = None
    version: int = 0

    @property
    def as_rest(self) -> Rest | None:
        """As they count for a message."""
        return None if self.quiet_hours is None else Rest(self.quiet_hours, is_of_team=True)


class TeamRests(Protocol):
    """Where they are kept, within one transaction."""

    async def team_in_sight(self, team_id: UUID, *, sight: Sight) -> bool:
        """Whether there is such a team, not archived and within sight."""
        ...

    async def locked(self, team_id: UUID) -> TeamRest:
        """As they are; whoever changes them waits until the transaction ends."""
        ...

    async def save(self, rest: TeamRest, *, now: datetime) -> None:
        """Write them."""
        ...


RestDesk: TypeAlias = Desk[TeamRests]


async def set_team_quiet_hours(
    team_id: UUID, quiet: QuietHours | None, *, expected_version: int | None, desk: RestDesk
) -> TeamRest:
    """The team's quiet hours; None for none. What is held already stays held until the time it was told."""
    await desk.require_team(team_id)
    checked_quiet_hours(quiet)
    before = await desk.stores.locked(team_id)
    require_version("quiet hours", actual=before.version, expected=expected_version)
    edited = replace(before, quiet_hours=quiet)
    if edited == before:
        return before
    after = replace(edited, version=before.version + 1)
    await desk.stores.save(after, now=desk.now)
    await desk.audit(target_id=team_id, before=shown(before), after=shown(after))
    return after


def shown(rest: TeamRest) -> dict[str, Any]:
    """What the audit log keeps."""
    quiet = rest.quiet_hours
    return {
        "quietHours": quiet
        and {
            "starts": f"{quiet.starts:%H:%M}",
            "ends": f"{quiet.ends:%H:%M}",
            "zone": quiet.zone,
            "floor": quiet.floor.value,
        },
        "version": rest.version,
    }
