"""How is a silence made, changed or ended? As in Alertmanager, and open alerts carry its mark from the same moment.

Each use case holds the silences lock from its first statement: no alert is written between the reading of the open
alerts and the COMMIT of their marks, so a silence and an alert that arrive together cannot miss each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.alerts.events import SYSTEM, Actor
from domain.audit.model import AuditEntry
from domain.errors import InvalidInput, NotFound
from domain.ids import new_id
from domain.ports import Clock
from domain.silences.marks import marks_of_end, marks_of_start
from domain.silences.matchers import LabelMatcher, check_not_everything
from domain.silences.model import Silence, SilenceState
from domain.silences.ports import SilenceWork, SilenceWorkFactory
from domain.text import check_storable

MAX_CREATED_BY = 200
MAX_COMMENT = 2_000
# Every arriving alert is held against every standing silence of its scope, so their number is bounded.
MAX_STANDING = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceDraft:
    """What the caller asks for. Times are UTC."""

    matchers: tuple[LabelMatcher, ...]
    starts_at: datetime
    ends_at: datetime
    created_by: str
    comment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Silencing:
    """Who acts, within which scope (an integration's own alerts; None: every integration), and through what."""

    actor: Actor
    integration_id: UUID | None
    clock: Clock
    open: SilenceWorkFactory
    request_id: str | None = None
    ip_address: str | None = None

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
            ip_address=self.ip_address,
            action=action,
            target_kind="silence",
            target_id=subject.id if subject else None,
            before=_told(before),
            after=_told(after),
            request_id=self.request_id,
        )


async def create_silence(silencing: Silencing, draft: SilenceDraft) -> Silence:
    """Make a silence; one that begins now marks the open alerts it holds. A start in the past becomes now."""
    check_draft(draft)
    async with silencing.open() as work:
        now = silencing.clock.now()
        silence = await _create(silencing, work, draft, now=now)
        await work.commit()
    return silence


async def update_silence(silencing: Silencing, silence_id: UUID, draft: SilenceDraft) -> Silence:
    """Change a silence. Where the past would change with it, it ends and a new one (of another id) takes its place.

    In place: the end, the comment, and the start of one that has not begun; the matchers never.
    """
    check_draft(draft)
    async with silencing.open() as work:
        now = silencing.clock.now()
        before = await _get(silencing, work, silence_id)
        if _fits_in_place(before, draft, now):
            _check_end(draft, now)
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
        else:
            if before.applied is not SilenceState.EXPIRED:
                await _expire(silencing, work, before, reason="the silence was replaced by a changed one", now=now)
            after = await _create(silencing, work, draft, now=now)
        await work.commit()
    return after


async def expire_silence(silencing: Silencing, silence_id: UUID) -> Silence:
    """End a silence now; its marks go. One that has ended already stays as it is."""
    async with silencing.open() as work:
        now = silencing.clock.now()
        silence = await _get(silencing, work, silence_id)
        if silence.applied is SilenceState.EXPIRED:
            return silence
        after = await _expire(silencing, work, silence, reason="the silence was ended early", now=now)
        await work.commit()
    return after


async def apply_due(work: SilenceWork, *, now: datetime) -> int:
    """Apply the starts and ends that have passed, within an open unit of work; the number of silences it moved."""
    due = await work.silences.due(now)
    for silence in due:
        if silence.state(now) is SilenceState.EXPIRED:
            await _unmark(work, silence, reason="the silence ended", actor=SYSTEM, now=now)
            await work.silences.save(replace(silence, applied=SilenceState.EXPIRED))
        else:
            await _mark(work, silence, actor=SYSTEM, now=now)
            await work.silences.save(replace(silence, applied=SilenceState.ACTIVE))
    return len(due)


def check_draft(draft: SilenceDraft) -> None:
    """Refuse what no silence can be, with the field's path."""
    check_not_everything(draft.matchers)
    if draft.starts_at >= draft.ends_at:
        raise InvalidInput("start time must be before end time", ("endsAt",))
    for path, text, limit in (("createdBy", draft.created_by, MAX_CREATED_BY), ("comment", draft.comment, MAX_COMMENT)):
        if len(text) > limit:
            raise InvalidInput(f"must have at most {limit} characters, not {len(text)}", (path,))
        check_storable(text, path=(path,))


