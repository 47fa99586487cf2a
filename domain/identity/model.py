"""Who uses Tocsin? People with a role, their teams, their sessions, and the viewer a request is answered for."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.access.grant import Grant
from domain.access.scopes import Scope
from domain.alerts.events import Actor, ActorKind
from domain.alerts.visibility import EVERYTHING, Sight

MAX_EMAIL = 254
MAX_PERSON_NAME = 100
MAX_TEAM_NAME = 100
ERASED_PERSON = "Erased person"
UNNAMED_PERSON = "Unnamed person"


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
    """A person. `password_hash` is None for one who cannot sign in with a password; `team_id` is the primary team.

    Of an erased one the id is left, for what they did: no address, no names.
    """

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
    erased_at: datetime | None = None
    version: int = 1
    email_verified_at: datetime | None = None

    @property
    def email_verified(self) -> bool:
        """Whether the person proved to read mail at the address. An administrator's word for it is no proof."""
        return self.email_verified_at is not None

    def edited(self, **changes: object) -> "User":
        """The next version, with the changes."""
        return replace(self, version=self.version + 1, **changes)  # type: ignore[arg-type] # names of fields

    @property
    def is_erased(self) -> bool:
        """Whether what was known of the person was erased."""
        return self.erased_at is not None

    @property
    def name(self) -> str:
        """What people are shown. Never the address: a name goes with whatever a person did, to keys of every scope."""
        if self.is_erased:
            return ERASED_PERSON
        known = " ".join(part for part in (self.first_name, self.last_name) if part)
        # The end of the id tells two of them apart.
        return known or f"{UNNAMED_PERSON} {self.id.hex[-4:]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """People who share responsibility for alerts. Only its members and administrators see a private team's.

    `handed_over_to` is the team that took over from it last; an archived team's alerts go there. `pause_seconds` is how
    long its alerts are held that mostly end by themselves: None as everybody's, 0 never.
    """

    id: UUID
    name: str
    slug: str
    created_at: datetime
    description: str = ""
    is_private: bool = False
    archived_at: datetime | None = None
    handed_over_to: UUID | None = None
    version: int = 1
    pause_seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """A person's place in a team. `role` is the role within the team."""

    team_id: UUID
    user_id: UUID
    role: Role
    created_at: datetime


class ViewerKind(StrEnum):
    """Who a request is answered for."""

    PERSON = "person"
    SERVICE_ACCOUNT = "service_account"


# Nobody in particular: the viewer of what is made once for all who may see the same (graphql_api/live/groups.py).
NOBODY = UUID(int=0)
_ACTOR_KINDS = {ViewerKind.PERSON: ActorKind.USER, ViewerKind.SERVICE_ACCOUNT: ActorKind.SERVICE_ACCOUNT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """For whom a request is answered: read anew for each operation, so a change of role or team counts at once.

    `user_id` is the person's id, or the service account's. `session_id` is what the request came with: the session, or
    the API key, and then `grant` says what the key allows. `team_roles` are the roles within the teams.
    """

    user_id: UUID
    role: Role
    session_id: UUID
    team_ids: frozenset[UUID] = frozenset()
    team_roles: frozenset[tuple[UUID, Role]] = frozenset()
    kind: ViewerKind = ViewerKind.PERSON
    grant: Grant | None = None
    # When and how the session's person proved who they are, and whether they have a second factor today.
    proved_at: datetime | None = None
    proved_by: frozenset[str] = frozenset()
    has_factor: bool = False

    @property
    def sight(self) -> Sight:
        """How far the viewer sees; administrators see everything."""
        return EVERYTHING if self.role is Role.ADMIN else Sight(team_ids=self.team_ids)

    @property
    def person_id(self) -> UUID | None:
        """The person's id, for rows that name a person; None for a service account."""
        return self.user_id if self.kind is ViewerKind.PERSON else None

    @property
    def actor(self) -> Actor:
        """Who acts, as events and the audit log name it. A person's own key acts as the person."""
        return Actor(_ACTOR_KINDS[self.kind], self.user_id)

    @property
    def is_anybody(self) -> bool:
        """Whether this stands for all who may see the same: what depends on who asks has no answer then."""
        return self.user_id == NOBODY

    def role_in(self, team_id: UUID) -> Role | None:
        """The role within a team; None for one that is not the viewer's."""
        return next((role for one, role in self.team_roles if one == team_id), None)

    def may_use(self, scope: Scope | None) -> bool:
        """Whether what the request came with allows this purpose: a session all, a key what it was made for."""
        return self.grant is None or (scope is not None and scope in self.grant.scopes)
