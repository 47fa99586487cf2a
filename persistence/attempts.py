"""Where is each attempt to tell somebody kept? A row for a message, however many notifications it carries."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.contacts.delivery import TextOutcome, TextRefused, TextSent
from domain.escalations.attempt import Attempt, AttemptOutcome
from domain.ids import new_id
from domain.mail.delivery import Outcome, Refused, Sent
from persistence.among import among
from persistence.tables import delivery_attempts, notifications

MAX_ANSWER = 500
# Of one message; what is tried for a day has some dozens.
MAX_SHOWN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """What was tried to be sent: a mail, a message of the outbox, or a notification to a channel."""

    mail_id: UUID | None = None
    text_id: UUID | None = None
    notification_id: UUID | None = None


def attempt_of(number: int, outcome: Outcome | TextOutcome, *, now: datetime, took_ms: int | None) -> Attempt:
    """One that was made now and ended so."""
    if isinstance(outcome, Sent | TextSent):
        return Attempt(number, now, AttemptOutcome.SENT, outcome.answer, took_ms)
    ended = AttemptOutcome.REFUSED if isinstance(outcome, Refused | TextRefused) else AttemptOutcome.RETRY
    return Attempt(number, now, ended, outcome.reason, took_ms)


async def note_attempts(connection: AsyncConnection, carriers: Iterable[Carrier], attempt: Attempt) -> None:
    """Write down an attempt, in the transaction that settles it."""
    answer = None if attempt.answer is None else attempt.answer[:MAX_ANSWER]
    rows: list[dict[str, Any]] = [
        {
            "id": new_id(),
            "mail_id": one.mail_id,
            "text_id": one.text_id,
            "notification_id": one.notification_id,
            "number": attempt.number,
            "attempted_at": attempt.attempted_at,
            "outcome": attempt.outcome.value,
            "answer": answer,
            "took_ms": attempt.took_ms,
        }
        for one in carriers
    ]
    if rows:
        await connection.execute(sa.insert(delivery_attempts), rows)


async def forget_attempts(connection: AsyncConnection, user_id: UUID) -> None:
    """Delete the attempts to tell a person."""
    table, told = delivery_attempts, notifications
    for column, of in ((table.c.mail_id, told.c.mail_id), (table.c.text_id, told.c.text_id)):
        theirs = sa.select(of).where(told.c.user_id == user_id, of.is_not(None))
        await connection.execute(sa.delete(table).where(column.in_(theirs)))


async def attempts_of(connection: AsyncConnection, carriers: Sequence[Carrier]) -> list[list[Attempt]]:
    """The attempts of each message, the oldest first."""
    table = delivery_attempts
    columns = (table.c.mail_id, table.c.text_id, table.c.notification_id)
    wanted = [{getattr(one, column.name) for one in carriers} - {None} for column in columns]
    asked = [among(column, ids) for column, ids in zip(columns, wanted, strict=True) if ids]
    found: dict[UUID, list[Attempt]] = {}
    if asked:
        statement = sa.select(table).where(sa.or_(*asked)).order_by(table.c.id)
        for row in await connection.execute(statement):
            attempt = Attempt(row.number, row.attempted_at, AttemptOutcome(row.outcome), row.answer, row.took_ms)
            found.setdefault(row.mail_id or row.text_id or row.notification_id, []).append(attempt)
    return [
        [
            attempt
            for of in (one.mail_id, one.text_id, one.notification_id)
            if of is not None
            for attempt in found.get(of, ())
        ][:MAX_SHOWN]
        for one in carriers
    ]
