"""What may a person do to a team, and to what is the team's? As much as the higher of two roles allows.

A person has one role everywhere and one in each of their teams. Within a team the higher of the two counts: a viewer
who is a manager of the team manages it, and a manager who is an operator there still does. Outside the team the role in
it gives nothing. Whether a team is seen at all is another matter, and comes first (domain/alerts/visibility.py): only
who sees a team is refused with a reason.
"""

from domain.errors import Forbidden
from domain.identity.model import Role

# Members, roles, ownership, name, privacy, archive and hand-over of a team.
TO_MANAGE = Role.MANAGER


def role_within(role: Role, team_role: Role | None) -> Role:
    """What a person counts as within a team. `team_role` is None for one who is not a member."""
    return team_role if team_role is not None and team_role.includes(role) else role


def may_manage(role: Role, team_role: Role | None) -> bool:
    """Whether a person may change the team itself."""
    return role_within(role, team_role).includes(TO_MANAGE)


def require_manager(role: Role, team_role: Role | None) -> None:
    """Forbidden unless the person may change the team."""
    if not may_manage(role, team_role):
        raise Forbidden("this needs the role manager, everywhere or in this team")


def require_grant(role: Role, team_role: Role | None, *, given: Role, taken: Role | None = None) -> None:
    """Forbidden unless the person may give somebody the role `given` in a team, in place of `taken`.

    Nobody gives what they do not have there, and nobody takes a higher role than their own from another.
    """
    require_manager(role, team_role)
    mine = role_within(role, team_role)
    highest = given if taken is None or given.includes(taken) else taken
    if not mine.includes(highest):
        raise Forbidden(f"a role above your own in this team ({mine.value}) is not yours to give or take")
