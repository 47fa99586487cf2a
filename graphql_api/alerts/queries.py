"""What can be read of alerts? One, a list, how many, and the groups; always within the viewer's sight."""

from datetime import timedelta
from typing import Annotated

import strawberry

from domain.alerts import counts, model
from domain.alerts.cursor import encode_cursor
from graphql_api.alerts.counts import AlertCounts
from graphql_api.alerts.filters import AlertFilterInput, AlertOrderInput, filter_of
from graphql_api.alerts.loaders import load_alerts
from graphql_api.alerts.pages import alert_key, alert_question
from graphql_api.alerts.selected import columns_shown
from graphql_api.alerts.subscriptions import hub_of
from graphql_api.alerts.types import Alert
from graphql_api.connection import After, Before, Connection, First, Last, connection
from graphql_api.context import Info
from graphql_api.scalars import uuid_or_none
from persistence.reads.alerts import read_alerts
from persistence.reads.counts import count_alerts, read_counts

Id = Annotated[strawberry.ID, strawberry.argument(description="The alert's id.")]
Filter = Annotated[
    AlertFilterInput | None,
    strawberry.argument(name="filter", description="Which alerts; all that you may see by default."),
]
OrderBy = Annotated[
    AlertOrderInput | None, strawberry.argument(description="In which order; the newest first by default.")
]
# A count that is not kept is worth this much of the database, not more.
COUNTING = timedelta(seconds=1)


@strawberry.type
class AlertQueries:
    """Mixed into Query."""

    @strawberry.field(
        description="One alert; null when there is none, or none that you may see.", graphql_type=Alert | None
    )
    async def alert(self, info: Info, *, id: Id) -> model.Alert | None:  # noqa: A002 - the API's name
        """By id."""
        alert_id = uuid_or_none(id)
        return None if alert_id is None else await info.context.loader(load_alerts).load(alert_id)

    @strawberry.field(description="Alerts.", graphql_type=Connection[Alert])
    async def alerts(
        self,
        info: Info,
        *,
        wanted: Filter = None,
        order_by: OrderBy = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[model.Alert]:
        """A page, by keyset: stable while alerts come in."""
        context = info.context
        sight = context.require_viewer().sight
        question = alert_question(wanted=wanted, order_by=order_by, first=first, after=after, last=last, before=before)
        async with context.read() as database:
            rows = await read_alerts(database, question.page, sight=sight, only=columns_shown(info))

        async def count() -> int | None:
            async with context.read() as database:
                return await count_alerts(database, wanted=question.page.wanted, sight=sight, within=COUNTING)

        key = alert_key(question.page.order)
        return connection(rows, question.request, cursors=question.cursors, key=key, count=count)

    @strawberry.field(
        description="How many alerts there are of which kind. At once by status, severity, source, service, team and "
        "`createdAt` (that without source and service); other conditions make the alerts be counted.",
        graphql_type=AlertCounts,
    )
    async def alert_counts(self, info: Info, *, wanted: Filter = None) -> counts.AlertCounts:
        """One grouped count."""
        context = info.context
        async with context.read() as database:
            return await read_counts(database, wanted=filter_of(wanted), sight=context.require_viewer().sight)

    @strawberry.field(
        description="Where the streams of events are now: give it to a subscription as `after`. Ask for it in the "
        "operation that reads a list, or before it, and nothing that happens between list and stream is missed."
    )
    async def event_cursor(self, info: Info) -> str:
        """Of the log, which alerts, teams and rules have in common."""
        return encode_cursor(await hub_of(info.context).place_for_lists())
