"""Does a page leave that waited until its alert was over? By a real mail server that was away (N1, N4)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from domain.alerts.model import Severity
from jobs.mail import send_mail
from jobs.paging import page, settle_notifications
from persistence.engine import create_engine
from persistence.mail import outbox_of
from tests.api import Api, Person
from tests.integration.escalations.group_night import GroupNight
from tests.integration.escalations.night import MINUTE, policy, step, told
from tests.mail_server import Inbox, mail_server, text_of
from tocsin.settings import Settings

HOUR = timedelta(hours=1)
AWAY = "421 4.3.2 Service not available, closing transmission channel"


class Outage(GroupNight):
    """A night in which the mail server is away at first."""

    inbox: Inbox
    smtp: Settings

    async def waits(self) -> None:
        """What is due is written, and the server takes nothing."""
        self.inbox.mail_answers.append(AWAY)
        assert await self.leaves() == []
        self.inbox.mail_answers.clear()

    async def leaves(self, later: timedelta = timedelta(0)) -> list[tuple[str, str]]:
        """Time passes; what came by the mail server."""
        self.now += later
        before = len(self.inbox.mails)
        await page(self.engine, self.smtp, self.now)
        await send_mail(self.engine, self.smtp, self.now + timedelta(seconds=1))
        await settle_notifications(self.engine, self.smtp, self.now)
        return [(one["To"].partition("@")[0], one["Subject"]) for one in self.inbox.mails[before:]]

    async def states(self, who: Person, alert_id: str) -> list[tuple[str, str, str | None]]:
        found: list[dict[str, Any]] = (await told(self.api, who, alert_id))["notifications"]
        return [(one["kind"], one["state"], one["problem"]) for one in found]


@pytest.fixture
async def night(api: Api, application_url: str) -> AsyncIterator[Outage]:
    engine = create_engine(api.settings, pool_size=4)
    database = await asyncpg.connect(application_url)
    made = Outage(api, engine, database)
    async with mail_server() as server:
        made.inbox = server.inbox
        smtp = {"smtp_url": f"smtp://127.0.0.1:{server.port}", "mail_from": "Tocsin <tocsin@example.org>"}
        made.smtp = Settings.model_validate({**api.settings.model_dump(), **smtp})
        yield made
    await database.close()
    await engine.dispose()


@pytest.mark.parametrize(
    ("meanwhile", "why"),
    [
        ({"status": "resolved"}, "the alert is resolved; it had not left yet"),
        ({"status": "acknowledged"}, "somebody has answered; it had not left yet"),
    ],
    ids=["resolved", "acknowledged"],
)
async def test_a_page_whose_alert_is_over_or_answered_does_not_leave(
    api: Api, manager: Person, ann: Person, night: Outage, meanwhile: dict[str, str], why: str
) -> None:
    await policy(api, manager, step(0, ("USER", ann.id)))
    alert_id = await night.alert(title="Payments down")
    await night.waits()
    await night.move(alert_id, **meanwhile)
    assert await night.leaves(HOUR) == []
    assert await night.leaves(HOUR) == []
    first, *news = await night.states(manager, alert_id)
    assert first == ("PAGE", "DROPPED", why)
    assert all(state == "DROPPED" for _, state, _ in news), "nor is the end told to whom nothing was told"
    async with night.engine.connect() as connection:
        outbox = await outbox_of(connection, now=night.now)
    assert (outbox.waiting, outbox.failed_lately) == (0, 0), "nothing failed"


async def test_what_was_overtaken_and_calls_again_is_told_then(
    api: Api, manager: Person, ann: Person, night: Outage
) -> None:
    await policy(api, manager, step(0, ("USER", ann.id)))
    alert_id = await night.alert(title="Payments down")
    await night.waits()
    await night.move(alert_id, status="acknowledged")
    assert await night.leaves(HOUR) == []
    await night.move(alert_id, status="active")
    assert await night.leaves(MINUTE) == [("ann", "[CRITICAL] Payments down (shop)")]
    await night.move(alert_id, status="resolved")
    assert await night.leaves(2 * MINUTE) == [("ann", "[RESOLVED] Payments down (shop)")]


async def test_of_a_message_about_several_what_is_over_is_left_out_and_the_rest_is_as_it_is_now(
    api: Api, manager: Person, ann: Person, night: Outage
) -> None:
    await policy(api, manager, step(0, ("USER", ann.id)))
    over = await night.alert(title="Disk full")
    open_still = await night.alert(title="Payments slow", severity=Severity.MEDIUM)
    await night.waits()
    await night.move(over, status="resolved")
    await night.move(open_still, title="Payments down", severity="critical")
    assert await night.leaves(HOUR) == [("ann", "[CRITICAL] Payments down (shop)")]
    assert "Disk full" not in text_of(night.inbox.mails[-1])
    assert (await night.states(manager, over))[0][1] == "DROPPED"
    assert await night.states(manager, open_still) == [("PAGE", "SENT", None)]


async def test_a_groups_page_leaves_while_one_of_its_alerts_calls(
    api: Api, manager: Person, ann: Person, night: Outage
) -> None:
    await policy(api, manager, step(0, ("USER", ann.id)))
    group = await night.group()
    first = await night.member(group, title="first")
    second = await night.member(group, title="second")
    await night.waits()
    await night.move(first, status="resolved")
    assert await night.leaves(HOUR) == [("ann", "[HIGH] second (shop)")]
    third = await night.member(group, title="third")
    await night.waits()
    await night.move(second, status="resolved")
    await night.move(third, status="resolved")
    assert await night.leaves(HOUR) == [("ann", "[RESOLVED] 3 alerts in group “Database 7”")]


async def test_what_cannot_be_looked_at_leaves_as_it_was_written_and_holds_nobody_up(
    api: Api, manager: Person, ann: Person, bob: Person, night: Outage
) -> None:
    await policy(api, manager, step(0, ("USER", ann.id), ("USER", bob.id)))
    alert_id = await night.alert(title="Payments down")
    await night.waits()
    await night.database.execute("UPDATE notifications SET kind = 'of_a_newer_version' WHERE user_id = $1", ann.id)
    await night.move(alert_id, title="Payments down, and refunds")
    assert sorted(await night.leaves(HOUR)) == [
        ("ann", "[CRITICAL] Payments down (shop)"),
        ("bob", "[CRITICAL] Payments down, and refunds (shop)"),
    ]


async def test_the_end_of_a_group_goes_to_whom_this_group_was_told_of_whatever_became_of_others(
    api: Api, manager: Person, ann: Person, night: Outage
) -> None:
    await policy(api, manager, step(0, ("USER", ann.id)))
    for title in ("One", "Two"):
        alert_id = await night.member(await night.group(title), title=title)
        assert len(await night.leaves(HOUR)) == 1
        await night.move(alert_id, status="resolved")
        assert len(await night.leaves(HOUR)) == 1
    went_up = "UPDATE escalations e SET succeeded_by = o.id FROM escalations o WHERE o.id > e.id"
    assert await night.database.execute(went_up) == "UPDATE 1"
    over = await night.member(await night.group("Three"), title="over")
    night.now += HOUR
    await night.waits()
    await night.move(over, status="resolved")
    assert await night.leaves(HOUR) == [], "nobody was told that it was open"