def _check_end(draft: SilenceDraft, now: datetime) -> None:
    if draft.ends_at <= now:
        raise InvalidInput("end time can't be in the past", ("endsAt",))


def _fits_in_place(silence: Silence, draft: SilenceDraft, now: datetime) -> bool:
    """Whether the draft changes only what is still to come."""
    if silence.applied is SilenceState.EXPIRED or _by_text(silence.matchers) != _by_text(draft.matchers):
        return False
    state = silence.state(now)
    if state is SilenceState.ACTIVE:
        # To the second: clients send back what they were shown, and some cut the fraction off.
        return int(silence.starts_at.timestamp()) == int(draft.starts_at.timestamp()) and draft.ends_at > now
    return state is SilenceState.PENDING and draft.starts_at > now


def _by_text(matchers: Sequence[object]) -> list[str]:
    return sorted(map(str, matchers))


async def _get(silencing: Silencing, work: SilenceWork, silence_id: UUID) -> Silence:
    silence = await work.silences.get(silence_id, integration_id=silencing.integration_id)
    if silence is None:
        raise NotFound("silence not found", ("id",))
    return silence


async def _create(silencing: Silencing, work: SilenceWork, draft: SilenceDraft, *, now: datetime) -> Silence:
    _check_end(draft, now)
    if await work.silences.count_standing(integration_id=silencing.integration_id) >= MAX_STANDING:
        raise InvalidInput(f"at most {MAX_STANDING} silences may stand at the same time; let some end first")
    starts_at = max(draft.starts_at, now)
    silence = Silence(
        id=new_id(),
        integration_id=silencing.integration_id,
        matchers=draft.matchers,
        starts_at=starts_at,
        ends_at=draft.ends_at,
        created_by=draft.created_by,
        comment=draft.comment,
        updated_at=now,
        applied=SilenceState.ACTIVE if starts_at <= now else SilenceState.PENDING,
    )
    await work.silences.add(silence)
    if silence.applied is SilenceState.ACTIVE:
        await _mark(work, silence, actor=silencing.actor, now=now)
    await work.audit.append(silencing.audit_entry("createSilence", at=now, after=silence))
    return silence


async def _expire(silencing: Silencing, work: SilenceWork, before: Silence, *, reason: str, now: datetime) -> Silence:
    after = replace(
        before,
        starts_at=min(before.starts_at, now),
        ends_at=min(before.ends_at, now),
        updated_at=now,
        version=before.version + 1,
        applied=SilenceState.EXPIRED,
    )
    # Whatever its state by our clock: a host whose clock is ahead may have marked alerts by it already.
    await _unmark(work, before, reason=reason, actor=silencing.actor, now=now)
    await work.silences.save(after)
    await work.audit.append(silencing.audit_entry("expireSilence", at=now, before=before, after=after))
    return after


async def _mark(work: SilenceWork, silence: Silence, *, actor: Actor, now: datetime) -> None:
    alerts = await work.silences.open_alerts(silence)
    await work.silences.write_marks(marks_of_start(silence, alerts, actor=actor, now=now), recorded_at=now)


async def _unmark(work: SilenceWork, silence: Silence, *, reason: str, actor: Actor, now: datetime) -> None:
    alerts = await work.silences.marked_alerts(silence.id)
    marks = marks_of_end(silence, alerts, reason=reason, actor=actor, now=now)
    await work.silences.write_marks(marks, recorded_at=now)


def _told(silence: Silence | None) -> dict[str, Any] | None:
    if silence is None:
        return None
    return {
        "matchers": [matcher.as_json() for matcher in silence.matchers],
        "startsAt": silence.starts_at.isoformat(),
        "endsAt": silence.ends_at.isoformat(),
        "createdBy": silence.created_by,
        "comment": silence.comment,
        "version": silence.version,
    }
