"""What became of a text message? Written down with its notifications in one transaction, and only ever forward."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.contacts.delivery import Given, TextOutcome, TextRefused, TextSent, given_of
from domain.escalations.attempt import Attempt, AttemptOutcome
from domain.escalations.model import CALLS, Notification, NotificationState
from domain.mail.delivery import TOO_OLD, next_attempt
from persistence.attempts import Carrier, attempt_of, note_attempts
from persistence.contacts import disable_method
from persistence.falling_back import give_up
from persistence.notification_rows import notification_of
from persistence.tables import notifications, text_messages
from persistence.texts import Text, write_down

MAX_REASON = 300
_MAILED, _SENT = NotificationState.MAILED.value, NotificationState.SENT.value


async def settle_text(
    engine: AsyncEngine, text: Text, outcome: TextOutcome, *, now: datetime, took_ms: int | None = None
) -> None:
    """After an attempt: sent, to be tried again, or given up. What the provider called back meanwhile stays."""
    async with engine.begin() as connection:
        attempt = attempt_of(text.attempt, outcome, now=now, took_ms=took_ms)
        await note_attempts(connection, [Carrier(text_id=text.id)], attempt)
        if isinstance(outcome, TextSent):
            sent = {"sent_at": now, "provider_id": outcome.provider_id, "answer": outcome.answer[:MAX_REASON]}
            if await write_down(connection, text.id, {**sent, "last_error": None, "body": None}):
                await _move(connection, text.id, NotificationState.SENT, now=now, answer=outcome.answer)
            await _tried(connection, text, None)
            return
        reason = outcome.reason[:MAX_REASON]
        if not isinstance(outcome, TextRefused):
            again = max(next_attempt(text.attempt, now=now), now + outcome.wait)
            if again < text.expires_at:
                await write_down(connection, text.id, {"next_attempt_at": again, "last_error": reason})
                await _tried(connection, text, reason)
                return
            reason = f"{TOO_OLD}: {reason}"
        await _fail(connection, text.id, text.method_id, reason, now=now, disables=_disables(outcome))


async def _tried(connection: AsyncConnection, text: Text, problem: str | None) -> None:
    """On the record of what the message tells, while it is on its way."""
    values: dict[str, object] = {"attempts": text.attempt}
    if problem is not None:
        values["problem"] = problem
    await connection.execute(sa.update(notifications).where(notifications.c.text_id == text.id).values(values))


def _disables(outcome: TextOutcome) -> bool:
    return isinstance(outcome, TextRefused) and outcome.is_number


async def note_status(
    engine: AsyncEngine, text_id: UUID, *, provider_id: str, status: str, error: str | None, now: datetime
) -> bool:
    """What the provider called back; False when it is about no message of ours. What is late changes nothing."""
    table = text_messages
    async with engine.begin() as connection:
        statement = sa.select(table).where(table.c.id == text_id).with_for_update()
        row = (await connection.execute(statement)).mappings().one_or_none()
        if row is None or row["provider_id"] not in {None, provider_id}:
            return False
        given = given_of(status, error)
        if given is None or row["delivered_at"] is not None or row["failed_at"] is not None:
            return True
        if given.state is not Given.SENT:
            is_there = given.state is Given.DELIVERED
            told = AttemptOutcome.DELIVERED if is_there else AttemptOutcome.UNDELIVERED
            called = Attempt(row["attempts"], now, told, given.reason or f"{provider_id} {status}")
            await note_attempts(connection, [Carrier(text_id=text_id)], called)
        if given.state is Given.FAILED:
            method_id = row["contact_method_id"]
            await _fail(connection, text_id, method_id, given.reason, now=now, disables=given.is_number)
            return True
        values = {"sent_at": row["sent_at"] or now, "provider_id": provider_id, "body": None}
        if given.state is Given.DELIVERED:
            values["delivered_at"] = now
        await connection.execute(sa.update(table).where(table.c.id == text_id).values(values))
        state = NotificationState.DELIVERED if given.state is Given.DELIVERED else NotificationState.SENT
        await _move(connection, text_id, state, now=now, answer=f"{provider_id} {status}")
    return True


async def _move(
    connection: AsyncConnection, text_id: UUID, state: NotificationState, *, now: datetime, answer: str
) -> None:
    before = [_MAILED] if state is NotificationState.SENT else [_MAILED, _SENT]
    await connection.execute(
        sa.update(notifications)
        .where(notifications.c.text_id == text_id, notifications.c.state.in_(before))
        .values(state=state.value, settled_at=now, problem=None, answer=answer[:MAX_REASON])
    )


async def _fail(
    connection: AsyncConnection, text_id: UUID, method_id: UUID, reason: str, *, now: datetime, disables: bool
) -> None:
    table = text_messages
    await connection.execute(
        sa.update(table)
        .where(table.c.id == text_id, table.c.delivered_at.is_(None), table.c.failed_at.is_(None))
        .values(failed_at=now, last_error=reason, body=None)
    )
    if disables:
        await disable_method(connection, method_id, reason, now=now)
    statement = sa.select(notifications).where(
        notifications.c.text_id == text_id, notifications.c.state.in_([_MAILED, _SENT])
    )
    failed = [notification_of(row) for row in (await connection.execute(statement)).mappings()]
    await give_up(connection, failed, reason, now=now)


async def pages_of_text(connection: AsyncConnection, text_id: UUID) -> list[Notification]:
    """The pages a message told of: what a reply to it is about."""
    statement = (
        sa.select(notifications)
        .where(notifications.c.text_id == text_id, notifications.c.kind.in_([kind.value for kind in CALLS]))
        .order_by(notifications.c.id)
    )
    return [notification_of(row) for row in (await connection.execute(statement)).mappings()]
