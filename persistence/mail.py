"""Where does mail wait until it has left? Rows of `outgoing_mail`: written with the change, sent by jobs/mail.py.

What a mail says and to whom is sealed, and erased once the mail was sent or given up; that it was sent stays a while.
A sender first claims mail in a transaction of its own, so what a crashed one had claimed is tried again later. The same
row always has the same Message-ID: whoever gets a mail twice can tell.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.ids import new_id
from domain.mail.delivery import MAX_AGE, TOO_OLD, Outcome, Refused, Sent, is_too_old, next_attempt
from domain.mail.model import Mail, MailKind, Posted
from persistence.attempts import Carrier, attempt_of, note_attempts
from persistence.sealing import CannotUnseal, Sealer, sealer_of
from persistence.tables import outgoing_mail

# How long a claim counts: much longer than a sender takes for a batch, so nobody else takes a mail under its hands.
CLAIM = timedelta(minutes=10)
MAX_REASON = 500
_RECIPIENT, _CONTENT = "outgoing_mail.recipient", "outgoing_mail.content"
_WAITING = sa.and_(outgoing_mail.c.sent_at.is_(None), outgoing_mail.c.failed_at.is_(None))
_ERASED = {"recipient": None, "content": None}


class MailRepository:
    """Mail, inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def append(self, *mails: Mail) -> None:
        """Write them in the surrounding transaction; they leave once it is committed."""
        if mails:
            sealer = sealer_of(self._connection)
            await self._connection.execute(sa.insert(outgoing_mail), [_row_of(mail, sealer) for mail in mails])

    async def post(self, mail: Mail) -> UUID:
        """The same for one; the id of its row, for who wants to know what becomes of it."""
        row = _row_of(mail, sealer_of(self._connection))
        await self._connection.execute(sa.insert(outgoing_mail), row)
        row_id: UUID = row["id"]
        return row_id

    async def forget_person(self, user_id: UUID) -> None:
        """Delete all mail of a person, sent or not: nothing of it is to stay, and nothing more to leave."""
        await self._connection.execute(sa.delete(outgoing_mail).where(outgoing_mail.c.user_id == user_id))


def _row_of(mail: Mail, sealer: Sealer) -> dict[str, Any]:
    row_id = new_id()
    content = orjson.dumps({"subject": mail.subject, "text": mail.text, "html": mail.html}).decode()
    return {
        "id": row_id,
        "kind": mail.kind.value,
        "user_id": mail.user_id,
        "recipient": sealer.seal(mail.to, column=_RECIPIENT, row=row_id),
        "content": sealer.seal(content, column=_CONTENT, row=row_id),
        "expires_at": mail.expires_at,
        "priority": mail.priority,
    }


