"""How is an inhibition rule shown?"""

from datetime import datetime

import strawberry

from domain.inhibition import model
from graphql_api.exposes import exposes


def _source(root: strawberry.Parent[model.InhibitionRule]) -> str:
    return ",".join(map(str, root.source))


def _target(root: strawberry.Parent[model.InhibitionRule]) -> str:
    return ",".join(map(str, root.target))


@exposes(
    model.InhibitionRule,
    description="While an alert of one kind is open, those of another are held: kept, marked, and nobody is woken.",
)
class InhibitionRule:
    """See domain.inhibition.model.InhibitionRule."""

    id: strawberry.ID = strawberry.field(description="The rule's id.")
    name: str = strawberry.field(description="The name people read.")
    description: str = strawberry.field(description="What it is for.")
    enabled: bool = strawberry.field(description="Whether it holds.")
    source_matchers = strawberry.field(resolver=_source, description="Which alerts hold others, as matchers on labels.")
    target_matchers = strawberry.field(resolver=_target, description="Which alerts are held, as matchers on labels.")
    equal: list[str] = strawberry.field(
        description="The labels that must be equal on both; absent ones count as empty."
    )
    created_at: datetime = strawberry.field(description="When it was made.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")
    archived_at: datetime | None = strawberry.field(description="When it ended; null while it counts.")
    version: int = strawberry.field(description="Grows with each change; give it as `expectedVersion`.")
