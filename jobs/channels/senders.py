"""By what is each kind of channel sent? One file each, named here; a test finds a kind that has none."""

from collections.abc import Iterator
from contextlib import contextmanager

from domain.channels.kind import ChannelKind
from domain.channels.kinds import pagerduty as pagerduty_kind
from domain.channels.kinds import slack as slack_kind
from domain.channels.kinds import slack_bot as slack_bot_kind
from domain.channels.kinds import teams as teams_kind
from domain.channels.kinds import webhook as webhook_kind
from jobs.channels.contract import Send
from jobs.channels.pagerduty import judge_pagerduty, pagerduty
from jobs.channels.posting import posting
from jobs.channels.slack import slack
from jobs.channels.slack_bot import send_by_bot
from jobs.channels.teams import judge_teams, teams
from jobs.channels.webhook import webhook

_SENDERS: dict[str, Send] = {}


def register(kind: ChannelKind, send: Send) -> None:
    """Say by what a kind is sent."""
    _SENDERS[kind.name] = send


register(slack_kind.KIND, posting(slack))
register(slack_bot_kind.KIND, send_by_bot)
register(teams_kind.KIND, posting(teams, judge_teams))
register(pagerduty_kind.KIND, posting(pagerduty, judge_pagerduty))
register(webhook_kind.KIND, posting(webhook))


@contextmanager
def sending(kind: ChannelKind, send: Send) -> Iterator[None]:
    """The same for a while."""
    register(kind, send)
    try:
        yield
    finally:
        del _SENDERS[kind.name]


def sender_of(kind: ChannelKind) -> Send:
    """By what it is sent; KeyError where a file is missing."""
    return _SENDERS[kind.name]
