"""Where does a text message wait until it has left? Rows of `text_messages`, as mail does: claimed, sent, written down.

So does what goes to a person by Slack or to a webhook of their own. What it says is sealed under the person's key and
erased when it left or was given up. The number is not kept here: it is the contact method's when the message leaves.
What the provider tells later only ever goes forward: sent, then delivered or not.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.contacts.model import ContactKind
from domain.errors import NotFound
from domain.escalations.urgency import Urgency
from domain.ids import new_id
from persistence.person_keys import Vault, vault_of
from persistence.seal_people import key_to_write
from persistence.sealing import CannotUnseal
from persistence.tables import contact_methods, person_keys, text_messages, users

_log = structlog.get_logger(__name__)
BODY, ADDRESS, SECRET = "text_messages.body", "contact_methods.address", "contact_methods.secret"
# Longer than a provider may take to answer.
CLAIM = timedelta(minutes=2)
# How long a reply to a message counts.
REPLY_LIFETIME = timedelta(days=1)
CODE_DIGITS = 4
WAITS = sa.and_(text_messages.c.sent_at.is_(None), text_messages.c.failed_at.is_(None))


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A message on its way. `to` is None when the method is gone or may not be used.

    `secret` is what a webhook's post is signed with.
    """

    id: UUID
    user_id: UUID
    method_id: UUID
    to: str | None
    body: str
    attempt: int
    created_at: datetime
    expires_at: datetime
    kind: ContactKind = ContactKind.SMS
    is_code: bool = False
    secret: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewText:
    """A message to be sent. `reply_code` is what it is answered with; `is_code`: it proves the method it goes to."""

    user_id: UUID
    method_id: UUID
    body: str
    expires_at: datetime
    reply_code: str | None = None
    is_code: bool = False
    urgency: Urgency = Urgency.CALL


async def post_text(connection: AsyncConnection, text: NewText, *, now: datetime) -> UUID:
    """Write one in the surrounding transaction; it leaves once that is committed. Its id."""
    key = await key_to_write(connection, text.user_id)
    if key is None:
        message = "no such person"
        raise NotFound(message, ())
    text_id = new_id()
    await connection.execute(
        sa.insert(text_messages).values(
            id=text_id,
            user_id=text.user_id,
            contact_method_id=text.method_id,
            body=key.seal(text.body, column=BODY, row=text_id),
            reply_code=text.reply_code,
            priority=text.urgency,
            is_code=text.is_code,
            created_at=now,
            expires_at=text.expires_at,
            next_attempt_at=now,
        )
    )
    return text_id


async def free_reply_code(connection: AsyncConnection, method_id: UUID, *, now: datetime) -> str:
    """Four digits that stand for no other message of this method that may still be answered."""
    table = text_messages
    statement = sa.select(table.c.reply_code).where(
        table.c.contact_method_id == method_id,
        table.c.reply_code.is_not(None),
        table.c.created_at > now - REPLY_LIFETIME,
    )
    taken = set(await connection.scalars(statement))
    while True:
        code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
        # One message a minute for a day is 1,440 of 10,000.
        if code not in taken:
            return code


async def any_text_due(engine: AsyncEngine, *, now: datetime) -> bool:
    """Whether there is anything to send: asked for every second, and mostly there is not."""
    due = sa.exists().where(WAITS, text_messages.c.next_attempt_at <= now)
    async with engine.connect() as connection:
        return bool(await connection.scalar(sa.select(due)))


