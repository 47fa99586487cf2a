"""Does a stream say that an alert left the viewer's sight, to those who saw it alone, and nothing more of it?"""

from typing import Any
from uuid import UUID

import asyncpg

from domain.alerts.events import AlertEventKind
from domain.identity.model import Role, Team
from tests.api import Api, Person
from tests.integration.test_alert_subscriptions import followed
from tests.log_writer import insert_alert, insert_event
from tests.sockets import Socket, connected

EVENTS = """
subscription ($filter: AlertFilter) {
  alertEvents(filter: $filter) {
    __typename
    ... on AlertEvent { id alert { id } }
    ... on AlertLeftView { id cursor alertId occurredAt }
  }
}
"""
BATCHES = """
subscription {
  alertEventBatches(maxWait: "PT0.1S") {
    ... on AlertEventBatch { events { id } leftView { id alertId } }
  }
}
"""


async def moved(writer: asyncpg.Connection, alert_id: UUID, before: Team | None, after: Team) -> str:
    """The alert changes hands; the event's id."""
    change = [str(before.id) if before else None, str(after.id)]
    async with writer.transaction():
        await writer.execute("UPDATE alerts SET team_id = $2 WHERE id = $1", alert_id, after.id)
        return str(
            await insert_event(
                writer, alert_id=alert_id, kind=AlertEventKind.UPDATED, data={"changes": {"team_id": change}}
            )
        )


async def next_message(socket: Socket) -> dict[str, Any]:
    message: dict[str, Any] = (await socket.next_data())["alertEvents"]
    return message


async def test_who_saw_it_hears_that_it_left_and_nothing_after(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection
) -> None:
    vault, safe = await api.team("Vault", is_private=True), await api.team("Safe", is_private=True)
    keeper = await api.person(Role.OPERATOR, teams=(vault,))
    alert_id = await insert_alert(writer)
    async with connected(address, operator) as outside, connected(address, keeper) as inside:
        await outside.subscribe(EVENTS, {"filter": {"source": ["something else"]}})
        await inside.subscribe(EVENTS)
        await followed(api, 2)
        to_vault = await moved(writer, alert_id, None, vault)
        seen = await next_message(inside)
        assert (seen["__typename"], seen["id"]) == ("AlertEvent", to_vault)
        left = await next_message(outside)
        assert (left["__typename"], left["id"], left["alertId"]) == ("AlertLeftView", to_vault, str(alert_id))
        hidden = await insert_event(writer, alert_id=alert_id)
        assert (await next_message(inside))["id"] == str(hidden)
        to_safe = await moved(writer, alert_id, vault, safe)
        left = await next_message(inside)
        assert (left["__typename"], left["id"]) == ("AlertLeftView", to_safe)
        # From one hidden team to another: no word of it to who saw neither.
        public = await insert_alert(writer, source="something else")
        marker = await insert_event(writer, alert_id=public)
        assert (await next_message(outside))["id"] == str(marker)


async def test_a_batch_names_what_left(api: Api, address: str, operator: Person, writer: asyncpg.Connection) -> None:
    vault = await api.team("Vault", is_private=True)
    gone, stays = await insert_alert(writer), await insert_alert(writer)
    async with connected(address, operator) as socket:
        await socket.subscribe(BATCHES)
        await followed(api)
        async with writer.transaction():
            kept = await insert_event(writer, alert_id=stays)
            await insert_event(writer, alert_id=gone)
            left = await moved(writer, gone, None, vault)
        batch = (await socket.next_data())["alertEventBatches"]
        assert batch == {"events": [{"id": str(kept)}], "leftView": [{"id": left, "alertId": str(gone)}]}
