"""How does a window become silences? Each occurrence of the coming days is made ahead, and follows its changes.

Under the silences lock, and from the state as it is: who plans twice, or two at once, plans once. A host that is down
for a day misses nothing: the silences are there, and ingest asks their start itself.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from domain.alerts.events import SYSTEM, Actor
from domain.ids import new_id
from domain.maintenance.model import MaintenanceWindow, Occurrence
from domain.maintenance.occurrences import HORIZON, occurrences
from domain.maintenance.ports import MaintenanceWork
from domain.silences import sweeping
from domain.silences.model import Silence, SilenceState

# How far ahead occurrences are silences already, and how old a plan may be before it is made anew.
AHEAD = timedelta(days=2)
RENEWED = timedelta(hours=1)
# Planned in one transaction: ingest waits for it.
AT_ONCE = 10
CHANGED = "the maintenance window was changed"


async def plan(
    work: MaintenanceWork, window: MaintenanceWindow, *, actor: Actor, now: datetime
) -> tuple[MaintenanceWindow, list[Silence]]:
    """Bring its silences in line with the window; the window as planned, and the silences with marks to go on with.

    The caller keeps the window.
    """
    until = now + AHEAD
    wanted = {one.starts_at: one for one in _wanted(window, since=now - window.duration, until=until, now=now)}
    unfinished = []
    for silence in await work.windows.occurrences(window.id):
        occurrence = None if silence.occurrence_at is None else wanted.get(silence.occurrence_at)
        if occurrence is None and silence.ends_at <= now:
            continue  # it is over by itself: whoever applies what is due says so
        if occurrence is None or not _holds_the_same(silence, window):
            after = await sweeping.end(work, silence, reason=CHANGED, actor=actor, now=now)
            after = replace(
                after,
                starts_at=min(silence.starts_at, now),
                ends_at=min(silence.ends_at, now),
                updated_at=now,
                version=silence.version + 1,
            )
        else:
            del wanted[occurrence.starts_at]
            if (silence.ends_at, silence.comment) == (occurrence.ends_at, _comment(window)):
                continue
            after = replace(
                silence,
                ends_at=occurrence.ends_at,
                comment=_comment(window),
                updated_at=now,
                version=silence.version + 1,
            )
        await work.silences.save(after)
        unfinished.append(after)
    for occurrence in wanted.values():
        made = occurrence_silence(window, occurrence, now=now)
        if made.starts_at <= now:
            made = await sweeping.begin(work, made, actor=actor, now=now)
        await work.silences.add(made)
        unfinished.append(made)
    planned = replace(window, planned_until=_planned_until(window, until), skipped=_recent(window, now))
    return planned, [silence for silence in unfinished if silence.swept_after is not None]


async def plan_due(work: MaintenanceWork, *, now: datetime) -> int:
    """Plan some of the windows whose time has come, within an open unit of work; how many. None: there are no more."""
    due = await work.windows.to_plan(now + AHEAD - RENEWED, limit=AT_ONCE)
    for window in due:
        planned, _ = await plan(work, window, actor=SYSTEM, now=now)
        await work.windows.save(planned)
    return len(due)


def _wanted(window: MaintenanceWindow, *, since: datetime, until: datetime, now: datetime) -> list[Occurrence]:
    if not window.is_at_work:
        return []
    return [
        one
        for one in occurrences(window, since=since, until=until)
        if one.ends_at > now and one.starts_at not in window.skipped
    ]


def _planned_until(window: MaintenanceWindow, until: datetime) -> datetime | None:
    """None when nothing is to come: nobody looks at it again."""
    is_over = next(occurrences(window, since=until, until=until + HORIZON), None) is None
    return None if is_over else until


def _recent(window: MaintenanceWindow, now: datetime) -> frozenset[datetime]:
    """What was ended early and could still be made anew."""
    return frozenset(start for start in window.skipped if start + window.duration > now)


def _holds_the_same(silence: Silence, window: MaintenanceWindow) -> bool:
    condition = None if silence.condition is None else silence.condition.text
    return (
        [str(one) for one in silence.matchers] == [str(one) for one in window.matchers]
        and condition == (None if window.condition is None else window.condition.text)
        and silence.integration_id == window.integration_id
        and silence.team_id == window.team_id
        and silence.holds_private == window.holds_private
    )


def occurrence_silence(window: MaintenanceWindow, occurrence: Occurrence, *, now: datetime) -> Silence:
    """The silence that one occurrence is."""
    return Silence(
        id=new_id(),
        integration_id=window.integration_id,
        matchers=window.matchers,
        condition=window.condition,
        starts_at=max(occurrence.starts_at, now),
        ends_at=occurrence.ends_at,
        created_by="",
        comment=_comment(window),
        updated_at=now,
        applied=SilenceState.PENDING,
        team_id=window.team_id,
        holds_private=window.holds_private,
        actor=window.actor,
        window_id=window.id,
        occurrence_at=occurrence.starts_at,
    )


def _comment(window: MaintenanceWindow) -> str:
    return f"{window.name}: {window.comment}"
