"""How does a client say what a routing rule is?"""

from domain.routing.actions import RuleDesk
from graphql_api.audit_writer import desk_of
from graphql_api.context import Context
from persistence.routing import RoutingRuleRepository
from persistence.unit_of_work import UnitOfWork

EVENTS = "What it tells of; OPENED and REOPENED if left out."
TARGETS = "Whom it tells, at most 20: people, teams, whoever is on call by a schedule, channels."
POLICY = "An escalation policy of the same team that is set to work when the alert opens."
STOPS = "Whether no later rule of the same owner is asked once this one holds."


def desk(context: Context, uow: UnitOfWork, action: str) -> RuleDesk:
    """What an action on routing rules needs of this request."""
    stores = RoutingRuleRepository(uow.connection)
    return desk_of(context, uow, stores, action=action, target_kind="routing_rule")
