"""Sign in, list what is open, acknowledge the worst, and follow what happens.

    ALERTS_URL=http://127.0.0.1:8080 ALERTS_EMAIL=admin@example.com ALERTS_PASSWORD=… python -m tocsin_client

`ALERTS_AFTER` is a cursor to follow from (a program of yours would keep the last one on disk).
"""

import asyncio
import os
from collections.abc import AsyncIterator

from msgspec import UNSET

from .following import follow
from .models import (
    ACKNOWLEDGE,
    OPEN_ALERTS,
    AcknowledgeAcknowledgeAlertSuccess,
    AcknowledgeAlertInput,
    AcknowledgeIllegalMove,
    AcknowledgeVariables,
    AlertLine,
    AlertStatus,
    FollowStreamReset,
    OpenAlertsVariables,
)
from .session import Session

PAGE = 2  # small, so that this example has pages; at most 100


async def open_alerts(session: Session) -> AsyncIterator[AlertLine]:
    """All open alerts, worst first, page by page."""
    after: str | None = None
    while True:
        variables = OpenAlertsVariables(first=PAGE, after=UNSET if after is None else after)
        page = (await session.ask(OPEN_ALERTS, variables)).alerts
        for alert in page.nodes:
            yield alert
        if not page.page_info.has_next_page:
            return
        after = page.page_info.end_cursor


async def acknowledge(session: Session, alert: AlertLine) -> None:
    """Take an alert, unless it has changed since we read it."""
    given = AcknowledgeAlertInput(id=alert.id, expected_version=alert.version)
    answer = (await session.ask(ACKNOWLEDGE, AcknowledgeVariables(input=given))).acknowledge_alert
    if isinstance(answer, AcknowledgeAcknowledgeAlertSuccess):
        print("acknowledged", answer.alert.title, flush=True)
    elif isinstance(answer, AcknowledgeIllegalMove):
        print(f"{alert.title} is {answer.current} already", flush=True)
    else:
        print(f"not acknowledged: {answer.code}: {answer.message}", flush=True)


async def list_open(session: Session) -> list[AlertLine]:
    """Print and return what is open."""
    found = [alert async for alert in open_alerts(session)]
    for alert in found:
        print("open", alert.severity, alert.status, alert.title, flush=True)
    return found


async def main() -> None:
    """The whole program."""
    session = await Session.sign_in(
        os.environ.get("ALERTS_URL", "http://127.0.0.1:8080"),
        email=os.environ.get("ALERTS_EMAIL", "admin@example.com"),
        password=os.environ["ALERTS_PASSWORD"],
    )
    worst = next((alert for alert in await list_open(session) if alert.status == AlertStatus.ACTIVE), None)
    if worst is not None:
        await acknowledge(session, worst)
    print("following", flush=True)
    async for item in follow(session, after=os.environ.get("ALERTS_AFTER")):
        if isinstance(item, FollowStreamReset):
            print("reset", item.reason, flush=True)
            await list_open(session)
        else:
            print("event", item.kind, item.alert.title, flush=True)


if __name__ == "__main__":
    asyncio.run(main())
