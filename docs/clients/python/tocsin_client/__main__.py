"""Sign in, list what is open, acknowledge the worst, and follow what happens.

    ALERTS_URL=http://127.0.0.1:8080 ALERTS_EMAIL=admin@example.com ALERTS_PASSWORD=… python -m tocsin_client

`ALERTS_AFTER` is a cursor to follow from (a program of yours would keep the last one on disk); by default, from what is
listed on.
"""

import asyncio
import os

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
    FollowAlertLeftView,
    FollowStreamReset,
    OpenAlertsVariables,
)
from .session import Session

PAGE = 2  # small, so that this example has pages; at most 100


async def list_open(session: Session) -> tuple[list[AlertLine], str]:
    """Print and return what is open, worst first, page by page; and the cursor from which it is followed."""
    found: list[AlertLine] = []
    after: str | None = None
    begins: str | None = None
    while True:
        variables = OpenAlertsVariables(first=PAGE, after=UNSET if after is None else after)
        answer = await session.read(OPEN_ALERTS, variables)
        # That of the first page: what happens while the others are read must not be missed.
        begins = begins or answer.event_cursor
        for alert in answer.alerts.nodes:
            print("open", alert.severity, alert.status, alert.title, flush=True)
            found.append(alert)
        if not answer.alerts.page_info.has_next_page:
            return found, begins
        after = answer.alerts.page_info.end_cursor


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


async def main() -> None:
    """The whole program."""
    session = await Session.sign_in(
        os.environ.get("ALERTS_URL", "http://127.0.0.1:8080"),
        email=os.environ.get("ALERTS_EMAIL", "admin@example.com"),
        password=os.environ["ALERTS_PASSWORD"],
    )
    found, begins = await list_open(session)
    worst = next((alert for alert in found if alert.status == AlertStatus.ACTIVE), None)
    if worst is not None:
        await acknowledge(session, worst)
    print("following", flush=True)
    async for item in follow(session, after=os.environ.get("ALERTS_AFTER", begins)):
        if isinstance(item, FollowStreamReset):
            print("reset", item.reason, flush=True)
            await list_open(session)
        elif isinstance(item, FollowAlertLeftView):
            print("left", item.alert_id, flush=True)
        else:
            print("event", item.kind, item.alert.title, flush=True)


if __name__ == "__main__":
    asyncio.run(main())
