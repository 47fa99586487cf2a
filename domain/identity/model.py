"""Who uses Tocsin? People with a role, their teams, their sessions, and the viewer a request is answered for."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.alerts.visibility import EVERYTHING, Sight

MAX_EMAIL = 254
MAX_PERSON_NAME = 100
MAX_TEAM_NAME = 100


class Role(StrEnum):
    """What a person may do, from most to least: each role may do all that the ones after it may."""

    ADMIN = "admin"
    MANAGER = "manager"
    OPERATOR = "operator"
    VIEWER = "viewer"

    def includes(self, minimum: "Role") -> bool:
        """Whether this role may do what `minimum` may."""
        return _RANK[self] >= _RANK[minimum]


_RANK = {Role.ADMIN: 4, Role.MANAGER: 3, Role.OPERATOR: 2, Role.VIEWER: 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person. `password_hash` is None for one who cannot sign in with a password; `team_id` is the primary team."""

    id: UUID
    email: str
    role: Role
    created_at: datetime
    password_hash: str | None = None
    first_name: str = ""
    last_name: str = ""
    team_id: UUID | None = None
    last_login: datetime | None = None
    is_active: bool = True
    version: int = 1

    @property
    def name(self) -> str:
        """What people are shown: the full name, or the address where none is known."""
        return " ".join(part for part in (self.first_name, self.last_name) if part) or self.email


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """People who share responsibility for alerts. Only its members and administrators see a private team's."""

    id: UUID
    name: str
    slug: str
    created_at: datetime
    is_private: bool = False
    archived_at: datetime | None = None
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """A person's place in a team. `role` is the role within the team."""

    team_id: UUID
    user_id: UUID
    role: Role
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """For whom a request is answered: read anew for each operation, so a change of role or team counts at once."""

    user_id: UUID
    role: Role
    session_id: UUID
    team_ids: frozenset[UUID] = frozenset()

    @property
    def sight(self) -> Sight:
        """How far the viewer sees; administrators see everything."""
        return EVERYTHING if self.role is Role.ADMIN else Sight(team_ids=self.team_ids)
