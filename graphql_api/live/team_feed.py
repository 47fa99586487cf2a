"""How do changes of teams, and of alert rules, reach who follows them? Each by a feed of its own log."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from domain.rules.events import RecordedAlertRuleEvent
from domain.teams.events import RecordedTeamEvent
from graphql_api.live.log_feed import LogFeed
from persistence.rule_events import RULE_EVENTS_CHANNEL, read_rule_events
from persistence.team_events import TEAM_EVENTS_CHANNEL, read_team_events
from tocsin.settings import Settings

TeamFeed: TypeAlias = LogFeed[RecordedTeamEvent]
RuleFeed: TypeAlias = LogFeed[RecordedAlertRuleEvent]


def team_feed(settings: Settings, renew_viewers: Callable[[], Awaitable[None]]) -> TeamFeed:
    """The feed of teams: what changes there changes what people see."""
    return LogFeed(settings, renew_viewers, name="team", channel=TEAM_EVENTS_CHANNEL, read=read_team_events)


def rule_feed(settings: Settings) -> RuleFeed:
    """The feed of alert rules; who follows passes over those of teams that are hidden."""
    return LogFeed(settings, _nothing, name="rule", channel=RULE_EVENTS_CHANNEL, read=read_rule_events)


async def _nothing() -> None:
    """Nobody's sight changes with a rule."""