async def claim_mail(engine: AsyncEngine, *, limit: int, now: datetime) -> list[Posted]:
    """Up to `limit` mails that are due, ours for a while: the claim is committed before anything is sent."""
    due = (
        sa.select(outgoing_mail.c.id)
        .where(_WAITING, outgoing_mail.c.next_attempt_at <= now)
        .order_by(outgoing_mail.c.priority.desc(), outgoing_mail.c.next_attempt_at, outgoing_mail.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    claim = (
        sa.update(outgoing_mail)
        .where(outgoing_mail.c.id.in_(due))
        .values(attempts=outgoing_mail.c.attempts + 1, next_attempt_at=now + CLAIM)
        .returning(*outgoing_mail.c)
    )
    claimed = []
    async with engine.begin() as connection:
        sealer = sealer_of(connection)
        for row in (await connection.execute(claim)).mappings().all():
            try:
                claimed.append(_posted_of(row, sealer))
            except CannotUnseal as error:
                # It must not stand in the way of the rest, nor come up again for ever.
                values = {"failed_at": now, "last_error": str(error)[:MAX_REASON], **_ERASED}
                await connection.execute(sa.update(outgoing_mail).where(outgoing_mail.c.id == row["id"]).values(values))
    # RETURNING keeps no order; ids are made in the order of time.
    return sorted(claimed, key=lambda posted: (-posted.mail.priority, posted.id))


def _posted_of(row: sa.RowMapping, sealer: Sealer) -> Posted:
    row_id: UUID = row["id"]
    content = orjson.loads(sealer.unseal(row["content"], column=_CONTENT, row=row_id))
    mail = Mail(
        to=sealer.unseal(row["recipient"], column=_RECIPIENT, row=row_id),
        subject=content["subject"],
        text=content["text"],
        html=content["html"],
        kind=MailKind(row["kind"]),
        user_id=row["user_id"],
        expires_at=row["expires_at"],
        priority=row["priority"],
    )
    longest = row["created_at"] + MAX_AGE
    return Posted(
        id=row_id,
        mail=mail,
        attempt=row["attempts"],
        created_at=row["created_at"],
        expires_at=min(mail.expires_at or longest, longest),
    )


async def settle_mail(
    engine: AsyncEngine, posted: Posted, outcome: Outcome, *, now: datetime, took_ms: int | None = None
) -> None:
    """Write down what became of an attempt.

    A mail that was sent is sent, whoever holds the claim by now; anything else counts only for the newest attempt.
    """
    table = outgoing_mail
    where = [table.c.id == posted.id, _WAITING]
    if isinstance(outcome, Sent):
        values = {
            "sent_at": now,
            "last_error": None,
            "provider_message_id": _without_address(outcome.answer, posted),
            **_ERASED,
        }
    else:
        where.append(table.c.attempts == posted.attempt)
        reason = _without_address(outcome.reason, posted)
        wait = timedelta(0) if isinstance(outcome, Refused) else outcome.wait
        again = max(next_attempt(posted.attempt, now=now), now + wait)
        if isinstance(outcome, Refused):
            bounced = {"bounced_at": now} if outcome.is_address else {}
            values = {"failed_at": now, "last_error": reason, **bounced, **_ERASED}
        elif is_too_old(posted.expires_at, now=again):
            values = {"failed_at": now, "last_error": f"{TOO_OLD}: {reason}"[:MAX_REASON], **_ERASED}
        else:
            values = {"next_attempt_at": again, "last_error": reason}
    async with engine.begin() as connection:
        await connection.execute(sa.update(table).where(*where).values(values))
        if posted.mail.kind is MailKind.NOTIFICATION:
            attempt = attempt_of(posted.attempt, outcome, now=now, took_ms=took_ms)
            attempt = replace(attempt, answer=_without_address(attempt.answer or "", posted))
            await note_attempts(connection, [Carrier(mail_id=posted.id)], attempt)


async def put_back(engine: AsyncEngine, posted: Sequence[Posted], *, until: datetime) -> None:
    """Give up the claim on mails that were not tried: the server is away, which is no attempt of theirs."""
    table = outgoing_mail
    async with engine.begin() as connection:
        for one in posted:
            await connection.execute(
                sa.update(table)
                .where(table.c.id == one.id, _WAITING, table.c.attempts == one.attempt)
                .values(attempts=one.attempt - 1, next_attempt_at=until)
            )


def _without_address(text: str, posted: Posted) -> str:
    """What the server said, without whom it was about: servers repeat the address, and this text outlives it."""
    return re.sub(re.escape(posted.mail.to), "the recipient", text, flags=re.IGNORECASE)[:MAX_REASON]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbox:
    """What `tocsin doctor` says of the mail: how much waits, since when, and how much was given up of late."""

    waiting: int
    oldest: datetime | None
    failed_lately: int


async def outbox_of(connection: AsyncConnection, *, now: datetime) -> Outbox:
    """The state of the outbox."""
    table = outgoing_mail
    waiting = sa.select(sa.func.count(), sa.func.min(table.c.created_at)).where(_WAITING)
    count, oldest = (await connection.execute(waiting)).one()
    failed = sa.select(sa.func.count()).where(
        table.c.failed_at > now - timedelta(days=1), table.c.superseded_at.is_(None)
    )
    return Outbox(waiting=count, oldest=oldest, failed_lately=await connection.scalar(failed) or 0)
