"""What does a test of mail providers do again and again? Have mail sent, told back, and a person paged by it."""

import base64
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.alerts.model import Severity
from domain.identity.model import Role
from domain.mail.model import Mail, MailKind
from jobs.mail import send_mail
from jobs.paging import page, settle_notifications
from persistence.engine import create_engine
from persistence.escalations import reconcile
from persistence.tables import outgoing_mail
from persistence.unit_of_work import UnitOfWork
from tests.api import Api, Person, api_settings, running_api
from tests.log_writer import insert_alert
from tests.mail_doubles import TOPIC, SendGridDouble, SesDouble, serving
from tests.unit.webhooks.sns_signer import FakeAws, signed

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ADDRESS = "ann.pages@example.net"
METHOD = "contactMethod { id isUsable disabledReason }"
MINE = "{ me { contactMethods { id kind isUsable disabledReason } } }"
TOLD = "query($id: ID!) { alert(id: $id) { notifications { state contactKind problem } } }"


@dataclass
class Post:
    """The jobs, run by hand with the time the test says."""

    api: Api
    double: SendGridDouble | SesDouble
    engine: AsyncEngine
    database: asyncpg.Connection
    aws: FakeAws
    now: datetime

    async def put(self, **more: object) -> UUID:
        """A mail is to leave; its id."""
        values: dict[str, Any] = {"to": ADDRESS, "subject": "Hello", "text": "A line.\n", **more}
        async with UnitOfWork(self.engine) as unit:
            made: UUID = await unit.mail.post(Mail(kind=MailKind.SECURITY_NOTICE, **values))
            await unit.commit()
        self.now = datetime.now(tz=UTC) + timedelta(seconds=1)
        return made

    async def send(self, later: timedelta = timedelta(0)) -> int:
        """Time passes and mail is sent; how many."""
        self.now += later
        return await send_mail(self.engine, self.api.settings, self.now)

    async def tick(self, later: timedelta = timedelta(0)) -> None:
        """Time passes and all that is due is done."""
        self.now += later
        await page(self.engine, self.api.settings, self.now)
        await send_mail(self.engine, self.api.settings, max(self.now, datetime.now(tz=UTC)) + timedelta(seconds=5))
        await settle_notifications(self.engine, self.api.settings, self.now)

    async def row(self, mail_id: UUID) -> Any:  # noqa: ANN401 - a row
        """The mail as it is kept."""
        async with self.engine.connect() as connection:
            return (await connection.execute(sa.select(outgoing_mail).where(outgoing_mail.c.id == mail_id))).one()

    async def events(self, *events: dict[str, Any], **headers: str) -> int:
        """SendGrid tells of these; what it is answered."""
        body = orjson.dumps(list(events))
        assert isinstance(self.double, SendGridDouble)
        given = {**self.double.signed(body), **headers}
        return (await self.api.http.post("/mail/sendgrid/events", content=body, headers=given)).status_code

    async def event_of_ses(self, event: dict[str, Any], **fields: str) -> int:
        """SES tells of this by SNS; what it is answered."""
        sent_at = self.api.clock.now().isoformat()
        message = signed(orjson.dumps(event).decode(), **{"TopicArn": TOPIC, "Timestamp": sent_at, **fields})
        answer = await self.api.http.post("/mail/ses/events", content=orjson.dumps(message))
        return answer.status_code


@asynccontextmanager
async def posting(url: str, folder: Path, double: SendGridDouble | SesDouble, aws: FakeAws) -> AsyncIterator[Post]:
    """An API and jobs that send by the double."""
    async with serving(double):
        settings = api_settings(url, folder, **double.settings())
        async with running_api(settings) as api:
            engine = create_engine(settings, pool_size=3)
            database = await asyncpg.connect(url)
            yield Post(api, double, engine, database, aws, api.clock.now())
            await database.close()
            await engine.dispose()


async def paged(post: Post) -> tuple[str, Person, UUID]:
    """An alert that was mailed to a proved address of a person; and the mail's id."""
    ann = await post.api.person(Role.OPERATOR, email="ann@example.com")
    made = await post.api.change("addContactMethod", {"kind": "EMAIL", "address": ADDRESS}, METHOD, who=ann)
    await post.tick()
    code = re.search(r"\d{6}", text_of(post.double.taken[-1]))
    assert code is not None
    proof = {"id": made["contactMethod"]["id"], "code": code[0]}
    assert (await post.api.change("verifyContactMethod", proof, METHOD, who=ann))["contactMethod"]["isUsable"]
    manager = await post.api.person(Role.MANAGER)
    steps = [{"delay": "PT0M", "targets": [{"kind": "USER", "id": str(ann.id)}]}]
    await post.api.change("createEscalationPolicy", {"name": "Wake", "steps": steps}, "policy { id }", who=manager)
    post.double.taken.clear()
    alert_id = await insert_alert(post.database, severity=Severity.CRITICAL, title="Payments down")
    post.now = post.api.clock.now()
    async with post.engine.begin() as connection:
        await reconcile(connection, [alert_id], now=post.now)
    await post.tick()
    method = await post.database.fetchrow(
        "SELECT mail_id FROM notifications WHERE contact_method_id = $1", UUID(proof["id"])
    )
    assert method is not None, "the proved address was told"
    return str(alert_id), ann, method["mail_id"]


def text_of(taken: dict[str, Any]) -> str:
    """The plain text of what either double took."""
    if "personalizations" in taken:
        return str(taken["content"][0]["value"])
    found = message_from_bytes(base64.b64decode(taken["Content"]["Raw"]["Data"]), policy=default)
    body = found.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


async def states(post: Post, alert_id: str, ann: Person) -> list[tuple[str, str]]:
    """How an alert reached its people, and what became of each way."""
    found = (await post.api.data(TOLD, {"id": alert_id}, who=ann))["alert"]["notifications"]
    return [(one["contactKind"], one["state"]) for one in found]
