"""What do a channel's messages say? What its template makes of each, or the built-in text: a template loses no page.

A template is checked when it is saved, but what it is filled with is of others: what fails is told by the built-in
text, counted, and shown on the channel.
"""

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.channels.templates import TemplateFails, TemplateProblem, facts_of
from domain.contacts.saying import marked
from domain.escalations.message import ENDS, Told, told_of_test
from domain.escalations.model import Notification
from jobs.channels.contract import Item
from jobs.channels.selecting import Select
from persistence.channel_notifications import Claimed
from persistence.message_templates import note_template_failure
from persistence.templating import Patience, render

MAX_SELECTED = 256 * 1024
_log = structlog.get_logger(__name__)


async def items_of(engine: AsyncEngine, claimed: Claimed, select: Select | None, *, now: datetime) -> list[Item]:
    """What is to be told, each with the text its template gives and what its selection reads."""
    problems: list[TemplateProblem] = []
    items, patience = [], Patience()
    for one in claimed.notifications:
        told, text, alert = told_of(one, claimed.told), None, None
        failed: list[TemplateProblem] = []
        try:
            text = text_of(claimed, one, told, patience)
        except TemplateFails as error:
            failed.append(error.problem)
        # Whoever reads what is posted counts on its form, whatever becomes of the text.
        try:
            alert = await _selected(claimed, one, select)
        except TemplateFails as error:
            failed.append(error.problem)
        problems += failed[:1]
        item = Item(id=one.id, told=told, created_at=one.created_at, text=text, alert=alert)
        items.append(dataclasses.replace(item, incident_key=one.incident_key))
    if problems:
        channel = claimed.channel
        _log.warning("a template failed", channel=str(channel.id), count=len(problems), problem=problems[-1].message)
        async with engine.begin() as connection:
            await note_template_failure(connection, channel.id, problems[-1], count=len(problems), now=now)
    return items


def text_of(claimed: Claimed, one: Notification, told: Told, patience: Patience) -> str | None:
    """What the template makes of it; None where there is none."""
    source = claimed.templates.get(one.kind)
    if source is None:
        return None
    facts = facts_of(told, is_over=told.kind in ENDS, escape=claimed.channel.kind.escape)
    return marked(render(source, facts, patience=patience), [told])


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
