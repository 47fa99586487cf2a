"""How are changes of alert rules followed? Each, from any place in their log."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any, cast

import strawberry

from domain.alerts.cursor import Cursor, StreamReset, decode_cursor
from graphql_api.alerts.subscriptions import following, until_executed
from graphql_api.context import Context, Info
from graphql_api.live.course import Course
from graphql_api.live.team_feed import RuleFeed
from graphql_api.rules.events import AlertRuleStreamMessage, ShownAlertRuleEvent


@strawberry.type
class RuleSubscriptions:
    """The subscriptions of this noun."""

    @strawberry.subscription(
        description="Every change of alert rules, at least once, in order; drop repeats by id. `after` resumes without "
        "a gap."
    )
    async def alert_rule_events(
        self,
        info: Info,
        *,
        after: Annotated[
            str | None,
            strawberry.argument(description="The `cursor` of the last event received. By default it begins now."),
        ] = None,
    ) -> AsyncGenerator[AlertRuleStreamMessage, None]:
        """See graphql_api/live/log_feed.py for how nothing is missed."""
        cursor = None if after is None else decode_cursor(after)
        async with aclosing(_events(info.context, cursor)) as events:
            async for item in events:
                yield cast("Any", item)


def _feed_of(context: Context) -> RuleFeed:
    if context.state.rule_feed is None:
        message = "the feed of alert rules is not open"
        raise RuntimeError(message)
    return context.state.rule_feed


async def _events(context: Context, after: Cursor | None) -> AsyncGenerator[ShownAlertRuleEvent | StreamReset, None]:
    course = context.course = context.course or Course()
    async with following(context) as (_hub, watched, ending):
        stream = _feed_of(context).follow(after)
        async with aclosing(stream), aclosing(ending.each_of(stream)) as items:
            async for item in items:
                if isinstance(item, StreamReset):
                    yield item
                    return
                recorded, place = item
                context.viewer = watched.viewer
                context.renew()
                shown = ShownAlertRuleEvent(recorded=recorded, place=place)
                async with aclosing(until_executed(context, course, shown, place)) as given:
                    async for again in given:
                        yield again
