"""What do a channel's messages say? What its template makes of each, or the built-in text: a template loses no page.

A template is checked when it is saved, but what it is filled with is of others: what fails is told by the built-in
text, counted, and shown on the channel.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

import orjson
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.channels.templates import TemplateFails, TemplateProblem, facts_of
from domain.contacts.saying import marked
from domain.escalations.message import ENDS, Told, told_of_test
from domain.escalations.model import Notification, NotificationKind
from jobs.channels.contract import Item
from jobs.channels.selecting import Select
from persistence.channel_notifications import Claimed
from persistence.message_templates import note_template_failure
from persistence.templating import Patience, render

Sources: TypeAlias = Mapping[NotificationKind, str]
MAX_SELECTED = 256 * 1024
_log = structlog.get_logger(__name__)


async def items_of(engine: AsyncEngine, claimed: Claimed, select: Select | None, *, now: datetime) -> list[Item]:
    """What is to be told, each with the text its template gives and what its selection reads."""
    problems: list[TemplateProblem] = []
    items, patience, escape = [], Patience(), claimed.channel.kind.escape
    for one in claimed.notifications:
        told, text, alert = told_of(one, claimed.told), None, None
        failed: list[TemplateProblem] = []
        try:
            text = words_of(claimed.templates, told, is_over=told.kind in ENDS, escape=escape, patience=patience)
        except TemplateFails as error:
            failed.append(error.problem)
        # Whoever reads what is posted counts on its form, whatever becomes of the text.
        try:
            alert = await _selected(claimed, one, select)
        except TemplateFails as error:
            failed.append(error.problem)
        problems += failed[:1]
        key = one.incident_key
        items.append(Item(id=one.id, told=told, created_at=one.created_at, text=text, alert=alert, incident_key=key))
    await note_failed(engine, claimed.channel.id, problems, now=now)
    return items


def words_of(
    sources: Sources, told: Told, *, is_over: bool, escape: Callable[[str], str], patience: Patience
) -> str | None:
    """What the channel's template says of one alert; None where there is none. Raises TemplateFails."""
    source = sources.get(told.kind)
    if source is None:
        return None
    return marked(render(source, facts_of(told, is_over=is_over, escape=escape), patience=patience), [told])


async def note_failed(
    engine: AsyncEngine, channel_id: UUID, problems: Sequence[TemplateProblem], *, now: datetime
) -> None:
    """Count messages that leave with the built-in text, and say why."""
    if problems:
        _log.warning("a template failed", channel=str(channel_id), count=len(problems), problem=problems[-1].message)
        async with engine.begin() as connection:
            await note_template_failure(connection, channel_id, problems[-1], count=len(problems), now=now)


async def _selected(claimed: Claimed, one: Notification, select: Select | None) -> Mapping[str, Any] | None:
    """What the selection reads of the alert; None where there is none, or no alert."""
    selection = claimed.channel.values.get("selection")
    if selection is None or one.alert_id is None:
        return None
    if select is None:
        raise TemplateFails(TemplateProblem("selections are not run by this process"))
    try:
        found = await select(selection, one.alert_id, team_id=claimed.channel.team_id)
        size = len(orjson.dumps(found))
    except TemplateFails:
        raise
    except Exception as error:
        raise TemplateFails(TemplateProblem(f"the selection: {type(error).__name__}")) from error
    if size > MAX_SELECTED:
        raise TemplateFails(TemplateProblem(f"the selection: more than {MAX_SELECTED:,} bytes"))
    return found


def told_of(one: Notification, texts: Mapping[UUID, Told]) -> Told:
    """One notification as messages tell it."""
    if one.alert_id is None:
        return told_of_test(one)
    # Of a group by the notification's own id: the alert that stands for it may be told of by itself too.
    return dataclasses.replace(texts.get(one.id) or texts[one.alert_id], kind=one.kind, why=one.why)
