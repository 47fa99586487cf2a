"""What do the parts of a message in Slack say? What their template makes of each; the buttons below are ours.

A message follows its alerts, so its words are made anew at each change. A template that fails is counted when a message
leaves, and not again at each of its changes.
"""

import dataclasses
from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.alerts.model import AlertStatus
from domain.channels.mrkdwn import as_fact
from domain.channels.slack_card import MAX_SHOWN
from domain.channels.templates import TemplateFails, TemplateProblem
from domain.contacts.templates import Medium
from domain.escalations.following import Part
from domain.escalations.message import ENDS, Told
from jobs.channels.wording import Sources, words_of
from jobs.channels.wording import note_failed as note_channel
from persistence.message_templates import sources_for
from persistence.person_wording import note_failed, wording_for
from persistence.templating import Patience


@dataclasses.dataclass(frozen=True, slots=True)
class _Trying:
    """What the words of one message have cost, and what failed meanwhile."""

    failed: list[TemplateProblem] = dataclasses.field(default_factory=list)
    patience: Patience = dataclasses.field(default_factory=Patience)


def _channel_words(sources: Sources, told: Told, *, is_over: bool, trying: _Trying) -> str | None:
    """What the channel's template says of one alert; None where there is none, or it fails."""
    try:
        return words_of(sources, told, is_over=is_over, escape=as_fact, patience=trying.patience)
    except TemplateFails as error:
        trying.failed.append(error.problem)
        return None


async def worded_for_channel(
    engine: AsyncEngine, channel_id: UUID, parts: Sequence[Part], sources: Sources | None = None, *, now: datetime
) -> list[Part]:
    """The parts with the channel's words. Given `sources` a message is leaving, and failures are counted."""
    trying = _Trying()
    found = sources
    if found is None:
        async with engine.connect() as connection:
            found = (await sources_for(connection, [channel_id]))[channel_id]
    worded = _worded(parts, lambda part: _channel_words(found, part.told, is_over=_is_over(part), trying=trying))
    if sources is not None:
        await note_channel(engine, channel_id, trying.failed, now=now)
    return worded


async def ends_worded(
    engine: AsyncEngine, channel_id: UUID, sources: Sources, told: Sequence[Told], *, now: datetime
) -> list[str | None]:
    """What the channel's template says of each end, for a message that is leaving."""
    trying = _Trying()
    said = [_channel_words(sources, one, is_over=True, trying=trying) for one in told]
    await note_channel(engine, channel_id, trying.failed, now=now)
    return said


async def worded_for_person(
    engine: AsyncEngine, parts: Sequence[Part], *, is_leaving: bool, now: datetime
) -> list[Part]:
    """The parts with the words of each alert's team."""
    async with engine.begin() as connection:
        wording = await wording_for(connection, Medium.SLACK, [part.told for part in parts])
        worded = _worded(parts, lambda part: wording.slack(part.told, is_over=_is_over(part)))
        if is_leaving:
            await note_failed(connection, wording, now=now)
    return worded


def _worded(parts: Sequence[Part], say: Callable[[Part], str | None]) -> list[Part]:
    """Those that are shown; the rest is counted."""
    return [*(dataclasses.replace(part, text=say(part)) for part in parts[:MAX_SHOWN]), *parts[MAX_SHOWN:]]


def _is_over(part: Part) -> bool:
    return part.is_over or part.status is AlertStatus.RESOLVED or part.told.kind in ENDS
