"""How are changes of alert rules followed? Each, from any place in their log."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any, cast

import strawberry

from domain.alerts.cursor import Cursor
from domain.rules.events import RecordedAlertRuleEvent
from domain.rules.trying import MAX_FOLLOWED
from graphql_api.alerts.subscriptions import following
from graphql_api.context import Context, Info
from graphql_api.log_streams import changes
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
        """See graphql_api/log_streams.py."""
        stream = changes(info.context, info.context.state.rule_feed, after, _shown)
        async with aclosing(stream) as events:
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


async def _shown(context: Context, recorded: RecordedAlertRuleEvent, place: Cursor) -> ShownAlertRuleEvent | None:
    """The event; None of a rule of a team that is hidden from who follows."""
    rule = await context.loader(load_alert_rules).load(recorded.event.rule_id)
    return None if rule is None else ShownAlertRuleEvent(recorded=recorded, place=place)
