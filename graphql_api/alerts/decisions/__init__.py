"""Why did Tocsin do that? Each kind of decision as a type of its own, with the inputs it was made from."""

from typing import Annotated, TypeAlias, Union

import strawberry

from domain.alerts.explanation import RecordedDecision
from graphql_api.alerts.decisions import arrival, noise, sources
from graphql_api.alerts.decisions.arrival import (
    DedupKeyDecision,
    FoldDecision,
    SeverityDecision,
    SourceTimeDecision,
    TeamDecision,
    WarningDecision,
)
from graphql_api.alerts.decisions.explanation import Explanation
from graphql_api.alerts.decisions.noise import (
    FlappingDecision,
    GroupDecision,
    InhibitionDecision,
    PauseDecision,
    SilenceDecision,
)
from graphql_api.alerts.decisions.sources import AlertRuleDecision, HeartbeatDecision, ThresholdDecision
from graphql_api.alerts.decisions.telling import NotificationDecision, RoutingDecision

Decision: TypeAlias = Annotated[
    Union[  # noqa: UP007 - strawberry names a union by its annotation
        DedupKeyDecision,
        SeverityDecision,
        TeamDecision,
        FoldDecision,
        SourceTimeDecision,
        SilenceDecision,
        AlertRuleDecision,
        GroupDecision,
        InhibitionDecision,
        FlappingDecision,
        PauseDecision,
        ThresholdDecision,
        HeartbeatDecision,
        WarningDecision,
        RoutingDecision,
        NotificationDecision,
    ],
    strawberry.union("Decision", description="One decision on an alert: what, why, and from which inputs."),
]
_MAKERS = {**arrival.MAKERS, **noise.MAKERS, **sources.MAKERS}


def decision_of(recorded: RecordedDecision) -> Explanation:
    """The GraphQL object for a decision."""
    told = {
        "reason": recorded.reason,
        "decided_at": recorded.decided_at,
        "event_id": strawberry.ID(str(recorded.event_id)),
    }
    return _MAKERS[recorded.kind](recorded.inputs, told)
