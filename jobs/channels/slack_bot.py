"""How is a channel of Slack told by our app? One message for all that waits, which then follows its alerts.

The end of an alert is a reply in the thread of the message that told of it: who follows the thread hears of it, and the
channel does not fill up.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.alerts.model import AlertStatus
from domain.channels.mrkdwn import escaped
from domain.channels.slack_card import card, digest_of, fallback
from domain.escalations.following import Part
from domain.escalations.message import ENDS, Told, subject_of, told_of_test
from domain.escalations.model import Notification
from domain.ids import new_id
from domain.mail.delivery import Outcome, Refused, Retry, Sent
from jobs.channels.contract import Round
from jobs.channels.slack_api import Fault, NotPosted, Posted, Said, SlackApp
from jobs.channels.slack_words import ends_worded, worded_for_channel
from jobs.channels.wording import told_of
from jobs.counting import count_send
from jobs.timing import timed
from persistence.channel_notifications import Claimed, settle
from persistence.slack_messages import SlackMessage, parts_of, remember, threads_of

NO_APP = "no app in Slack is set up"


async def send_by_bot(round_: Round, claimed: Claimed, *, now: datetime) -> int:
    """Send what was claimed for one channel; how many messages were taken."""
    engine, app = round_.engine, round_.app
    channel, waiting = claimed.channel, claimed.notifications
    if app is None:
        await settle(engine, channel, waiting, Refused(NO_APP), now=now)
        return 0
    ends = [one for one in waiting if one.kind in ENDS]
    news = [one for one in waiting if one.kind not in ENDS]
    sent = 0
    if news:
        outcome = await _tell(engine, app, claimed, news, now=now)
        sent += isinstance(outcome, Sent)
        if isinstance(outcome, Retry):
            return sent  # what is left comes when its claim has run out
    return sent + (await _end(engine, app, claimed, ends, now=now) if ends else 0)


async def _tell(
    engine: AsyncEngine, app: SlackApp, claimed: Claimed, news: Sequence[Notification], *, now: datetime
) -> Outcome:
    channel, message_id = claimed.channel, new_id()
    async with engine.connect() as connection:
        parts = await parts_of(connection, news, now=now)
    parts += [_test_part(one) for one in news if one.alert_id is None]
    parts = await worded_for_channel(engine, channel.id, parts, claimed.templates, now=now)
    blocks = card(message_id, parts, now=now)
    said, took = await timed(app.post(channel.values["conversation"], fallback(parts), blocks))
    outcome, wait = outcome_of(said)
    count_send("slack_bot", outcome)
    await settle(engine, channel, news, outcome, now=now, retry_at=now + wait, took_ms=took)
    if isinstance(said, Posted):
        message = SlackMessage(
            id=message_id,
            channel_id=channel.id,
            conversation=said.conversation,
            ts=said.ts,
            shown_digest=digest_of(blocks),
            created_at=now,
        )
        async with engine.begin() as connection:
            await remember(connection, message, news, now=now)
    return outcome


def _test_part(one: Notification) -> Part:
    return Part(told=told_of_test(one), episode=0, status=AlertStatus.ACTIVE)


async def _end(
    engine: AsyncEngine, app: SlackApp, claimed: Claimed, ends: Sequence[Notification], *, now: datetime
) -> int:
    """A reply in each thread; what has none comes as a message of its own."""
    async with engine.connect() as connection:
        places = await threads_of(connection, claimed.channel.id, ends)
    by_place: dict[tuple[str, str | None], list[Notification]] = {}
    for one in ends:
        by_place.setdefault(places.get(one.id, (claimed.channel.values["conversation"], None)), []).append(one)
    sent = 0
    for (conversation, thread), carried in by_place.items():
        text = await _end_text(engine, claimed, [told_of(one, claimed.told) for one in carried], now=now)
        said, took = await timed(app.post(conversation, text, thread=thread))
        outcome, wait = outcome_of(said)
        await settle(engine, claimed.channel, carried, outcome, now=now, retry_at=now + wait, took_ms=took)
        sent += isinstance(outcome, Sent)
        if isinstance(outcome, Retry):
            break
    return sent


async def _end_text(engine: AsyncEngine, claimed: Claimed, told: Sequence[Told], *, now: datetime) -> str:
    """What the template says of each; where one has none, one line for all."""
    said = await ends_worded(engine, claimed.channel.id, claimed.templates, told, now=now)
    own = [one for one in said if one is not None]
    return "\n".join(own) if len(own) == len(told) else f":white_check_mark: {escaped(subject_of(told))}"


def outcome_of(said: Said) -> tuple[Outcome, timedelta]:
    """What became of a message. What somebody can mend in Slack is tried again, as trouble that passes is."""
    if isinstance(said, Posted):
        return Sent(f"ok {said.conversation} {said.ts}"), timedelta(0)
    if is_passing(said):
        return Retry(said.reason), said.wait
    return Refused(said.reason), timedelta(0)


def is_passing(said: NotPosted) -> bool:
    """Whether it is worth another attempt."""
    return said.fault in {Fault.PASSING, Fault.APP}