async def claim_texts(
    engine: AsyncEngine, *, limit: int, now: datetime, kind: ContactKind = ContactKind.SMS
) -> list[Text]:
    """Up to `limit` messages of a kind that are due, ours for a while: committed before anything is sent.

    Those of a method that was removed go with the text messages.
    """
    table, methods = text_messages, contact_methods
    is_kind: sa.ColumnElement[bool] = sa.exists().where(
        methods.c.id == table.c.contact_method_id, methods.c.kind == kind.value
    )
    if kind is ContactKind.SMS:
        is_kind = ~sa.exists().where(methods.c.id == table.c.contact_method_id, methods.c.kind != kind.value)
    due = (
        sa.select(table.c.id)
        .where(WAITS, table.c.next_attempt_at <= now, is_kind)
        .order_by(table.c.priority.desc(), table.c.next_attempt_at, table.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    claim = (
        sa.update(table)
        .where(table.c.id.in_(due))
        .values(attempts=table.c.attempts + 1, next_attempt_at=now + CLAIM)
        .returning(table.c.id)
    )
    async with engine.begin() as connection:
        ids = list(await connection.scalars(claim))
        return await _texts(connection, ids) if ids else []


async def _texts(connection: AsyncConnection, ids: list[UUID]) -> list[Text]:
    table, methods = text_messages, contact_methods
    # A code goes to what is not verified yet; anything else only to what is.
    may = sa.or_(table.c.is_code, sa.and_(methods.c.verified_at.is_not(None), methods.c.disabled_at.is_(None)))
    of_method = (methods.c.kind, methods.c.address, methods.c.secret)
    statement = (
        sa.select(table, *of_method, may.label("may"), person_keys.c.wrapped, users.c.erased_at)
        .select_from(
            table.join(users, users.c.id == table.c.user_id)
            .outerjoin(person_keys, person_keys.c.user_id == table.c.user_id)
            .outerjoin(methods, methods.c.id == table.c.contact_method_id)
        )
        .where(table.c.id.in_(ids))
        .order_by(table.c.id)
    )
    vault, found = vault_of(connection), []
    for row in (await connection.execute(statement)).mappings():
        to, body, secret = _unsealed(row, vault)
        found.append(
            Text(
                id=row["id"],
                user_id=row["user_id"],
                method_id=row["contact_method_id"],
                to=to,
                body=body,
                attempt=row["attempts"],
                created_at=row["created_at"],
                expires_at=row["expires_at"],
                # One that was removed goes nowhere, whatever it was.
                kind=ContactKind(row["kind"] or ContactKind.SMS),
                is_code=row["is_code"],
                secret=secret,
            )
        )
    return found


def _unsealed(row: sa.RowMapping, vault: Vault) -> tuple[str | None, str, str | None]:
    """To whom, what, signed with what. What cannot be opened goes to nobody, and keeps no other message waiting."""
    try:
        opener = vault.opener(row["user_id"], row["wrapped"], is_erased=row["erased_at"] is not None)
        body = opener.open(row["body"], column=BODY, row=row["id"]) or ""
        if not row["may"]:
            return None, body, None
        to = opener.open(row["address"], column=ADDRESS, row=row["contact_method_id"])
        secret = opener.open(row["secret"], column=SECRET, row=row["contact_method_id"]) if to else None
    except CannotUnseal:
        _log.exception("a message cannot be opened", text=str(row["id"]))
        return None, "", None
    return to, body, secret


async def write_down(connection: AsyncConnection, text_id: UUID, values: dict[str, Any]) -> bool:
    """What became of a message that waits; False when that is known already."""
    statement = sa.update(text_messages).where(text_messages.c.id == text_id, WAITS).values(values)
    return (await connection.execute(statement)).rowcount == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Answerable:
    """A message that was answered: whose it is."""

    text_id: UUID
    user_id: UUID
    method_id: UUID


async def answered_text(connection: AsyncConnection, code: str, *, number: str, now: datetime) -> Answerable | None:
    """The message with this reply code that went to this very number, not too long ago; the newest if there are two."""
    table, methods = text_messages, contact_methods
    statement = (
        sa.select(table.c.id, table.c.user_id, table.c.contact_method_id, methods.c.address, person_keys.c.wrapped)
        .select_from(
            table.join(methods, methods.c.id == table.c.contact_method_id).join(
                person_keys, person_keys.c.user_id == table.c.user_id
            )
        )
        .where(table.c.reply_code == code, table.c.created_at > now - REPLY_LIFETIME)
        .order_by(table.c.created_at.desc())
    )
    vault = vault_of(connection)
    for row in (await connection.execute(statement)).mappings():
        opener = vault.key(row["user_id"], row["wrapped"])
        if opener.open(row["address"], column=ADDRESS, row=row["contact_method_id"]) == number:
            return Answerable(text_id=row["id"], user_id=row["user_id"], method_id=row["contact_method_id"])
    return None
