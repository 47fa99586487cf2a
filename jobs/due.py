"""What is due by time? Alerts whose source fell silent, snoozes and silences that end, data past its retention.

PostgreSQL is the record of what is due. Each piece of work looks, locks, looks again and does it in one transaction, so
two workers at once, or a job delivered twice, do it once.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import TypeAlias
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.alerts import edits, lifecycle, turning
from domain.alerts.actions.release import release_unseen
from domain.alerts.change import Change
from domain.alerts.events import SYSTEM
from domain.alerts.model import Alert
from domain.alerts.visibility import EVERYTHING
from jobs.accounts import answer_requests
from jobs.calendars import read_calendars
from jobs.channels.sending import send_to_channels
from jobs.exports import expire_data_exports, make_data_exports
from jobs.mail import send_mail, watch_mail
from jobs.paging import page, settle_notifications, watch_steps
from jobs.redaction import redact_words
from jobs.slack import answer_presses, follow_alerts
from jobs.texts import send_texts
from jobs.thresholds import evaluate_thresholds, watch_heartbeats
from persistence.drills import end_overdue_drills
from persistence.escalation_watch import answers_looked_at, overdue_answers
from persistence.handovers import continue_handovers
from persistence.objects import open_objects
from persistence.receipts import trim_rejected
from persistence.retention import Retention, purge_expired
from persistence.rule_marks import release_marks
from persistence.silence_work import apply_due_silences, plan_due_windows
from persistence.swap_notices import expire_swaps
from persistence.tables import OPEN, alerts
from persistence.unit_of_work import UnitOfWork
from persistence.unseen import unseen_by_their_people
from tocsin.settings import Settings

BATCH = 200
# Each round is one transaction; a backlog after a long stop is worked off within one job, but not for ever.
MAX_ROUNDS = 500
Step: TypeAlias = Callable[[Alert, datetime], Change]


class Hurry(IntEnum):
    """What goes ahead of what: that which reaches people, that which is due by the second, the rest."""

    URGENT = 0
    DUE = 1
    SLOW = 2


@dataclass(frozen=True, slots=True)
class Due:
    """A kind of work. `every` is how often the scheduler asks for it; `perform` answers how much it did.

    It runs `places` times at once in a process, for `limit` at most; `followed_by` is hinted at when it did something.
    """

    name: str
    every: timedelta
    perform: Callable[[AsyncEngine, Settings, datetime], Awaitable[int]]
    hurry: Hurry = Hurry.DUE
    places: int = 1
    limit: timedelta = timedelta(minutes=2)
    followed_by: tuple[str, ...] = ()


async def expire_alerts(engine: AsyncEngine, _settings: Settings, now: datetime) -> int:
    """Resolve open alerts whose `expires_at` passed without a re-send (Alertmanager's `endsAt`)."""
    due = sa.and_(sa.text(OPEN), alerts.c.expires_at <= now)
    return await _change_due(engine, due, alerts.c.expires_at, _expired, now=now)


async def wake_snoozed_alerts(engine: AsyncEngine, _settings: Settings, now: datetime) -> int:
    """End the snoozes whose time has come."""
    due = sa.and_(alerts.c.snoozed_until.is_not(None), alerts.c.snoozed_until <= now)
    return await _change_due(engine, due, alerts.c.snoozed_until, _woken, now=now)


async def settle_flapping(engine: AsyncEngine, _settings: Settings, now: datetime) -> int:
    """Take the mark off alerts that stopped turning: no signal says so, only time."""
    due = sa.and_(alerts.c.flapping_until.is_not(None), alerts.c.flapping_until <= now)
    return await _change_due(engine, due, alerts.c.flapping_until, _settled, now=now)


async def end_pauses(engine: AsyncEngine, _settings: Settings, now: datetime) -> int:
    """Let alerts call for somebody that did not end by themselves within their pause."""
    due = sa.and_(alerts.c.paused_until.is_not(None), alerts.c.paused_until <= now)
    return await _change_due(engine, due, alerts.c.paused_until, _unpaused, now=now)


async def time_out_answers(engine: AsyncEngine, _settings: Settings, now: datetime) -> int:
    """Let alerts call for somebody again whose answer stopped to count, by the policy that waits for it."""
    changed = 0
    for _ in range(MAX_ROUNDS):
        async with engine.connect() as connection:
            ids = await overdue_answers(connection, limit=BATCH, now=now)
        if not ids:
            break
        changed += await _change_batch(engine, ids, _timed_out, now=now)
        async with engine.begin() as connection:
            await answers_looked_at(connection, ids, now=now)
    return changed


async def release_unseen_alerts(engine: AsyncEngine, _settings: Settings, now: datetime) -> int:
    """Take open alerts from people who may no longer see them, or no longer sign in."""
    released = 0
    for _ in range(MAX_ROUNDS):
        async with engine.connect() as connection:
            ids = await unseen_by_their_people(connection, limit=BATCH)
        if not ids:
            break
        async with UnitOfWork(engine) as work:
            done = await release_unseen(work, ids, now=now)
            await work.commit()
        released += done
        if not done:
            break  # another worker was faster, or who it is may see it again
    return released


async def apply_silences(engine: AsyncEngine, _settings: Settings, now: datetime) -> int:
    """Mark alerts when a silence begins, unmark them when it ends."""
    return await apply_due_silences(engine, now)


async def release_rule_marks(engine: AsyncEngine, _settings: Settings, now: datetime) -> int:
    """Let go of alerts whose rule no longer suppresses, where whoever changed the rule did not get to all of them."""
    return await release_marks(engine, now=now)


async def plan_maintenance(engine: AsyncEngine, _settings: Settings, now: datetime) -> int:
    """Make the coming occurrences of maintenance windows into silences."""
    return await plan_due_windows(engine, now)


async def move_alerts(engine: AsyncEngine, _settings: Settings, now: datetime) -> int:
    """Go on with the hand-overs of teams that are under way."""
    return await continue_handovers(engine, now)


async def purge(engine: AsyncEngine, settings: Settings, now: datetime) -> int:
    """Delete what is past its retention and small enough to delete; whole months leave by DROP (scheduler)."""
    return await purge_expired(engine, kept=Retention.of(settings), now=now)


async def trim(engine: AsyncEngine, settings: Settings, _now: datetime) -> int:
    """Keep each integration's rejected items within their number: the oldest make room."""
    return await trim_rejected(engine, most=settings.rejected_max_per_integration)


async def end_drills(engine: AsyncEngine, _settings: Settings, now: datetime) -> int:
    """End the drills that nobody answered within a day."""
    return await end_overdue_drills(engine, now=now)


async def expire_shift_swaps(engine: AsyncEngine, _settings: Settings, now: datetime) -> int:
    """Settle the swaps of shifts that nobody answered in time, and tell who asked."""
    return await expire_swaps(engine, now=now)


async def sweep_objects(engine: AsyncEngine, settings: Settings, now: datetime) -> int:
    """Remove the files of uploads that died half-way. An aborted multipart upload to S3 is the bucket's own rule."""
    async with engine.connect() as connection:
        return await open_objects(settings.effective_object_store_url).sweep(connection, now)


LONG = timedelta(minutes=10)
# Whoever was given something to send says so at once: the first page of a new problem waits for no tick.
SENDING = ("send_to_channels", "send_texts", "send_mail")
DUE = (
    Due("answer_account_requests", timedelta(seconds=1), answer_requests),
    Due("send_mail", timedelta(seconds=1), send_mail, Hurry.URGENT, 2, timedelta(minutes=4)),
    Due("watch_mail", timedelta(minutes=10), watch_mail),
    Due("expire_alerts", timedelta(seconds=1), expire_alerts),
    Due("wake_snoozed_alerts", timedelta(seconds=1), wake_snoozed_alerts),
    Due("settle_flapping", timedelta(seconds=1), settle_flapping),
    Due("end_pauses", timedelta(seconds=1), end_pauses),
    Due("time_out_answers", timedelta(seconds=1), time_out_answers),
    Due("apply_silences", timedelta(seconds=1), apply_silences),
    Due("release_rule_marks", timedelta(minutes=1), release_rule_marks, Hurry.SLOW, limit=LONG),
    Due("plan_maintenance", timedelta(minutes=1), plan_maintenance, Hurry.SLOW, limit=LONG),
    Due("continue_handovers", timedelta(seconds=1), move_alerts, Hurry.SLOW, limit=LONG),
    Due("watch_heartbeats", timedelta(seconds=2), watch_heartbeats),
    Due("evaluate_thresholds", timedelta(seconds=5), evaluate_thresholds),
    Due("release_unseen_alerts", timedelta(seconds=5), release_unseen_alerts),
    Due("page", timedelta(seconds=1), page, Hurry.URGENT, 2, followed_by=SENDING),
    Due("watch_steps", timedelta(minutes=1), watch_steps, Hurry.URGENT, followed_by=SENDING),
    Due("send_texts", timedelta(seconds=1), send_texts, Hurry.URGENT, 2),
    Due("send_to_channels", timedelta(seconds=1), send_to_channels, Hurry.URGENT, 3),
    Due("follow_alerts_in_slack", timedelta(seconds=1), follow_alerts),
    Due("answer_presses_in_slack", timedelta(seconds=1), answer_presses),
    Due("end_drills", timedelta(minutes=1), end_drills),
    Due("expire_shift_swaps", timedelta(minutes=1), expire_shift_swaps),
    Due("read_calendars", timedelta(seconds=15), read_calendars, Hurry.SLOW, limit=LONG),
    Due("settle_notifications", timedelta(seconds=5), settle_notifications),
    Due("make_data_exports", timedelta(seconds=5), make_data_exports, Hurry.SLOW, limit=LONG),
    Due("redact_words", timedelta(seconds=10), redact_words, Hurry.SLOW, limit=LONG),
    Due("trim_rejected_items", timedelta(minutes=1), trim, Hurry.SLOW, limit=LONG),
    Due("purge", timedelta(hours=1), purge, Hurry.SLOW, limit=LONG),
    Due("expire_data_exports", timedelta(hours=1), expire_data_exports, Hurry.SLOW, limit=LONG),
    Due("sweep_objects", timedelta(hours=24), sweep_objects, Hurry.SLOW, limit=LONG),
)


def _expired(alert: Alert, now: datetime) -> Change:
    return lifecycle.expire(alert, now=now)


def _settled(alert: Alert, now: datetime) -> Change:
    return turning.end_flapping(alert, now=now)


def _unpaused(alert: Alert, now: datetime) -> Change:
    return turning.end_pause(alert, now=now)


def _timed_out(alert: Alert, now: datetime) -> Change:
    return lifecycle.time_out(alert, now=now)


def _woken(alert: Alert, now: datetime) -> Change:
    """Wake it if its time has come: a person may have woken or snoozed it anew since we looked."""
    if alert.snoozed_until is None or alert.snoozed_until > now:
        return Change(before=alert, after=alert, events=())
    return edits.wake(alert, actor=SYSTEM, now=now)


async def _change_due(
    engine: AsyncEngine,
    due: sa.ColumnElement[bool],
    order: sa.Column[datetime],
    step: Step,
    *,
    now: datetime,
) -> int:
    """Change every due alert, a batch a transaction; the number that changed."""
    changed = 0
    for _ in range(MAX_ROUNDS):
        async with engine.connect() as connection:
            ids = list(await connection.scalars(sa.select(alerts.c.id).where(due).order_by(order).limit(BATCH)))
        if not ids:
            break
        done = await _change_batch(engine, ids, step, now=now)
        changed += done
        if not done:
            break  # another worker was faster, or what is left does not change
    return changed


async def _change_batch(engine: AsyncEngine, ids: Sequence[UUID], step: Step, *, now: datetime) -> int:
    async with UnitOfWork(engine) as work:
        found = await work.alerts.get_for_change(ids, sight=EVERYTHING)
        changes = [change for alert in found.values() if (change := step(alert, now)).events]
        await work.alerts.save(changes)
        await work.commit()
    return len(changes)
