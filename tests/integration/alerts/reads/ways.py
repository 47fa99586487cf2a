"""What does a test of reads do again and again? Put alerts, and list them."""

from typing import Any

from domain.alerts.model import Alert
from tests.alert_rows import put_alerts
from tests.api import Api, Person

LIST = """query($filter: AlertFilter, $order: AlertOrder, $first: Int, $after: String, $last: Int, $before: String) {
  alerts(filter: $filter, orderBy: $order, first: $first, after: $after, last: $last, before: $before) {
    totalCount nodes { id title } edges { cursor node { id } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""


async def put(api: Api, *wanted: Alert) -> None:
    """These alerts are there."""
    async with api.engine.begin() as connection:
        await put_alerts(connection, wanted)


async def listed(api: Api, who: Person, **variables: object) -> dict[str, Any]:
    """A page of alerts as somebody sees it."""
    page: dict[str, Any] = (await api.data(LIST, variables, who=who))["alerts"]
    return page
