"""What does a change of inhibition rules need of its request?"""

from uuid import UUID

from domain.correlation.actions import Bench
from graphql_api.audit_writer import audit
from graphql_api.context import Context
from persistence.inhibition import InhibitionRuleRepository
from persistence.inhibition_marks import follow_rule
from persistence.unit_of_work import UnitOfWork

SOURCE = 'Which alerts hold others: conditions on labels, all of which must hold: `alertname="NodeDown"`.'
TARGET = 'Which alerts are held: `severity=~"high|low"`.'
EQUAL = "The labels that must be equal on both, at most 20; a label that is absent counts as empty."


def bench_of(context: Context, uow: UnitOfWork, action: str) -> Bench[InhibitionRuleRepository]:
    """What an action on inhibition rules needs of this request."""
    return Bench(
        store=InhibitionRuleRepository(uow.connection),
        now=context.now(),
        audit=audit(context, uow, action, "inhibition_rule"),
    )


async def followed(context: Context, rule_id: UUID) -> None:
    """After the COMMIT: hold and let go of what is open by the rule as it is now."""
    await follow_rule(context.state.engine, rule_id, now=context.now())
