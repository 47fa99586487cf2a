"""How does a test of accounts read the mail that waits? As the sender would: the outbox, unsealed."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from domain.mail.model import Mail
from jobs.accounts import answer_requests
from persistence.mail import claim_mail
from persistence.tables import outgoing_mail
from tests.api import Api

GOOD = "violet anchor nine meadow"
OTHER = "copper lantern seven rivers"


@dataclass
class Mailboxes:
    """The mailboxes of all people of a test."""

    api: Api

    async def answer(self) -> int:
        """Do what a worker does about strangers' requests."""
        return await answer_requests(self.api.engine, self.api.settings, self.api.clock.now())

    async def new(self) -> list[Mail]:
        """What was written since the last look, the oldest first."""
        await self.answer()
        later = max(self.api.clock.now(), datetime.now(tz=UTC)) + timedelta(seconds=5)
        posted = await claim_mail(self.api.engine, limit=1000, now=later)
        async with self.api.engine.begin() as connection:
            await connection.execute(sa.update(outgoing_mail).values(sent_at=sa.func.now()))
        return [one.mail for one in sorted(posted, key=lambda one: one.id)]

    async def one(self) -> Mail:
        """The one that was."""
        (mail,) = await self.new()
        return mail

    async def token(self) -> str:
        """The token of the one mail that was written."""
        return token_in(await self.one())


def token_in(mail: Mail) -> str:
    """The token of a mail's link."""
    return mail.text.split("#token=")[1].split()[0]
