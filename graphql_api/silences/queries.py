"""What can be read of silences?"""

from typing import Annotated
from uuid import UUID

import strawberry

from domain.silences import model
from domain.silences.model import SilenceKind, SilenceState
from graphql_api.alerts.loaders import load_silences
from graphql_api.connection import After, Before, Connection, Cursors, First, Last, connection, page_request
from graphql_api.context import Context, Info
from graphql_api.scalars import uuid_or_none
from graphql_api.silences.types import Silence
from persistence.reads.silences import Slice, Wanted, count_silences, read_silences

_CURSORS: Cursors[tuple[UUID]] = Cursors("silences", tuple[UUID])
NOBODY = UUID(int=0)


@strawberry.input(description="Which silences are wanted. All conditions given must hold; one left out does not count.")
class SilenceFilter:
    """See persistence.reads.silences.Wanted."""

    state: list[SilenceState] | None = strawberry.field(description="In one of these states.", default=None)
    kind: list[SilenceKind] | None = strawberry.field(description="One of these kinds.", default=None)
    integration_id: strawberry.ID | None = strawberry.field(
        description="Over the alerts of this integration alone.", default=None
    )
    team_id: strawberry.ID | None = strawberry.field(description="Over the alerts of this team alone.", default=None)
    window_id: strawberry.ID | None = strawberry.field(
        description="Occurrences of this maintenance window.", default=None
    )
    mine: bool = strawberry.field(description="Made by you.", default=False)


Id = Annotated[strawberry.ID, strawberry.argument(description="The silence's id.")]
Filter = Annotated[
    SilenceFilter | None,
    strawberry.argument(name="filter", description="Which silences; all that you may see by default."),
]


@strawberry.type
class SilenceQueries:
    """Mixed into Query."""

    @strawberry.field(description="One silence; null for none you may see.", graphql_type=Silence | None)
    async def silence(self, info: Info, *, id: Id) -> model.Silence | None:  # noqa: A002 - the API's name
        """By id."""
        silence_id = uuid_or_none(id)
        return None if silence_id is None else await info.context.loader(load_silences).load(silence_id)

    @strawberry.field(
        description="The silences you may see, over or not, the newest first.", graphql_type=Connection[Silence]
    )
    async def silences(
        self,
        info: Info,
        *,
        wanted: Filter = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[model.Silence]:
        """A page, by keyset."""
        context = info.context
        request = page_request(_CURSORS, first=first, after=after, last=last, before=before)
        asked, sight, now = _wanted(context, wanted), context.require_viewer().sight, context.now()
        page = Slice(
            limit=request.limit + 1,
            after=None if request.after is None else request.after[0],
            before=None if request.before is None else request.before[0],
            backward=request.backward,
        )
        async with context.read() as opened:
            rows = await read_silences(opened, asked, page, sight=sight, now=now)

        async def count() -> int:
            async with context.read() as opened:
                return await count_silences(opened, asked, sight=sight, now=now)

        return connection(rows, request, cursors=_CURSORS, key=lambda silence: (silence.id,), count=count)


def _wanted(context: Context, given: SilenceFilter | None) -> Wanted:
    if given is None:
        return Wanted()
    return Wanted(
        states=None if given.state is None else frozenset(given.state),
        kinds=None if given.kind is None else frozenset(given.kind),
        integration_id=_id(given.integration_id),
        team_id=_id(given.team_id),
        window_id=_id(given.window_id),
        maker_id=context.require_viewer().user_id if given.mine else None,
    )


def _id(text: strawberry.ID | None) -> UUID | None:
    """Text that is no id names nothing, so it finds nothing."""
    return None if text is None else uuid_or_none(text) or NOBODY
