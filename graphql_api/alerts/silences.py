"""How is a silence shown beside the alerts it holds?"""

from datetime import datetime
from typing import cast

import strawberry

from domain.silences import model
from domain.silences.matchers import LabelMatcher as Matcher
from graphql_api.alerts.enums import MatchOperator
from graphql_api.exposes import exposes


@exposes(Matcher, name="LabelMatcher", description="A condition on a label.")
class LabelMatcher:
    """See domain.silences.matchers.LabelMatcher."""

    name: str = strawberry.field(description="The label's name.")
    operator: MatchOperator = strawberry.field(description="How the label is compared with the value.")
    value: str = strawberry.field(description="The value, or the regular expression.")


def _matchers(root: strawberry.Parent[model.Silence]) -> list[Matcher]:
    return [cast("Matcher", matcher) for matcher in root.matchers]


@exposes(model.Silence, description="Matchers and a time range; alerts that match are marked, and nobody is woken.")
class Silence:
    """See domain.silences.model.Silence."""

    id: strawberry.ID = strawberry.field(description="The silence's id.")
    matchers = strawberry.field(
        resolver=_matchers, graphql_type=list[LabelMatcher], description="All of them hold for the alerts it holds."
    )
    starts_at: datetime = strawberry.field(description="When it begins.")
    ends_at: datetime = strawberry.field(description="When it ends.")
    created_by: str = strawberry.field(description="Who made it, as they said.")
    comment: str = strawberry.field(description="Why.")
