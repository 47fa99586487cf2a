"""How are changes of alert rules followed? Each, from any place in their log."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any, cast

import strawberry

from domain.alerts.cursor import Cursor, StreamReset, decode_cursor
from domain.rules.trying import MAX_FOLLOWED
from graphql_api.alerts.subscriptions import following, until_executed
from graphql_api.context import Context, Info
from graphql_api.live.course import Course
from graphql_api.live.team_feed import RuleFeed
from graphql_api.rules.events import AlertRuleStreamMessage, ShownAlertRuleEvent
from graphql_api.rules.loaders import load_alert_rules
from graphql_api.rules.trials import AlertRuleTestProgress, TestAlertRuleInput, Testing


@strawberry.type
class RuleSubscriptions:
    """The subscriptions of this noun."""

    @strawberry.subscription(
        description="Every change of the alert rules you may see, at least once, in order; drop repeats by id. `after` "
        "resumes without a gap."
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

    @strawberry.subscription(
        description="Try a rule on up to 1,000,000 stored signals, and be told how far the test has come; the last "
        "message has the whole report, then the stream ends. What ends the stream ends the test."
    )
    async def alert_rule_test(
        self,
        info: Info,
        *,
        data: Annotated[TestAlertRuleInput, strawberry.argument(name="input", description="The rule, and the range.")],
    ) -> AsyncGenerator[AlertRuleTestProgress, None]:
        """See graphql_api/rules/trials.py."""
        async with aclosing(_tested(info.context, data)) as messages:
            async for message in messages:
                yield message


async def _tested(context: Context, data: TestAlertRuleInput) -> AsyncGenerator[AlertRuleTestProgress, None]:
    testing = await Testing.of(context, data, limit=MAX_FOLLOWED)
    async with following(context) as (_hub, watched, ending):
        stream = testing.run()
        told = 0.0
        async with aclosing(stream), aclosing(ending.each_of(stream)) as reports:
            async for report, is_done in reports:
                share = 1.0 if is_done and report.is_whole else testing.span.share(report.until)
                # A message a hundredth of the range, not one a page.
                if not is_done and share - told < _LEAST_SHARE:
                    continue
                told = share
                context.viewer = watched.viewer
                context.renew()
                yield AlertRuleTestProgress(share=share, is_done=is_done, report=report)  # type: ignore[arg-type]


_LEAST_SHARE = 0.01


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
                if await context.loader(load_alert_rules).load(recorded.event.rule_id) is None:
                    continue  # of a team that is hidden from who follows
                shown = ShownAlertRuleEvent(recorded=recorded, place=place)
                async with aclosing(until_executed(context, course, shown, place)) as given:
                    async for again in given:
                        yield again
