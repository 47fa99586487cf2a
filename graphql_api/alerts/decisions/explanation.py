"""What does every decision have?"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

import strawberry

from domain.alerts.decisions import DecisionKind


@strawberry.interface(description="What every decision has.")
class Explanation:
    """See domain.alerts.explanation.RecordedDecision."""

    reason: str = strawberry.field(description="The sentence a person reads.")
    decided_at: datetime = strawberry.field(description="When it was decided.")
    event_id: strawberry.ID = strawberry.field(description="The event on the timeline that it caused.")


# Of each kind, how the object is made of its inputs and of what all have.
Makers: TypeAlias = Mapping[DecisionKind, Callable[[Mapping[str, Any], Mapping[str, Any]], Explanation]]
