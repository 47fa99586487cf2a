"""Does the higher of two roles count within a team, and only there, and does nobody give what they do not have?"""

import pytest

from domain.errors import Forbidden
from domain.identity.model import Role
from domain.identity.team_roles import may_manage, require_grant, role_within

ADMIN, MANAGER, OPERATOR, VIEWER = Role.ADMIN, Role.MANAGER, Role.OPERATOR, Role.VIEWER


@pytest.mark.parametrize(
    ("role", "team_role", "within"),
    [
        (VIEWER, None, VIEWER),
        (VIEWER, MANAGER, MANAGER),
        (MANAGER, VIEWER, MANAGER),
        (OPERATOR, OPERATOR, OPERATOR),
        (ADMIN, VIEWER, ADMIN),
        (VIEWER, ADMIN, ADMIN),
    ],
)
def test_the_higher_role_counts(role: Role, team_role: Role | None, within: Role) -> None:
    assert role_within(role, team_role) is within
    assert may_manage(role, team_role) is (within in {MANAGER, ADMIN})


@pytest.mark.parametrize(
    ("role", "team_role", "given", "taken", "allowed"),
    [
        (VIEWER, MANAGER, MANAGER, None, True),
        (VIEWER, MANAGER, ADMIN, None, False),
        (VIEWER, MANAGER, VIEWER, ADMIN, False),
        (VIEWER, MANAGER, VIEWER, MANAGER, True),
        (VIEWER, OPERATOR, VIEWER, None, False),
        (MANAGER, None, MANAGER, None, True),
        (MANAGER, None, ADMIN, None, False),
        (MANAGER, ADMIN, ADMIN, ADMIN, True),
        (ADMIN, None, ADMIN, ADMIN, True),
        (OPERATOR, None, VIEWER, None, False),
    ],
)
def test_nobody_gives_or_takes_more_than_they_have(
    role: Role, team_role: Role | None, given: Role, taken: Role | None, allowed: bool
) -> None:
    if allowed:
        require_grant(role, team_role, given=given, taken=taken)
    else:
        with pytest.raises(Forbidden):
            require_grant(role, team_role, given=given, taken=taken)
