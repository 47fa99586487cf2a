"""How does a team come to own services and labels? Its list is given as a whole; one team can take over another's."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from domain.alerts.model import MAX_SERVICE_NAME
from domain.errors import InvalidInput
from domain.identity.model import Team
from domain.identity.team_roles import require_manager
from domain.ids import new_id
from domain.silences.matcher_syntax import parse_matchers
from domain.silences.matchers import InvalidMatcher, check_not_everything
from domain.teams.events import TeamEventKind
from domain.teams.handover import Handover
from domain.teams.life import TeamActing, managed_team, require_team_version, seen_teams
from domain.teams.ownership import DEFAULT_RANK, OwnershipLine
from domain.text import checked_text

MAX_LINES = 500
MAX_RANK = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnershipDraft:
    """A line as a person writes it: a service's name, or matchers as text."""

    service_name: str | None = None
    matchers: str | None = None
    rank: int = DEFAULT_RANK


async def set_ownership(
    acting: TeamActing, team_id: UUID, drafts: Sequence[OwnershipDraft], *, expected_version: int | None
) -> Team:
    """The team with exactly these lines. Alerts that are open stay with their teams: only new ones go by it."""
    wanted = _checked(team_id, drafts)
    before = await managed_team(acting, team_id, "teamId")
    require_team_version(before, expected_version)
    had = await acting.unit.ownership.of_team(team_id)
    known = {_key(line): line for line in had}
    lines = [known.get(_key(line), line) for line in wanted]
    kept = {line.id for line in lines}
    added = [line for line in lines if _key(line) not in known]
    removed = [line for line in had if line.id not in kept]
    if not added and not removed:
        return before
    after = replace(before, version=before.version + 1)
    await acting.unit.ownership.replace(team_id, lines, now=acting.now)
    await acting.unit.teams.save(after)
    await acting.audit(target_id=team_id, before={"ownership": _told(had)}, after={"ownership": _told(lines)})
    await acting.tell(team_id, TeamEventKind.OWNERSHIP_CHANGED, added=_told(added), removed=_told(removed))
    return after


async def begin_handover(
    acting: TeamActing, *, team_id: UUID, to_team_id: UUID, includes_resolved: bool, archives: bool
) -> Handover:
    """Give what a team owns and its integrations to another, at once; its alerts follow, step by step.

    Who does it must be able to manage both: what a team is given, it answers for.
    """
    if team_id == to_team_id:
        raise InvalidInput("a team cannot be handed over to itself", ("toTeamId",))
    teams = await seen_teams(acting, {team_id: ("teamId",), to_team_id: ("toTeamId",)})
    for one in (team_id, to_team_id):
        require_manager(acting.viewer.role, await acting.team_role(one))
    unit = acting.unit
    handover = Handover(
        id=new_id(),
        team_id=team_id,
        to_team_id=to_team_id,
        actor=acting.actor,
        started_at=acting.now,
        includes_resolved=includes_resolved,
        archives=archives,
    )
    if not await unit.teams.start_handover(handover):
        raise InvalidInput("a hand-over of this team is under way: wait for its end", ("teamId",))
    lines = await unit.ownership.move(team_id, to=to_team_id)
    integrations = await unit.teams.give_integrations(team_id, to=to_team_id)
    team = teams[team_id]
    heir = teams[to_team_id]
    await unit.teams.save(replace(team, handed_over_to=to_team_id, version=team.version + 1))
    await unit.teams.save(replace(heir, version=heir.version + 1))
    told = {"toTeamId": str(to_team_id), "ownershipLines": lines, "integrations": integrations}
    await acting.audit(target_id=team_id, after={**told, "includesResolved": includes_resolved, "archives": archives})
    await acting.audit(target_id=to_team_id, after={**told, "fromTeamId": str(team_id)})
    await acting.tell(team_id, TeamEventKind.HANDED_OVER, other_team_id=str(to_team_id))
    await acting.tell(to_team_id, TeamEventKind.TAKEN_OVER, other_team_id=str(team_id))
    return handover


def _checked(team_id: UUID, drafts: Sequence[OwnershipDraft]) -> list[OwnershipLine]:
    if len(drafts) > MAX_LINES:
        raise InvalidInput(f"a team has at most {MAX_LINES} lines, not {len(drafts)}", ("ownership",))
    lines: dict[object, OwnershipLine] = {}
    for number, draft in enumerate(drafts):
        path = ("ownership", str(number))
        line = _line(team_id, draft, path)
        # The rank is no part of it: the same thing twice under two ranks is a slip.
        if line.rule in lines:
            raise InvalidInput(f"{line.rule} is there twice", path)
        lines[line.rule] = line
    return list(lines.values())


def _line(team_id: UUID, draft: OwnershipDraft, path: tuple[str, ...]) -> OwnershipLine:
    if not 1 <= draft.rank <= MAX_RANK:
        raise InvalidInput(f"a rank is from 1 to {MAX_RANK}", (*path, "rank"))
    if (draft.service_name is None) == (draft.matchers is None):
        raise InvalidInput("give either a service or matchers", path)
    if draft.service_name is not None:
        # Neither trimmed nor folded: it is compared with what the tools send.
        checked_text(draft.service_name, path=(*path, "service"), limit=MAX_SERVICE_NAME)
        return OwnershipLine(id=new_id(), team_id=team_id, service_name=draft.service_name, rank=draft.rank)
    try:
        matchers = parse_matchers(draft.matchers or "")
        check_not_everything(matchers)
    except InvalidMatcher as error:
        raise InvalidInput(error.message, (*path, "matchers")) from None
    return OwnershipLine(id=new_id(), team_id=team_id, matchers=matchers, rank=draft.rank)


def _key(line: OwnershipLine) -> tuple[str, int]:
    return line.rule, line.rank


def _told(lines: Sequence[OwnershipLine]) -> list[str]:
    return [line.rule for line in lines]
