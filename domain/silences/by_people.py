"""Which silences may a person make, change and end? Within one open unit of work, which the caller commits.

An operator makes silences: everywhere, or in their team for that team's alerts alone. A silence of no team holds what
everybody sees, the alerts of no team and of public teams; those of a private team are held by a silence of that team,
or by an administrator's. So nobody quiets what they cannot see.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Final, Protocol
from uuid import UUID

from domain.alerts.visibility import Sight
from domain.errors import Forbidden, NotFound
from domain.identity.model import Role, Viewer
from domain.identity.team_roles import role_within
from domain.silences import changing
from domain.silences.changing import NO_SUCH, Reach, Silencing, require_own
from domain.silences.drafts import MAX_COMMENT, MAX_DURATION, SilenceDraft, check_draft, check_said
from domain.silences.matchers import LabelMatcher
from domain.silences.model import AlertCondition, Silence, SilenceState
from domain.silences.ports import SilenceWork
from domain.versions import require_version


class Unset(Enum):
    """The one value that means "not given", where None means "none"."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET


class Places(Protocol):
    """What a person may make a silence for."""

    async def team_in_sight(self, team_id: UUID, *, sight: Sight) -> bool:
        """Whether there is such a team, not archived and within sight."""
        ...

    async def integration_in_sight(self, integration_id: UUID, *, sight: Sight) -> bool:
        """Whether there is such an integration, not archived and within sight."""
        ...

    async def silence_in_sight(self, silence_id: UUID, *, sight: Sight) -> Silence | None:
        """The silence; None for one out of sight."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """One request of a person (or a program) to change silences."""

    viewer: Viewer
    silencing: Silencing
    places: Places
    now: datetime
    max_duration: timedelta = MAX_DURATION


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What of a silence is to be otherwise; None (and UNSET) leaves it as it is."""

    matchers: tuple[LabelMatcher, ...] | None = None
    condition: AlertCondition | Unset | None = field(default=UNSET)
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    comment: str | None = None

    def applied_to(self, silence: Silence) -> SilenceDraft:
        """The silence as it would be."""
        kept = tuple(one for one in silence.matchers if isinstance(one, LabelMatcher))
        return SilenceDraft(
            matchers=kept if self.matchers is None else self.matchers,
            condition=silence.condition if self.condition is UNSET else self.condition,
            starts_at=silence.starts_at if self.starts_at is None else self.starts_at,
            ends_at=silence.ends_at if self.ends_at is None else self.ends_at,
            created_by=silence.created_by,
            comment=silence.comment if self.comment is None else self.comment,
        )


def checked(draft: SilenceDraft, max_duration: timedelta) -> SilenceDraft:
    """The draft; refused when it can be no silence, or does not say why it is made."""
    check_draft(draft, max_duration=max_duration)
    check_said(draft.comment, "comment", MAX_COMMENT)
    return draft


async def reach_of(asking: Asking, *, integration_id: UUID | None, team_id: UUID | None) -> Reach:
    """Whose alerts a silence of this person may hold; NotFound for a team or integration they do not see."""
    sight = asking.viewer.sight
    if team_id is not None and not await asking.places.team_in_sight(team_id, sight=sight):
        raise NotFound("no such team", ("teamId",))
    require_operator(asking.viewer, team_id)
    if integration_id is not None and not await asking.places.integration_in_sight(integration_id, sight=sight):
        raise NotFound("no such integration", ("integrationId",))
    return Reach(
        integration_id=integration_id,
        team_id=team_id,
        holds_private=sight.everything,
        actor=asking.viewer.actor,
    )


async def create(
    asking: Asking, work: SilenceWork, draft: SilenceDraft, *, integration_id: UUID | None, team_id: UUID | None
) -> Silence:
    """A new silence."""
    draft = checked(draft, asking.max_duration)
    reach = await reach_of(asking, integration_id=integration_id, team_id=team_id)
    return await changing.make(asking.silencing, work, draft, reach=reach, now=asking.now)


async def update(
    asking: Asking, work: SilenceWork, silence_id: UUID, *, change: Change, expected_version: int | None
) -> Silence:
    """The silence after a change; another one, of another id, where it would hold other alerts."""
    before = await mine(asking, silence_id)
    require_version("silence", actual=before.version, expected=expected_version)
    require_own(before)
    draft = checked(change.applied_to(before), asking.max_duration)
    if before.team_id is None and before.holds_private and not asking.viewer.sight.everything:
        hidden = set(await work.silences.private_teams()) - asking.viewer.team_ids
        if hidden:
            message = "it holds alerts of private teams too: an administrator changes it; you may end it"
            raise Forbidden(message, ("id",))
    reach = Reach(
        integration_id=before.integration_id,
        team_id=before.team_id,
        holds_private=asking.viewer.sight.everything,
        actor=asking.viewer.actor,
    )
    return await changing.amend(asking.silencing, work, before, draft, reach=reach, now=asking.now)


async def expire(asking: Asking, work: SilenceWork, silence_id: UUID, *, expected_version: int | None) -> Silence:
    """End a silence now. One that has ended stays as it is."""
    before = await mine(asking, silence_id)
    require_version("silence", actual=before.version, expected=expected_version)
    if before.applied is SilenceState.EXPIRED:
        return before
    after = await changing.expire(asking.silencing, work, before, reason="the silence was ended early", now=asking.now)
    await work.skip_occurrence(after)
    return after


async def mine(asking: Asking, silence_id: UUID) -> Silence:
    """A silence that the viewer may change."""
    found = await asking.places.silence_in_sight(silence_id, sight=asking.viewer.sight)
    if found is None:
        raise NotFound(NO_SUCH, ("id",))
    require_operator(asking.viewer, found.team_id)
    return found


def require_operator(viewer: Viewer, team_id: UUID | None) -> None:
    """Forbidden unless the viewer is an operator: everywhere, or in this team."""
    team_role = None if team_id is None else viewer.role_in(team_id)
    if not role_within(viewer.role, team_role).includes(Role.OPERATOR):
        where = "everywhere, or in the team whose alerts it holds (teamId)"
        raise Forbidden(f"this needs the role operator, {where}")
