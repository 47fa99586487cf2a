"""What would a rule have done to the alerts of the past? Answered at once, for up to 100,000 signals."""

import strawberry

from domain.rules.trying import MAX_AT_ONCE
from graphql_api.context import Info
from graphql_api.errors import InvalidCondition, NotFound, mutation, payload
from graphql_api.rules.trials import AlertRuleTestReport, TestAlertRuleInput, Testing


@strawberry.type(description="What the draft would have done; nothing was saved.")
class TestAlertRuleSuccess:
    """The differences."""

    report: AlertRuleTestReport = strawberry.field(description="What would have been otherwise.")


@mutation(
    payload("TestAlertRule", TestAlertRuleSuccess, NotFound, InvalidCondition),
    description="Try a rule on stored signals before it is switched on: what would have been otherwise than by today's "
    "rules. Of more than 100,000 signals `alertRuleTest` tells, and how far it has come.",
)
async def test_alert_rule(info: Info, data: TestAlertRuleInput) -> TestAlertRuleSuccess:
    """Read, and work through."""
    testing = await Testing.of(info.context, data, limit=MAX_AT_ONCE)
    report = None
    async for found, _ in testing.run():
        report = found
    return TestAlertRuleSuccess(report=report)  # type: ignore[arg-type] # the domain object is the GraphQL object
