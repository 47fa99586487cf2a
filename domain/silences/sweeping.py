"""How do the marks of open alerts follow a silence? When it begins and ends, in steps that are short.

Each step holds the silences lock from its first statement. From the moment a silence is applied, every alert that is
written is marked by it (ingest asks under the same lock); what is left to mark are alerts that were there before. They
are looked at a bounded number at a time, in the order of their ids, so that ingest never waits long behind a silence
of a hundred thousand alerts. How far a silence has come is kept on it (`swept_after`): whoever dies half-way, the
scheduler goes on.
"""

from dataclasses import replace
from datetime import datetime

from domain.alerts.events import SYSTEM, Actor
from domain.silences.marks import marks_of_end, marks_of_start
from domain.silences.model import FROM_THE_FIRST, Silence, SilenceState
from domain.silences.ports import SilenceWork, SilenceWorkFactory

# Alerts looked at in one step: tens of milliseconds.
STEP = 5_000
# Steps that whoever made a change waits for; what is left then is the scheduler's.
STEPS = 40
ENDED = "the silence ended"


async def begin(work: SilenceWork, silence: Silence, *, actor: Actor, now: datetime) -> Silence:
    """The silence in force: its first marks are set. The caller keeps what is returned."""
    begun = replace(silence, applied=SilenceState.ACTIVE, swept_after=FROM_THE_FIRST)
    return await _mark_some(work, begun, actor=actor, now=now)


async def end(work: SilenceWork, silence: Silence, *, reason: str, actor: Actor, now: datetime) -> Silence:
    """The silence that is over: its first marks are gone. The caller keeps what is returned."""
    ended = replace(silence, applied=SilenceState.EXPIRED, swept_after=FROM_THE_FIRST)
    return await _unmark_some(work, ended, reason=reason, actor=actor, now=now)


async def go_on(work: SilenceWork, silence: Silence, *, now: datetime) -> Silence:
    """One more step."""
    if silence.applied is SilenceState.EXPIRED:
        return await _unmark_some(work, silence, reason=ENDED, actor=SYSTEM, now=now)
    return await _mark_some(work, silence, actor=silence.actor or SYSTEM, now=now)


async def finish(open_work: SilenceWorkFactory, silence: Silence, *, now: datetime) -> Silence:
    """Go on with a silence that was just changed and committed, a transaction a step."""
    for _ in range(STEPS):
        if silence.swept_after is None:
            break
        async with open_work() as work:
            found = await work.silences.find(silence.id)
            if found is None or found.swept_after is None:
                return found or silence
            silence = await go_on(work, found, now=now)
            await work.silences.save(silence)
            await work.commit()
    return silence


async def apply_due(work: SilenceWork, *, now: datetime) -> tuple[int, bool]:
    """Apply the next start or end that has passed, or go on with what is unfinished, within an open unit of work.

    How many silences began or ended, and whether there was something to do. One silence a transaction: each may look
    through all open alerts, and ingest waits for it.
    """
    for silence in await work.silences.due(now, limit=1):
        if silence.applied is not SilenceState.EXPIRED and silence.state(now) is SilenceState.EXPIRED:
            after = await end(work, silence, reason=ENDED, actor=SYSTEM, now=now)
        elif silence.applied is SilenceState.PENDING:
            after = await begin(work, silence, actor=SYSTEM, now=now)
        else:
            after = await go_on(work, silence, now=now)
        await work.silences.save(after)
        return int(after.applied is not silence.applied), True
    return 0, False


async def _mark_some(work: SilenceWork, silence: Silence, *, actor: Actor, now: datetime) -> Silence:
    alerts = await work.silences.open_alerts(silence, limit=STEP)
    private = await work.silences.private_teams()
    marks = marks_of_start(silence, alerts, actor=actor, now=now, private_teams=private)
    await work.silences.write_marks(marks, recorded_at=now)
    return replace(silence, swept_after=alerts[-1].id if len(alerts) == STEP else None)


async def _unmark_some(work: SilenceWork, silence: Silence, *, reason: str, actor: Actor, now: datetime) -> Silence:
    alerts = await work.silences.marked_alerts(silence, limit=STEP)
    marks = marks_of_end(silence, alerts, reason=reason, actor=actor, now=now)
    await work.silences.write_marks(marks, recorded_at=now)
    return replace(silence, swept_after=alerts[-1].id if len(alerts) == STEP else None)
