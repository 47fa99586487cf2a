"""How is a condition on a label shown? The same for silences and maintenance windows."""

import strawberry

from domain.silences.matchers import LabelMatcher as Matcher
from graphql_api.alerts.enums import MatchOperator
from graphql_api.exposes import exposes


@exposes(Matcher, name="LabelMatcher", description="A condition on a label.")
class LabelMatcher:
    """See domain.silences.matchers.LabelMatcher."""

    name: str = strawberry.field(description="The label's name.")
    operator: MatchOperator = strawberry.field(description="How the label is compared with the value.")
    value: str = strawberry.field(description="The value, or the regular expression.")
