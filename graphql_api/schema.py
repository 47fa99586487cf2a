"""What is the schema? Each noun's queries, mutations and subscriptions, put together; printed as schema.graphql.

`python -m graphql_api.schema` prints it, `--write` writes schema.graphql, `--check` fails when that file differs.
"""

import argparse
import difflib
import sys
from pathlib import Path
from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.schema.config import StrawberryConfig

from graphql_api.access.mutations import AccessMutations
from graphql_api.access.queries import AccessQueries
from graphql_api.alerts.batches import AlertBatchSubscriptions
from graphql_api.alerts.mutations import AlertMutations
from graphql_api.alerts.queries import AlertQueries
from graphql_api.alerts.search import SearchQueries
from graphql_api.alerts.subscriptions import AlertSubscriptions
from graphql_api.analytics.queries import AnalyticsQueries
from graphql_api.audit.queries import AuditQueries
from graphql_api.audit.recording import RecordNoted
from graphql_api.channels.mutations import ChannelMutations
from graphql_api.channels.person_templates import PersonTemplateQueries
from graphql_api.channels.queries import ChannelQueries
from graphql_api.contacts.mutations import ContactMutations
from graphql_api.contacts.team_rest import TeamRestQueries
from graphql_api.documents.mutations import DocumentMutations
from graphql_api.documents.queries import DocumentQueries
from graphql_api.escalations.deliveries import DeliveryQueries
from graphql_api.escalations.drill_types import DrillQueries
from graphql_api.escalations.mutations import EscalationMutations
from graphql_api.escalations.queries import EscalationQueries
from graphql_api.escalations.rehearsal import RehearsalQueries
from graphql_api.escalations.why import WhyQueries
from graphql_api.execution import Execution
from graphql_api.groups.mutations import GroupMutations
from graphql_api.groups.queries import GroupQueries
from graphql_api.guards import guard, guard_fields
from graphql_api.heartbeats.mutations import HeartbeatMutations
from graphql_api.heartbeats.queries import HeartbeatQueries
from graphql_api.identity.account_mutations import AccountMutations
from graphql_api.identity.factors.mutations import FactorMutations
from graphql_api.identity.factors.queries import FactorQueries
from graphql_api.identity.identity_types import IdentityProviderQueries
from graphql_api.identity.mutations import IdentityMutations
from graphql_api.identity.queries import IdentityQueries
from graphql_api.identity.session_types import SessionQueries
from graphql_api.inhibition.mutations import InhibitionMutations
from graphql_api.inhibition.queries import InhibitionQueries
from graphql_api.integrations.mutations import IntegrationMutations
from graphql_api.integrations.queries import IntegrationQueries
from graphql_api.limits import DocumentLimits, Documents, Limits
from graphql_api.maintenance.mutations import MaintenanceMutations
from graphql_api.maintenance.queries import MaintenanceQueries
from graphql_api.masking import MaskErrors
from graphql_api.privacy.mutations import PrivacyMutations
from graphql_api.privacy.queries import PrivacyQueries
from graphql_api.receipts.mutations import ReceiptMutations
from graphql_api.receipts.queries import ReceiptQueries
from graphql_api.routing.mutations import RoutingMutations
from graphql_api.routing.queries import RoutingQueries
from graphql_api.routing.rehearsal import RoutingRehearsalQueries
from graphql_api.routing.simulation import SimulationQueries
from graphql_api.rules.mutations import RuleMutations
from graphql_api.rules.queries import RuleQueries
from graphql_api.rules.subscriptions import RuleSubscriptions
from graphql_api.scalars import SCALARS
from graphql_api.schedules.feed_types import CalendarFeedQueries
from graphql_api.schedules.mutations import ScheduleMutations
from graphql_api.schedules.queries import ScheduleQueries
from graphql_api.schedules.subscriptions import ScheduleSubscriptions
from graphql_api.schedules.swap_queries import ShiftSwapQueries
from graphql_api.silences.mutations import SilenceMutations
from graphql_api.silences.queries import SilenceQueries
from graphql_api.teams.mutations import TeamMutations
from graphql_api.teams.queries import TeamQueries
from graphql_api.teams.subscriptions import TeamSubscriptions
from graphql_api.thresholds.mutations import ThresholdMutations
from graphql_api.thresholds.queries import ThresholdQueries

SCHEMA_FILE = Path(__file__).parent.parent / "schema.graphql"

