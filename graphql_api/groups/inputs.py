"""How does a client say what a group rule is?"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import strawberry

from domain.correlation.actions import Bench
from domain.correlation.drafts import read_matchers
from domain.correlation.model import Part
from domain.errors import InvalidInput
from graphql_api.audit_writer import audit
from graphql_api.context import Context
from graphql_api.scalars import uuid_or_none
from persistence.correlation_store import GroupRuleRepository, ServiceRepository
from persistence.unit_of_work import UnitOfWork

MATCHERS = 'Which alerts it is for: conditions on labels, all of which must hold: `env="prod",shop=~"eu-.*"`.'
CONDITION = 'Which alerts it is for, as CEL over an alert: `alert.severity >= HIGH && alert.service == "api"`.'
WINDOW = "How long a group waits for its next alert, or within what time all parts must be seen: a second to a day."
MAX_AGE = "How old a group may become and still take alerts: at least the window, at most 7 days."
RANK = "Of rules of one strategy the smallest goes first. 1 to 10,000."
THRESHOLD = "By how many percent two titles must be alike, 50 to 100; only for SIMILARITY."
LABELS = "The labels whose values its alerts have in common, at most 10; for TOGETHER, those that must be equal."
PARTS = "For TOGETHER: from 2 to 5 things that must each be seen within the window."
DEPENDS_ON = "The services it needs to work, at most 100: all of them, in place of what it needs now."
EXPECTED_VERSION = "The version you read; the edit is refused when it has another by now."


@strawberry.input(description="One of the things that must be seen together.")
class GroupRulePartInput:
    """See domain.correlation.model.Part."""

    name: str = strawberry.field(description="The name people read.")
    matchers: str = strawberry.field(description='Which alerts are it: `service="payments"`.')


def parts_of(given: Sequence[GroupRulePartInput]) -> tuple[Part, ...]:
    """The domain's parts."""
    return tuple(
        Part(name=one.name.strip(), matchers=read_matchers(one.matchers, ("parts", str(place), "matchers")))
        for place, one in enumerate(given)
    )


def upstreams_of(given: Sequence[strawberry.ID]) -> tuple[UUID, ...]:
    """The ids of services."""
    found = []
    for place, one in enumerate(given):
        service_id = uuid_or_none(one)
        if service_id is None:
            message = "no such service"
            raise InvalidInput(message, ("dependsOnIds", str(place)))
        found.append(service_id)
    return tuple(found)


def given(data: object, *names: str) -> dict[str, Any]:
    """Those of the input's fields that were given; null counts as left out."""
    return {name: value for name in names if (value := getattr(data, name)) is not None}


def rule_bench(context: Context, uow: UnitOfWork, action: str) -> Bench[GroupRuleRepository]:
    """What an action on group rules needs of this request."""
    return Bench(
        store=GroupRuleRepository(uow.connection), now=context.now(), audit=audit(context, uow, action, "group_rule")
    )


def service_bench(context: Context, uow: UnitOfWork, action: str) -> Bench[ServiceRepository]:
    """What an action on services needs of this request."""
    return Bench(
        store=ServiceRepository(uow.connection), now=context.now(), audit=audit(context, uow, action, "service")
    )
