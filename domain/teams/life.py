"""How does a team come to be, change, and end? By who may manage it; each change with its audit entry and its event.

A team that the viewer does not see is refused as one that is not, before any role is looked at.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from domain.alerts.events import Actor
from domain.errors import AlreadyExists, InvalidInput, NotFound, TeamInUse
from domain.identity.model import MAX_TEAM_NAME, Membership, Role, Team, Viewer
from domain.identity.people import checked_name
from domain.identity.team_roles import require_manager
from domain.ids import new_id
from domain.teams.ending import Ending, end_team
from domain.teams.events import TeamEvent, TeamEventKind
from domain.teams.ports import TeamUnit, WriteAudit
from domain.teams.shown import shown
from domain.text import checked_optional_text
from domain.versions import require_version

MAX_TEAM_DESCRIPTION = 2_000
MAX_PAUSE_SECONDS = 3_600
NO_SUCH = "no such team"
_NOT_SLUG = re.compile(r"[^a-z0-9]+")
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
# The fields whose before and after an event tells.
_TOLD = ("name", "slug", "description", "is_private", "pause_seconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamActing:
    """A signed-in person's change of a team, within one transaction. `now` is read after the locks where it matters."""

    viewer: Viewer
    actor: Actor
    now: datetime
    unit: TeamUnit
    audit: WriteAudit

    def event(self, team_id: UUID, kind: TeamEventKind, **data: object) -> TeamEvent:
        """An event of this change."""
        return TeamEvent(id=new_id(), team_id=team_id, kind=kind, occurred_at=self.now, actor=self.actor, data=data)

    async def tell(self, team_id: UUID, kind: TeamEventKind, **data: object) -> None:
        """Write it to the log."""
        await self.unit.team_log.append(self.event(team_id, kind, **data))

    async def team_role(self, team_id: UUID) -> Role | None:
        """The viewer's role in the team, as this transaction sees it."""
        mine = await self.unit.teams.membership(team_id, self.viewer.user_id)
        return None if mine is None else mine.role


async def seen_team(acting: TeamActing, team_id: UUID, *path: str) -> Team:
    """The team, locked; NotFound for one that is archived or out of sight."""
    return (await seen_teams(acting, {team_id: path}))[team_id]


async def seen_teams(acting: TeamActing, paths: dict[UUID, tuple[str, ...]]) -> dict[UUID, Team]:
    """Several, locked in one order, whoever asks; `paths` names the input field of each."""
    found = await acting.unit.teams.locked(list(paths), sight=acting.viewer.sight)
    for team_id, path in paths.items():
        if team_id not in found:
            raise NotFound(NO_SUCH, path)
    return found


async def managed_team(acting: TeamActing, team_id: UUID, *path: str) -> Team:
    """The team, locked, for one who may manage it."""
    team = await seen_team(acting, team_id, *path)
    require_manager(acting.viewer.role, await acting.team_role(team_id))
    return team


def checked_team(team: Team) -> Team:
    """The team with its texts tidied; InvalidInput names the first that is wrong."""
    name = checked_name(team.name, MAX_TEAM_NAME, "name")
    if not _SLUG.fullmatch(team.slug) or len(team.slug) > MAX_TEAM_NAME:
        message = "a slug has lower-case letters, digits and single hyphens between them; give one"
        raise InvalidInput(message, ("slug",))
    if team.pause_seconds is not None and not 0 <= team.pause_seconds <= MAX_PAUSE_SECONDS:
        message = "a pause is at most an hour long; PT0S says that no alert of the team is held"
        raise InvalidInput(message, ("pause",))
    described = checked_optional_text(team.description, path=("description",), limit=MAX_TEAM_DESCRIPTION)
    return replace(team, name=name, description=described or "")


def slug_of(name: str) -> str:
    """The slug that a name makes."""
    return _NOT_SLUG.sub("-", name.lower()).strip("-")


async def create_team(acting: TeamActing, team: Team) -> None:
    """Write the team. A manager who makes a private one is its first member: somebody must let others in."""
    if not await acting.unit.teams.add(team):
        raise AlreadyExists("this name or slug is taken", ("name",))
    await acting.audit(target_id=team.id, after=shown(team))
    await acting.tell(team.id, TeamEventKind.CREATED)
    viewer = acting.viewer
    if team.is_private and not viewer.sight.everything:
        if viewer.person_id is None:
            raise InvalidInput("a program cannot be a member: let a person make a private team", ("isPrivate",))
        founder = Membership(team_id=team.id, user_id=viewer.person_id, role=viewer.role, created_at=acting.now)
        await acting.unit.users.put_member(founder, by=acting.actor, at=acting.now)


async def update_team(
    acting: TeamActing, team_id: UUID, edit: Callable[[Team], Team], *, expected_version: int | None
) -> Team:
    """The team after an edit of its name, slug, description or privacy; nothing is written when it changes nothing."""
    before = await managed_team(acting, team_id, "id")
    require_team_version(before, expected_version)
    edited = checked_team(edit(before))
    if edited == before:
        return before
    after = replace(edited, version=before.version + 1)
    if after.is_private and not before.is_private and not await acting.unit.teams.has_manager(team_id):
        message = "a private team needs a member who may manage it: its door opens from the inside only"
        raise InvalidInput(message, ("isPrivate",))
    if not await acting.unit.teams.save(after):
        raise AlreadyExists("this name or slug is taken", ("name",))
    await acting.audit(target_id=team_id, before=shown(before), after=shown(after))
    pairs = {name: [getattr(before, name), getattr(after, name)] for name in _TOLD}
    changes = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    await acting.tell(team_id, TeamEventKind.UPDATED, changes=changes)
    return after


async def archive_team(acting: TeamActing, team_id: UUID, *, expected_version: int | None) -> Team:
    """End a team that nothing hangs on any more. Its past stays, for who could see it.

    The caller holds the lock that keeps arriving alerts out, from the transaction's first statement on.
    """
    team = await managed_team(acting, team_id, "id")
    require_team_version(team, expected_version)
    use = await acting.unit.teams.use_of(team_id)
    if use:
        message = "the team still has open alerts or integrations: hand it over first"
        raise TeamInUse(message, ("id",), open_alerts=use.open_alerts, integrations=use.integrations)
    return await end_team(team, Ending(unit=acting.unit, actor=acting.actor, now=acting.now, audit=acting.audit))


def require_team_version(team: Team, expected: int | None) -> None:
    """StaleVersion unless the team is still what the caller read. None means: whatever it is now."""
    require_version("team", actual=team.version, expected=expected)
