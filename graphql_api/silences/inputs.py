"""How does a client say which alerts a silence is to hold?"""

from collections.abc import Sequence
from uuid import UUID

import strawberry

from domain.errors import InvalidInput
from domain.silences.expression import expression
from domain.silences.matchers import MAX_MATCHERS, InvalidMatcher, LabelMatcher, MatchOperator
from domain.silences.model import AlertCondition
from graphql_api.context import Context
from graphql_api.scalars import uuid_of
from persistence.silence_conditions import KEPT_CONDITIONS

MATCHERS = "All of these must hold. At least one must ask for more than an empty label."
CONDITION = (
    "A condition in CEL that must hold besides, over `alert.title`, `alert.severity`, `alert.source`, `alert.service`, "
    '`alert.labels`, `alert.team` and more: `alert.severity < HIGH && alert.labels.env == "staging"`.'
)
CONFIRM_BROAD = (
    "Say that it is meant, where it would hold most alerts. Without any condition it is refused all the same."
)


@strawberry.input(description='A condition on a label, as Alertmanager has them: `env="prod"`, `instance=~"db-.*"`.')
class SilenceMatcherInput:
    """See domain.silences.matchers.LabelMatcher."""

    name: str = strawberry.field(description="The label's name.")
    operator: MatchOperator = strawberry.field(
        description="How the label is compared with the value.", default=MatchOperator.EQUAL
    )
    value: str = strawberry.field(
        description="The value, or the regular expression (RE2, anchored at both ends). An absent label is empty."
    )


def matchers_of(given: Sequence[SilenceMatcherInput]) -> tuple[LabelMatcher, ...]:
    """The domain's matchers; InvalidInput for one that cannot be."""
    if len(given) > MAX_MATCHERS:
        raise InvalidInput(f"at most {MAX_MATCHERS} matchers, these are {len(given)}", ("matchers",))
    made = []
    for place, one in enumerate(given):
        try:
            made.append(LabelMatcher(one.name, one.operator, one.value))
        except InvalidMatcher as error:
            raise InvalidInput(error.message, ("matchers", str(place), *error.path)) from error
    return tuple(made)


def condition_of(text: str | None, *, kept: AlertCondition | None = None) -> AlertCondition | None:
    """The domain's condition; InvalidInput, with its place, for a fault.

    `kept` is the one of what is edited: sent back as it is, it is nothing that is written now.
    """
    if text is None:
        return None
    return kept if kept is not None and text == kept.text else expression(text, KEPT_CONDITIONS)


def places_of(integration_id: strawberry.ID | None, team_id: strawberry.ID | None) -> tuple[UUID | None, UUID | None]:
    """The integration and the team whose alerts alone are meant; NotFound for an id that is none."""
    return (
        None if integration_id is None else uuid_of(integration_id, "integration", "integrationId"),
        None if team_id is None else uuid_of(team_id, "team", "teamId"),
    )


def broad_share(context: Context) -> float:
    """From which share of all alerts on a silence must be confirmed."""
    return context.settings.silence_broad_percent / 100
