"""What is still to be said to whoever pressed a button in Slack? Rows, sealed, that go when they were said.

The address Slack gave for it works for half an hour, and lets its holder speak in the conversation: so it is sealed.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.ids import new_id
from domain.mail.delivery import FIRST_WAIT
from persistence.sealing import sealer_of
from persistence.tables import slack_answers

CONTENT = "slack_answers.content"
LIFETIME = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackAnswer:
    """One answer, and where it goes."""

    id: UUID
    url: str
    body: bytes


async def add_answer(connection: AsyncConnection, url: str, text: str, *, now: datetime) -> None:
    """Write one in the surrounding transaction; only who pressed sees it."""
    answer_id = new_id()
    body = {"response_type": "ephemeral", "replace_original": False, "text": text}
    content = orjson.dumps({"url": url, "body": body}).decode()
    sealed = sealer_of(connection).seal(content, column=CONTENT, row=answer_id)
    await connection.execute(
        sa.insert(slack_answers).values(id=answer_id, content=sealed, created_at=now, next_attempt_at=now)
    )


async def claim_answers(engine: AsyncEngine, *, limit: int, now: datetime) -> list[SlackAnswer]:
    """Answers that are due, ours until the next attempt; those whose address is over go."""
    table = slack_answers
    due = (
        sa.select(table.c.id)
        .where(table.c.next_attempt_at <= now)
        .order_by(table.c.next_attempt_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    claim = (
        sa.update(table)
        .where(table.c.id.in_(due))
        .values(attempts=table.c.attempts + 1, next_attempt_at=now + FIRST_WAIT)
        .returning(table.c.id, table.c.content)
    )
    async with engine.begin() as connection:
        await connection.execute(sa.delete(table).where(table.c.created_at < now - LIFETIME))
        sealer, found = sealer_of(connection), []
        for row in await connection.execute(claim):
            content = orjson.loads(sealer.unseal(row.content, column=CONTENT, row=row.id))
            found.append(SlackAnswer(id=row.id, url=content["url"], body=orjson.dumps(content["body"])))
    return sorted(found, key=lambda one: one.id)


async def drop_answer(engine: AsyncEngine, answer_id: UUID) -> None:
    """It was said, or never will be."""
    async with engine.begin() as connection:
        await connection.execute(sa.delete(slack_answers).where(slack_answers.c.id == answer_id))