# Their order is the order of the printed schema. The right-most base comes first.
QUERIES: tuple[type, ...] = (
    IdentityQueries,
    FactorQueries,
    TeamQueries,
    SessionQueries,
    IdentityProviderQueries,
    AlertQueries,
    GroupQueries,
    InhibitionQueries,
    SearchQueries,
    IntegrationQueries,
    ReceiptQueries,
    DocumentQueries,
    AuditQueries,
    AccessQueries,
    ScheduleQueries,
    ShiftSwapQueries,
    CalendarFeedQueries,
    EscalationQueries,
    DrillQueries,
    RoutingQueries,
    RoutingRehearsalQueries,
    SimulationQueries,
    TeamRestQueries,
    DeliveryQueries,
    RehearsalQueries,
    WhyQueries,
    ChannelQueries,
    PersonTemplateQueries,
    RuleQueries,
    SilenceQueries,
    MaintenanceQueries,
    PrivacyQueries,
    AnalyticsQueries,
    ThresholdQueries,
    HeartbeatQueries,
)
MUTATIONS: tuple[type, ...] = (
    IdentityMutations,
    AccountMutations,
    FactorMutations,
    TeamMutations,
    AlertMutations,
    GroupMutations,
    InhibitionMutations,
    IntegrationMutations,
    ReceiptMutations,
    DocumentMutations,
    AccessMutations,
    ScheduleMutations,
    EscalationMutations,
    RoutingMutations,
    ChannelMutations,
    ContactMutations,
    RuleMutations,
    SilenceMutations,
    MaintenanceMutations,
    PrivacyMutations,
    ThresholdMutations,
    HeartbeatMutations,
)
SUBSCRIPTIONS: tuple[type, ...] = (
    AlertSubscriptions,
    AlertBatchSubscriptions,
    TeamSubscriptions,
    RuleSubscriptions,
    ScheduleSubscriptions,
)


class Schema(strawberry.Schema):
    """Our schema. Errors are logged where they are shown (graphql_api/masking.py), not here a second time."""

    def process_errors(self, errors: list[GraphQLError], execution_context: object = None) -> None:
        """Leave them to the masking extension."""


def _root(name: str, parts: tuple[type, ...], description: str) -> type | None:
    if not parts:
        return None
    made: type = strawberry.type(type(name, tuple(reversed(parts)), {}), name=name, description=description)
    return made


def _roots() -> tuple[Any, Any, Any]:
    query = _root("Query", QUERIES, "What can be read.")
    mutation = _root("Mutation", MUTATIONS, "What can be changed. Each takes one `input` and answers with a union.")
    subscription = _root("Subscription", SUBSCRIPTIONS, "What can be followed as it happens.")
    for root in (query, mutation, subscription):
        if root is not None:
            guard(root)
    return query, mutation, subscription


# Made once a process: the guard adds to the fields themselves.
ROOTS = _roots()


def build_schema(documents: Documents) -> Schema:
    """The executable schema; `documents` is its cache of parsed documents, which knows the limits."""
    query, mutation, subscription = ROOTS
    schema = Schema(
        query=query,
        mutation=mutation,
        subscription=subscription,
        # The first extension is the outermost: masking sees what all others raise.
        extensions=[MaskErrors, lambda: DocumentLimits(documents), RecordNoted],
        config=StrawberryConfig(scalar_map=SCALARS),
        execution_context_class=Execution,
    )
    guard_fields(schema._schema)  # noqa: SLF001 - strawberry has no public way to it
    return schema


def printed() -> str:
    """The schema in SDL, in a stable order."""
    limits = Limits(depth=1, aliases=1, tokens=1)
    return build_schema(Documents(limits)).as_str().strip() + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Print, write or check schema.graphql."""
    parser = argparse.ArgumentParser(prog="python -m graphql_api.schema", description="The GraphQL schema.")
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--write", action="store_true", help="write schema.graphql")
    choice.add_argument("--check", action="store_true", help="fail when schema.graphql is out of date")
    asked = parser.parse_args(arguments)
    text = printed()
    if asked.write:
        SCHEMA_FILE.write_text(text)
    elif asked.check:
        kept = SCHEMA_FILE.read_text() if SCHEMA_FILE.exists() else ""
        if kept != text:
            difference = difflib.unified_diff(kept.splitlines(), text.splitlines(), "schema.graphql", "the code")
            sys.stderr.write("\n".join(difference) + "\nrun: python -m graphql_api.schema --write\n")
            return 1
    else:
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
