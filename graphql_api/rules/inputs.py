"""How does a client say what an alert rule is?"""

from collections.abc import Mapping
from datetime import timedelta

import strawberry

from domain.errors import InvalidInput
from domain.rules.actions import RuleDesk
from domain.rules.builder import text_of
from domain.rules.model import Effects, Priority
from graphql_api.audit_writer import desk_of
from graphql_api.context import Context
from graphql_api.enums import Severity
from graphql_api.rules import enums as _enums  # noqa: F401 - makes the enums
from graphql_api.rules.builder_types import AlertConditionInput, built_of
from graphql_api.scalars import uuid_or_none
from persistence.conditions import CONDITIONS
from persistence.rules import AlertRuleRepository
from persistence.unit_of_work import UnitOfWork

CONDITION = "The condition, in CEL: see docs/rules.md. Either this or `builder`."
BUILDER = "The condition, put together of comparisons. Either this or `condition`."
SERVICE_FILTER = "Only alerts of these services: a name, in which * stands for any text."
STOPS = (
    "Whether no later rule of the same owner is asked once this one holds. Rules that look at the alert itself are "
    "asked apart from those that do not."
)


@strawberry.input(description="A label that a rule sets.")
class AlertRuleLabelInput:
    """Name and value."""

    name: str = strawberry.field(description="The label's name.")
    value: str = strawberry.field(description="The value it gets.")


@strawberry.input(description="What a rule does to an alert; what is left out leaves it as it is.")
class AlertRuleEffectsInput:
    """See domain.rules.model.Effects."""

    severity: Severity | None = strawberry.field(description="The severity it sets.", default=None)
    team_id: strawberry.ID | None = strawberry.field(
        description="The team that gets an alert which opens, unless a person named one.", default=None
    )
    priority: Priority | None = strawberry.field(
        description="The priority it sets, as the label `priority`.", default=None
    )
    labels: list[AlertRuleLabelInput] = strawberry.field(
        description="The labels it sets, at most 20.", default_factory=list
    )
    suppress: str | None = strawberry.field(
        description="Why nobody is to be woken: the alert is kept, and marked with it.", default=None
    )
    dedup_by: list[str] = strawberry.field(
        description="What makes the deduplication key instead of the source's: title, service, source, labels.<name>; "
        "at most 10. A resolve must have the same parts, or it ends nothing.",
        default_factory=list,
    )
    group_by: list[str] = strawberry.field(
        description="What makes the key of the group it joins: the same words.", default_factory=list
    )
    reopen_window: timedelta | None = strawberry.field(
        description="How long after its end the alert can open again: a minute to 30 days.", default=None
    )
    auto_resolve_after: timedelta | None = strawberry.field(
        description="How long after its last signal the alert ends by itself: a minute to 30 days. A source that says "
        "when it ends is believed.",
        default=None,
    )


def effects_of(given: AlertRuleEffectsInput) -> Effects:
    """The domain's effects; InvalidInput for an id that is none, or a label named twice."""
    team_id = None
    if given.team_id is not None:
        team_id = uuid_or_none(given.team_id)
        if team_id is None:
            message = "no such team"
            raise InvalidInput(message, ("effects", "teamId"))
    return Effects(
        severity=given.severity,
        team_id=team_id,
        priority=given.priority,
        labels=_labels_of(given),
        suppress=given.suppress,
        dedup_by=tuple(given.dedup_by),
        group_by=tuple(given.group_by),
        reopen_window=given.reopen_window,
        auto_resolve_after=given.auto_resolve_after,
    )


def _labels_of(given: AlertRuleEffectsInput) -> Mapping[str, str]:
    labels = {label.name: label.value for label in given.labels}
    if len(labels) < len(given.labels):
        message = "name each label once"
        raise InvalidInput(message, ("effects", "labels"))
    return labels


def condition_of(condition: str | None, builder: AlertConditionInput | None) -> str | None:
    """The condition's text, however it was given; None when it was not."""
    if condition is not None and builder is not None:
        message = "give either condition or builder"
        raise InvalidInput(message, ("builder",))
    return condition if builder is None else text_of(built_of(builder))


def required_condition(condition: str | None, builder: AlertConditionInput | None) -> str:
    """The same where there must be one."""
    text = condition_of(condition, builder)
    if text is None:
        message = "give a condition, or a builder"
        raise InvalidInput(message, ("condition",))
    return text


def desk(context: Context, uow: UnitOfWork, action: str) -> RuleDesk:
    """What an action on alert rules needs of this request."""
    stores = AlertRuleRepository(uow.connection)
    return RuleDesk(desk=desk_of(context, uow, stores, action=action, target_kind="alert_rule"), engine=CONDITIONS)
