"""Who asks for a change of something that may be a team's, when, and through which store? What such nouns share."""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from domain.alerts.visibility import Sight
from domain.audit.writing import WriteAudit
from domain.errors import NotFound
from domain.identity.model import Viewer
from domain.identity.team_roles import require_manager


class OfTeams(Protocol):
    """A store of what may be a team's."""

    async def team_in_sight(self, team_id: UUID, *, sight: Sight) -> bool:
        """Whether there is such a team, not archived and within sight."""
        ...


Stores = TypeVar("Stores", bound=OfTeams)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk(Generic[Stores]):
    """One request to change such a thing."""

    stores: Stores
    viewer: Viewer
    now: datetime
    audit: WriteAudit

    async def require_team(self, team_id: UUID | None) -> None:
        """NotFound unless it is for no team, or for one that is there and seen; then Forbidden unless it is managed."""
        if team_id is not None and not await self.stores.team_in_sight(team_id, sight=self.viewer.sight):
            message = "no such team"
            raise NotFound(message, ("teamId",))
        self.require_manager(team_id)

    def require_manager(self, team_id: UUID | None) -> None:
        """Forbidden unless the viewer manages: everywhere, or in this team."""
        require_manager(self.viewer.role, None if team_id is None else self.viewer.role_in(team_id))
