"""What can be read of alert rules?"""

from typing import Annotated

import strawberry

from domain.rules import model
from domain.rules.builder import text_of
from domain.rules.building_back import builder_of
from domain.rules.condition import ConditionInvalid
from domain.rules.model import RuleMode
from domain.rules.words import check_words
from graphql_api.context import Info
from graphql_api.rules.builder_types import AlertCondition, AlertConditionInput, built_of, shown
from graphql_api.rules.inputs import BUILDER, CONDITION, required_condition
from graphql_api.rules.loaders import load_alert_rules
from graphql_api.rules.types import AlertRule
from graphql_api.scalars import uuid_or_none
from persistence.conditions import compile_condition
from persistence.rules import list_rules

Id = Annotated[strawberry.ID, strawberry.argument(description="The rule's id.")]
Modes = Annotated[list[RuleMode] | None, strawberry.argument(description="Only those with one of these modes.")]
OfTeam = Annotated[strawberry.ID | None, strawberry.argument(description="Only the rules of this team.")]
IncludeArchived = Annotated[bool, strawberry.argument(description="Whether ended ones are listed too.")]
Text = Annotated[str | None, strawberry.argument(description=CONDITION)]
Builder = Annotated[AlertConditionInput | None, strawberry.argument(description=BUILDER)]


@strawberry.type(description="Whether a condition can be used; it is kept nowhere.")
class ConditionCheck:
    """What `compile_condition` says."""

    is_valid: bool = strawberry.field(description="Whether it can be used.")
    text: str = strawberry.field(description="The condition, in CEL.")
    message: str | None = strawberry.field(description="What is wrong, and what would be right; null when nothing is.")
    line: int | None = strawberry.field(description="In which line, from 1; null when unknown.")
    column: int | None = strawberry.field(description="In which column, from 1; null when unknown.")
    facts: list[str] = strawberry.field(description="What of an alert it looks at.")
    asks_alert: bool = strawberry.field(
        description="Whether it looks at the alert itself, so that it is asked when the signal has met its alert."
    )
    builder: AlertCondition | None = strawberry.field(
        description="The condition as comparisons; null where it says what no builder can say."
    )


def checked(text: str) -> ConditionCheck:
    """What is to be said of a text."""
    try:
        condition = compile_condition(text)
        check_words(condition)
    except ConditionInvalid as error:
        return ConditionCheck(
            is_valid=False,
            text=text,
            message=error.message,
            line=error.line,
            column=error.column,
            facts=[],
            asks_alert=False,
            builder=None,
        )
    built = builder_of(condition.tree.root)
    return ConditionCheck(
        is_valid=True,
        text=text,
        message=None,
        line=None,
        column=None,
        facts=sorted(condition.names),
        asks_alert=condition.needs_state,
        builder=None if built is None else shown(built),
    )


@strawberry.type
class RuleQueries:
    """Mixed into Query."""

    @strawberry.field(description="One alert rule; null for none you may see.", graphql_type=AlertRule | None)
    async def alert_rule(self, info: Info, *, id: Id) -> model.AlertRule | None:  # noqa: A002 - the API's name
        """By id."""
        rule_id = uuid_or_none(id)
        return None if rule_id is None else await info.context.loader(load_alert_rules).load(rule_id)

    @strawberry.field(
        description="The alert rules you may see, in the order they are asked: those of no team first, then each "
        "team's.",
        graphql_type=list[AlertRule],
    )
    async def alert_rules(
        self, info: Info, *, modes: Modes = None, team_id: OfTeam = None, include_archived: IncludeArchived = False
    ) -> list[model.AlertRule]:
        """At most 500, and those that were archived: no paging."""
        team = None if team_id is None else uuid_or_none(team_id)
        if team_id is not None and team is None:
            return []
        sight = info.context.require_viewer().sight
        async with info.context.read() as connection:
            rules = await list_rules(connection, sight=sight, team_id=team, with_archived=include_archived)
        return [rule for rule in rules if modes is None or rule.mode in modes]

    @strawberry.field(description="Check a condition, as it is checked when a rule is saved.")
    async def check_condition(self, *, condition: Text = None, builder: Builder = None) -> ConditionCheck:
        """The text, or the text of the builder."""
        if builder is not None and condition is None:
            return checked(text_of(built_of(builder)))
        return checked(required_condition(condition, builder))
