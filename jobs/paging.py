"""Who is told when? Due work: steps fire, notifications become mail, and what became of the mail is written down.

Asked for every second, and by the relay as soon as an alert calls for somebody. Every part of it may run twice at once.
"""

from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.escalations.answer import AnswerLinks
from jobs.counting import LATE_STEPS
from persistence.escalation_watch import late_steps
from persistence.escalations import HOPEFUL, fire_due
from persistence.going_around import go_around
from persistence.mail_settling import settle
from persistence.notifications import deliver
from persistence.person_messages import Writing
from persistence.setting_aside import forget_what_is_over
from tocsin.settings import Settings

_log = structlog.get_logger(__name__)
ANSWER_KEY = "answer-link"
LATE = timedelta(minutes=1)


async def page(engine: AsyncEngine, settings: Settings, now: datetime) -> int:
    """Fire the steps that are due, and write the mails; how many of both.

    What reaches nobody comes last: there may be thousands of it every minute, and somebody waits for the others.
    """
    writing = writing_of(settings)
    done = await fire_due(engine, HOPEFUL, now=now)
    done += await deliver(engine, writing, now=now)
    again = await fire_due(engine, now=now)
    return done + again + (await deliver(engine, writing, now=now) if again else 0)


def writing_of(settings: Settings) -> Writing:
    """What messages need of this installation."""
    return Writing(
        links=AnswerLinks(settings.derived_key(ANSWER_KEY)),
        public_url=settings.effective_public_url,
        spacing=settings.notification_spacing,
    )


async def watch_steps(engine: AsyncEngine, settings: Settings, now: datetime) -> int:
    """Find the steps that were due and did not fire, say so, and fire them: somebody was to be told, and was not.

    Whatever kept them, a worker that takes every hint and fires nothing or a fault of ours, it is seen here at last.
    """
    async with engine.begin() as connection:
        count, oldest = await late_steps(connection, before=now - LATE)
        await forget_what_is_over(connection, now=now)
    if oldest is None:
        return 0
    _log.error("escalation steps are overdue", count=count, oldest=oldest.isoformat())
    await page(engine, settings, now)
    async with engine.connect() as connection:
        left, _ = await late_steps(connection, before=now - LATE)
    LATE_STEPS.inc(max(count - left, 0))
    if left:
        _log.error("escalation steps cannot be fired", count=left)
    return max(count - left, 0)


async def settle_notifications(engine: AsyncEngine, _settings: Settings, now: datetime) -> int:
    """Copy what became of the mails to the notifications they carried; tell by others where a provider is away."""
    return await settle(engine, now=now) + await go_around(engine, now=now)
