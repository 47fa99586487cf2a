"""How does a person join a team, get another role there, and leave it? By who may give that role; leaving is free."""

from uuid import UUID

from domain.errors import InvalidInput, NotFound
from domain.identity.model import Membership, Role, Team
from domain.identity.team_roles import require_grant
from domain.teams.events import TeamEventKind
from domain.teams.life import TeamActing, seen_team


async def add_member(acting: TeamActing, *, team_id: UUID, user_id: UUID, role: Role) -> Team:
    """Make a person a member, or change the role of one who is."""
    team = await seen_team(acting, team_id, "teamId")
    before = await acting.unit.teams.membership(team_id, user_id)
    mine = await acting.team_role(team_id)
    require_grant(acting.viewer.role, mine, given=role, taken=None if before is None else before.role)
    person = await acting.unit.users.by_id(user_id)
    if person is None or not person.is_active:
        raise NotFound("no such person", ("userId",))
    await _put(acting, team, before, user_id=user_id, role=role)
    return team


async def change_role(acting: TeamActing, *, team_id: UUID, user_id: UUID, role: Role) -> Team:
    """Change the role of a member."""
    team = await seen_team(acting, team_id, "teamId")
    before = await acting.unit.teams.membership(team_id, user_id)
    taken = None if before is None else before.role
    require_grant(acting.viewer.role, await acting.team_role(team_id), given=role, taken=taken)
    if before is None:
        raise NotFound("no such member", ("userId",))
    await _put(acting, team, before, user_id=user_id, role=role)
    return team


async def remove_member(acting: TeamActing, *, team_id: UUID, user_id: UUID) -> Team:
    """Take a person out of a team. Everybody may leave by themselves."""
    team = await seen_team(acting, team_id, "teamId")
    before = await acting.unit.teams.membership(team_id, user_id)
    if user_id != acting.viewer.person_id:
        taken = Role.VIEWER if before is None else before.role
        require_grant(acting.viewer.role, await acting.team_role(team_id), given=Role.VIEWER, taken=taken)
    if before is None:
        raise NotFound("no such member", ("userId",))
    had_manager = await acting.unit.teams.has_manager(team_id)
    await acting.unit.teams.remove_member(team_id, user_id)
    if had_manager:
        await _keep_a_manager(acting, team)
    told = {"userId": str(user_id), "role": before.role.value}
    await acting.audit(target_id=team_id, before=told)
    await acting.tell(team_id, TeamEventKind.MEMBER_REMOVED, user_id=str(user_id), role=before.role.value)
    return team


async def _put(acting: TeamActing, team: Team, before: Membership | None, *, user_id: UUID, role: Role) -> None:
    if before is not None and before.role is role:
        return
    joined = acting.now if before is None else before.created_at
    had_manager = await acting.unit.teams.has_manager(team.id)
    member = Membership(team_id=team.id, user_id=user_id, role=role, created_at=joined)
    await acting.unit.users.put_member(member, by=acting.actor, at=acting.now)
    if had_manager:
        await _keep_a_manager(acting, team)
    told = {"userId": str(user_id), "role": role.value}
    was = None if before is None else {"userId": str(user_id), "role": before.role.value}
    await acting.audit(target_id=team.id, before=was, after=told)


async def _keep_a_manager(acting: TeamActing, team: Team) -> None:
    """A private team's door opens from the inside: somebody in there must be able to."""
    if team.is_private and not await acting.unit.teams.has_manager(team.id):
        message = "this is the last member who may manage this private team: name another one first"
        raise InvalidInput(message, ("userId",))
