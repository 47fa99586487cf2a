"""What does a field ask of its caller? A least role, and the scope a key needs; more where a field is delicate."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from domain.access.scopes import Scope
from domain.identity.model import Role, Viewer


class Access(StrEnum):
    """The least a caller needs. ANYONE includes a caller who is not signed in."""

    ANYONE = "anyone"
    VIEWER = "viewer"
    OPERATOR = "operator"
    MANAGER = "manager"
    ADMIN = "admin"

    def allows(self, role: Role | None) -> bool:
        """Whether a caller with this role (None: nobody is signed in) may pass."""
        if self is Access.ANYONE:
            return True
        return role is not None and role.includes(Role(self.value))


@dataclass(frozen=True, slots=True)
class Need:
    """All that a field asks of its caller.

    `scope` is what a key must have; without one no key may, only somebody who is signed in. With `in_team` a role
    within any of the caller's teams lets them in as well, and the use case looks which team it is about
    (domain/identity/team_roles.py). `personal` marks what tells of a person, or differs between two viewers with the
    same rights: it is never made once for several. `credential` marks what takes a guess at a secret: an operation may
    hold one such field, or thirty aliases would be thirty guesses in one request.
    """

    access: Access
    scope: Scope | None = None
    in_team: bool = False
    personal: bool = False
    credential: bool = False

    def refusal(self, viewer: Viewer, name: str) -> str | None:
        """Why the viewer may not; None when nothing is in the way."""
        if self.access is Access.ANYONE:
            return None
        if not viewer.may_use(self.scope):
            if self.scope is None:
                return f"{name} is for people who are signed in: no API key may use it"
            return f"{name} needs an API key with the scope {self.scope.name}"
        if self.access.allows(viewer.role):
            return None
        if self.in_team and any(self.access.allows(role) for _, role in viewer.team_roles):
            return None
        where = ", everywhere or in the team" if self.in_team else " or higher"
        return f"{name} needs the role {self.access.value}{where}; yours is {viewer.role.value}"


# A line of a table: an Access alone says that no key may.
Line = Access | Need


def need_of(line: Line) -> Need:
    """What the line asks."""
    return line if isinstance(line, Need) else Need(line)


def table(lines: Mapping[str, Line]) -> Mapping[str, Need]:
    """The table with every line written out."""
    return {name: need_of(line) for name, line in lines.items()}
