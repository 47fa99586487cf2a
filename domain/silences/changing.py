"""How does a silence come to be, change and end, within one open unit of work? As in Alertmanager.

The unit of work holds the silences lock from its first statement: no alert is written between the reading of the open
alerts and the COMMIT of their marks, so a silence and an alert that arrive together cannot miss each other.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.alerts.events import Actor
from domain.audit.model import AuditEntry
from domain.errors import InvalidInput, NotFound
from domain.ids import new_id
from domain.ports import Clock
from domain.room import Room
from domain.silences.drafts import SilenceDraft, check_end
from domain.silences.model import Silence, SilenceState
from domain.silences.ports import SilenceWork, SilenceWorkFactory
from domain.silences.sweeping import begin, end

NO_SUCH = "silence not found"
# Every arriving alert may be held against every standing silence of its scope, so their number is bounded.
ROOM = Room(what="silences that stand", how="end one that is no longer needed", of_all=1_000, of_team=200)


@dataclass(frozen=True, slots=True, kw_only=True)
class Silencing:
    """Who acts, within which scope (an integration's own alerts; None: every integration), and through what."""

    actor: Actor
    integration_id: UUID | None
    clock: Clock
    open: SilenceWorkFactory
    request_id: str | None = None
    ip_address: str | None = None
    session_id: UUID | None = None

    def audit_entry(
        self, action: str, *, at: datetime, before: Silence | None = None, after: Silence | None = None
    ) -> AuditEntry:
        """The audit entry of one change of one silence."""
        subject = after or before
        return AuditEntry(
            id=new_id(),
            occurred_at=at,
            actor_kind=self.actor.kind,
            actor_id=self.actor.id,
            session_id=self.session_id,
            ip_address=self.ip_address,
            action=action,
            target_kind="silence",
            target_id=subject.id if subject else None,
            before=shown(before),
            after=shown(after),
            request_id=self.request_id,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Whose alerts a new silence may hold, and who made it."""

    integration_id: UUID | None = None
    team_id: UUID | None = None
    holds_private: bool = True
    actor: Actor | None = None


async def make(silencing: Silencing, work: SilenceWork, draft: SilenceDraft, *, reach: Reach, now: datetime) -> Silence:
    """A new silence; one that begins now marks the open alerts it holds. A start in the past becomes now."""
    check_end(draft.ends_at, now)
    standing = await work.silences.count_standing(integration_id=reach.integration_id, team_id=reach.team_id)
    ROOM.check(standing, team_id=reach.team_id)
    silence = Silence(
        id=new_id(),
        integration_id=reach.integration_id,
        matchers=draft.matchers,
        condition=draft.condition,
        starts_at=max(draft.starts_at, now),
        ends_at=draft.ends_at,
        created_by=draft.created_by,
        comment=draft.comment,
        updated_at=now,
        team_id=reach.team_id,
        holds_private=reach.holds_private,
        actor=reach.actor,
    )
    if silence.starts_at <= now:
        silence = await begin(work, silence, actor=silencing.actor, now=now)
    await work.silences.add(silence)
    await work.audit.append(silencing.audit_entry("createSilence", at=now, after=silence))
    return silence


async def amend(
    silencing: Silencing, work: SilenceWork, before: Silence, draft: SilenceDraft, *, reach: Reach, now: datetime
) -> Silence:
    """Change a silence. Where the past would change with it, it ends and a new one (of another id) takes its place.

    In place: the end, the comment, and the start of one that has not begun; what it holds never.
    """
    if fits_in_place(before, draft, now):
        check_end(draft.ends_at, now)
        after = replace(
            before,
            starts_at=before.starts_at if before.state(now) is SilenceState.ACTIVE else draft.starts_at,
            ends_at=draft.ends_at,
            created_by=draft.created_by,
            comment=draft.comment,
            updated_at=now,
            version=before.version + 1,
        )
        await work.silences.save(after)
        await work.audit.append(silencing.audit_entry("updateSilence", at=now, before=before, after=after))
        return after
    if before.applied is not SilenceState.EXPIRED:
        await expire(silencing, work, before, reason="the silence was replaced by a changed one", now=now)
    return await make(silencing, work, draft, reach=reach, now=now)


async def expire(silencing: Silencing, work: SilenceWork, before: Silence, *, reason: str, now: datetime) -> Silence:
    """End a silence now."""
    # Whatever its state by our clock: a host whose clock is ahead may have marked alerts by it already.
    ended = await end(work, before, reason=reason, actor=silencing.actor, now=now)
    after = replace(
        ended,
        starts_at=min(before.starts_at, now),
        ends_at=min(before.ends_at, now),
        updated_at=now,
        version=before.version + 1,
    )
    await work.silences.save(after)
    await work.audit.append(silencing.audit_entry("expireSilence", at=now, before=before, after=after))
    return after


def fits_in_place(silence: Silence, draft: SilenceDraft, now: datetime) -> bool:
    """Whether the draft changes only what is still to come."""
    if silence.applied is SilenceState.EXPIRED or _what(silence) != _what(draft):
        return False
    state = silence.state(now)
    if state is SilenceState.ACTIVE:
        # To the second: clients send back what they were shown, and some cut the fraction off.
        return int(silence.starts_at.timestamp()) == int(draft.starts_at.timestamp()) and draft.ends_at > now
    return state is SilenceState.PENDING and draft.starts_at > now


def require_own(silence: Silence) -> None:
    """Refuse to change one occurrence of a maintenance window by itself: the window says when and what."""
    if silence.window_id is not None:
        message = f"this is an occurrence of the maintenance window {silence.window_id}: change the window, or end this"
        raise InvalidInput(message, ("id",))


def found(silence: Silence | None) -> Silence:
    """The silence; NotFound for none."""
    if silence is None:
        raise NotFound(NO_SUCH, ("id",))
    return silence


def _what(one: Silence | SilenceDraft) -> tuple[list[str], str | None]:
    return sorted(map(str, one.matchers)), None if one.condition is None else one.condition.text


def shown(silence: Silence | None) -> dict[str, Any] | None:
    """What the audit log keeps of a silence."""
    if silence is None:
        return None
    return {
        "matchers": [matcher.as_json() for matcher in silence.matchers],
        "condition": None if silence.condition is None else silence.condition.text,
        "startsAt": silence.starts_at.isoformat(),
        "endsAt": silence.ends_at.isoformat(),
        "createdBy": silence.created_by,
        "comment": silence.comment,
        "integrationId": None if silence.integration_id is None else str(silence.integration_id),
        "teamId": None if silence.team_id is None else str(silence.team_id),
        "holdsPrivate": silence.holds_private,
        "version": silence.version,
    }
