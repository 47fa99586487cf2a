"""Which pages do clients ask for? All the same newest one, or each another: a service's newest, or one in the middle.

Every second request asks for one of a hundred services, the frequent ones as often as the rare; the others for the page
after a place of their own in two years, which nobody else asks for.
"""

import random
from datetime import timedelta
from itertools import count, islice
from pathlib import Path

import msgspec

from bench.read_store import END
from domain.alerts.order import NEWEST_FIRST
from domain.ids import new_id
from graphql_api.alerts.pages import alert_cursors

FIELDS = "id title description severity status source serviceName labels occurrences createdAt updatedAt lastSeenAt"
NEWEST = f"query Newest {{ alerts(first: 50) {{ nodes {{ {FIELDS} }} }} }}"
OTHERS = (
    "query Page($filter: AlertFilter, $after: String) "
    f"{{ alerts(first: 50, filter: $filter, after: $after) {{ nodes {{ {FIELDS} }} }} }}"
)
SERVICES = 100
# More than are asked for in the longest turn.
MOST = 40_000


def write_bodies(path: Path, number: int = MOST) -> None:
    """Requests of which no two are alike, a line each."""
    dice = random.Random(4)
    cursors = alert_cursors(NEWEST_FIRST)

    def variables(turn: int) -> dict[str, object]:
        if turn % 2 == 0:
            return {"filter": {"serviceName": [f"service-{turn // 2 % SERVICES}"]}}
        place = END - timedelta(days=30) - timedelta(days=600) * dice.random()
        return {"after": cursors.encode((place, new_id()))}

    lines = (msgspec.json.encode({"query": OTHERS, "variables": variables(turn)}) for turn in count())
    path.write_bytes(b"\n".join(islice(lines, number)) + b"\n")
