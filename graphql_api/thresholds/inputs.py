"""How does a client say what a rule measures, and what it raises?"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import strawberry
from strawberry.scalars import JSON

from domain.errors import InvalidInput
from domain.thresholds.actions import RuleDesk
from domain.thresholds.model import Condition, Match, Raised
from graphql_api.audit_writer import desk_of
from graphql_api.context import Context
from graphql_api.enums import Severity
from graphql_api.scalars import uuid_or_none
from graphql_api.thresholds.enums import Comparison, Dimension, Measure
from persistence.threshold_rules import ThresholdRuleRepository
from persistence.unit_of_work import UnitOfWork


@strawberry.input(description="Which alerts count: those with one of the values, for each list that is not empty.")
class ThresholdMatchInput:
    """See domain.thresholds.model.Match."""

    services: list[str] = strawberry.field(description="Of these services, at most 50.", default_factory=list)
    team_ids: list[strawberry.ID] = strawberry.field(description="Of these teams, at most 50.", default_factory=list)
    severities: list[Severity] = strawberry.field(description="Of these severities.", default_factory=list)
    sources: list[str] = strawberry.field(description="Of these sources, at most 50.", default_factory=list)


@strawberry.input(description="What must hold, and for how long. Times are in whole minutes.")
class ThresholdConditionInput:
    """See domain.thresholds.model.Condition."""

    measure: Measure = strawberry.field(description="What is measured.")
    window: timedelta = strawberry.field(description="Over how long, a minute to a day; at least two for ABSENCE.")
    comparison: Comparison = strawberry.field(
        description="On which side of the threshold it is wrong; ABSENCE has its own.", default=Comparison.AT_LEAST
    )
    raise_at: float | None = strawberry.field(
        description="The value that raises; required, but for ABSENCE.", default=None
    )
    clear_at: float | None = strawberry.field(
        description="The value that clears: below it for AT_LEAST, above it for AT_MOST. Between the two nothing "
        "changes. `raiseAt` if left out.",
        default=None,
    )
    for_: timedelta = strawberry.field(
        name="for", description="How long it must hold before the alert is raised, at most a day.", default=timedelta()
    )
    match: ThresholdMatchInput = strawberry.field(
        description="Which alerts count; all that the rule sees, if left out.", default_factory=ThresholdMatchInput
    )
    group_by: Dimension | None = strawberry.field(
        description="Measure each value of this by itself; all together, if left out.", default=None
    )


@strawberry.input(description="The alert a rule raises.")
class ThresholdAlertInput:
    """See domain.thresholds.model.Raised."""

    title: str = strawberry.field(
        description="Its title; {group}, {value}, {threshold}, {window} and {rule} stand for what happened."
    )
    severity: Severity = strawberry.field(description="Its severity.")
    description: str = strawberry.field(description="Its description, with the same names.", default="")
    labels: JSON | None = strawberry.field(
        description="Its labels, an object of texts. `rule` is added, and the group under the name of what it is.",
        default=None,
    )


def condition_of(given: ThresholdConditionInput) -> Condition:
    """The domain's condition; InvalidInput where a threshold is missing or an id is none."""
    raise_at = given.raise_at
    if raise_at is None:
        if given.measure is not Measure.ABSENCE:
            message = "the value that raises: every measure but ABSENCE needs one"
            raise InvalidInput(message, ("condition", "raiseAt"))
        raise_at = 0.0
    return Condition(
        measure=given.measure,
        window=given.window,
        comparison=given.comparison,
        raise_at=raise_at,
        clear_at=raise_at if given.clear_at is None else given.clear_at,
        hold=given.for_,
        group_by=given.group_by,
        match=Match(
            services=tuple(given.match.services),
            team_ids=_teams(given.match.team_ids),
            severities=tuple(given.match.severities),
            sources=tuple(given.match.sources),
        ),
    )


def _teams(ids: Sequence[strawberry.ID]) -> tuple[UUID, ...]:
    teams = []
    for place, text in enumerate(ids):
        found = uuid_or_none(text)
        if found is None:
            raise InvalidInput("no such team", ("condition", "match", "teamIds", str(place)))
        teams.append(found)
    return tuple(teams)


def raised_of(given: ThresholdAlertInput) -> Raised:
    """The domain's alert to raise."""
    return Raised(
        title=given.title,
        severity=given.severity,
        description=given.description,
        labels=object_of(given.labels, "alert", "labels"),
    )


def object_of(value: object, *path: str) -> dict[str, str]:
    """Labels as JSON holds them; each is checked where they are taken."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        message = "labels are an object: a name and a text each"
        raise InvalidInput(message, path)
    return value


def desk(context: Context, uow: UnitOfWork, action: str) -> RuleDesk:
    """What an action on threshold rules needs of this request."""
    return desk_of(context, uow, ThresholdRuleRepository(uow.connection), action=action, target_kind="threshold_rule")
