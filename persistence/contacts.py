"""Where are contact methods kept? A row each; the number or address is sealed under the person's own key.

Whoever changes a person's methods holds the person's row, as whoever writes anything sealed does: two at once take
turns, and an erasure waits.
"""

import dataclasses
import hashlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.contacts.codes import LIFETIME, ContactCode
from domain.contacts.message import changed_mail, code_mail, code_message, code_post, code_text, disabled_mail
from domain.contacts.model import BY_TEXT, ContactKind, ContactMethod, account_method
from domain.contacts.planning import Preferences
from domain.errors import InvalidInput, NotFound
from persistence.among import among
from persistence.contact_wishes import preferences_of, save_preferences
from persistence.mail import MailRepository
from persistence.person_keys import Opener, PersonKey, vault_of
from persistence.seal_people import key_to_write
from persistence.tables import contact_codes, contact_methods, notifications, person_keys, text_messages, users
from persistence.texts import NewText, post_text
from persistence.users import users_by_ids

ADDRESS, LABEL, SECRET = "contact_methods.address", "contact_methods.label", "contact_methods.secret"
_SELECT = sa.select(*contact_methods.c, person_keys.c.wrapped, users.c.erased_at).select_from(
    contact_methods.join(users, users.c.id == contact_methods.c.user_id).outerjoin(
        person_keys, person_keys.c.user_id == contact_methods.c.user_id
    )
)


class ContactRepository:
    """Contact methods, inside one transaction. Implements domain.contacts.actions.Contacts."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def locked(self, user_id: UUID) -> list[ContactMethod]:
        """All of the person's, by age, with the person's row held."""
        await self._key(user_id)
        return (await methods_of(self._connection, [user_id]))[user_id]

    async def account(self, user_id: UUID) -> ContactMethod | None:
        """The address of the person's account."""
        (user,) = await users_by_ids(self._connection, [user_id])
        return None if user is None else account_method(user)

    async def add(self, method: ContactMethod) -> None:
        """Write a new one."""
        key = await self._key(method.user_id)
        values = {
            "id": method.id,
            "user_id": method.user_id,
            "created_at": method.created_at,
            "secret": key.seal(method.secret, column=SECRET, row=method.id),
            "address_hint": member_hint(method.address) if method.kind is ContactKind.SLACK else None,
            **_values(method, key),
        }
        await self._connection.execute(sa.insert(contact_methods).values(values))

    async def save(self, method: ContactMethod) -> None:
        """Write an edit."""
        key = await self._key(method.user_id)
        statement = sa.update(contact_methods).where(contact_methods.c.id == method.id)
        await self._connection.execute(statement.values(_values(method, key)))

    async def remove(self, method: ContactMethod, *, now: datetime) -> None:
        """Delete it, with what waits to be sent to it. Whoever was to be told by it is told by mail instead."""
        table = text_messages
        unsent = sa.and_(table.c.sent_at.is_(None), table.c.failed_at.is_(None))
        await self._connection.execute(
            sa.update(table)
            .where(table.c.contact_method_id == method.id, unsent)
            .values(failed_at=now, body=None, last_error="the contact method was removed")
        )
        # Delivery finds the method gone and falls back.
        await self._connection.execute(
            sa.update(notifications)
            .where(notifications.c.contact_method_id == method.id, notifications.c.state == "mailed")
            .where(notifications.c.text_id.in_(sa.select(table.c.id).where(table.c.failed_at == now)))
            .values(state="queued", text_id=None, mailed_at=None)
        )
        await self._connection.execute(sa.delete(contact_methods).where(contact_methods.c.id == method.id))

    async def codes_since(self, user_id: UUID, since: datetime) -> Sequence[tuple[UUID, datetime]]:
        """The codes that were sent to the person: to which method, and when."""
        table = contact_codes
        statement = sa.select(table.c.contact_method_id, table.c.created_at).where(
            table.c.user_id == user_id, table.c.created_at > since
        )
        return [(row.contact_method_id, row.created_at) for row in await self._connection.execute(statement)]

    async def codes_to(self, address_digest: bytes, since: datetime) -> Sequence[datetime]:
        """When codes were sent to this place, to whomever; who asks at the same time waits for the end of this."""
        turn = sa.func.pg_advisory_xact_lock(_CODE_LOCK, sa.func.hashtext(address_digest.hex()))
        await self._connection.execute(sa.select(turn))
        table = contact_codes
        statement = sa.select(table.c.created_at).where(
            table.c.address_digest == address_digest, table.c.created_at > since
        )
        return list(await self._connection.scalars(statement))

    async def newest_code(self, method_id: UUID) -> ContactCode | None:
        """The last code that was sent to the method."""
        table = contact_codes
        statement = (
            sa.select(table)
            .where(table.c.contact_method_id == method_id)
            .order_by(table.c.created_at.desc(), table.c.id.desc())
            .limit(1)
        )
        row = (await self._connection.execute(statement)).mappings().one_or_none()
        return None if row is None else ContactCode(**row)

    async def save_code(self, code: ContactCode) -> None:
        """Write a new code, or that it was guessed at or used."""
        values = dataclasses.asdict(code)
        statement = insert(contact_codes).values(values)
        changed = {"guesses": code.guesses, "is_used": code.is_used}
        await self._connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=changed))

    async def send_code(self, method: ContactMethod, code: str, *, now: datetime) -> None:
        """Send the code by the very method it is to prove."""
        if method.kind not in BY_TEXT:
            mail = code_mail(code, to=method.address, user_id=method.user_id, expires_at=now + LIFETIME)
            await MailRepository(self._connection).append(mail)
            return
        await post_text(
            self._connection,
            NewText(
                user_id=method.user_id,
                method_id=method.id,
                body=_code_body(method.kind, code),
                expires_at=now + LIFETIME,
                is_code=True,
            ),
            now=now,
        )

    async def tell_owner(self, method: ContactMethod, *, is_added: bool) -> None:
        """Write to the address of the account that a method came or went; one no mail can go to stops no change."""
        (user,) = await users_by_ids(self._connection, [method.user_id])
        if user is None or not user.email:
            return
        with suppress(InvalidInput):
            await MailRepository(self._connection).append(changed_mail(method, to=user.email, is_added=is_added))

    async def preferences(self, user_id: UUID) -> Preferences:
        """The person's rules and quiet hours, as they are now."""
        return (await preferences_of(self._connection, [user_id]))[user_id]

    async def save_preferences(self, user_id: UUID, preferences: Preferences, *, now: datetime) -> None:
        """Write them; the person's row is held."""
        await save_preferences(self._connection, user_id, preferences, now=now)

    async def _key(self, user_id: UUID) -> PersonKey:
        key = await key_to_write(self._connection, user_id)
        if key is None:
            message = "no such person"
            raise NotFound(message, ())
        return key


def _code_body(kind: ContactKind, code: str) -> str:
    """What tells the code."""
    return {ContactKind.SLACK: code_message, ContactKind.WEBHOOK: code_post}.get(kind, code_text)(code)


def member_hint(member: str) -> int:
    """Among which few of the members of Slack to look for this one: one of 256 kinds, whatever key is in use."""
    return hashlib.sha256(member.encode()).digest()[0]


async def person_of_member(connection: AsyncConnection, member: str) -> UUID | None:
    """Who proved last that they are this member of Slack, and still is in reach there; None for nobody."""
    table = contact_methods
    statement = _SELECT.where(
        table.c.kind == ContactKind.SLACK.value,
        table.c.address_hint == member_hint(member),
        table.c.verified_at.is_not(None),
        table.c.disabled_at.is_(None),
        users.c.is_active,
    ).order_by(table.c.verified_at.desc(), table.c.id)
    return next((one.user_id for one in await _methods(connection, statement) if one.address == member), None)


def _values(method: ContactMethod, key: PersonKey) -> dict[str, Any]:
    return {
        "kind": method.kind.value,
        "address": key.seal(method.address, column=ADDRESS, row=method.id),
        "label": key.seal(method.label, column=LABEL, row=method.id),
        "updated_at": method.updated_at,
        "verified_at": method.verified_at,
        "disabled_at": method.disabled_at,
        "disabled_reason": method.disabled_reason,
        "version": method.version,
    }


def method_of(row: sa.RowMapping, opener: Opener) -> ContactMethod:
    """The object of a row."""
    return ContactMethod(
        id=row["id"],
        user_id=row["user_id"],
        kind=ContactKind(row["kind"]),
        address=opener.open(row["address"], column=ADDRESS, row=row["id"]) or "",
        label=opener.open(row["label"], column=LABEL, row=row["id"]) or "",
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        verified_at=row["verified_at"],
        disabled_at=row["disabled_at"],
        disabled_reason=row["disabled_reason"],
        version=row["version"],
    )


async def methods_of(connection: AsyncConnection, user_ids: Sequence[UUID]) -> dict[UUID, list[ContactMethod]]:
    """The contact methods of people, by age; without the address of their accounts."""
    found: dict[UUID, list[ContactMethod]] = {user_id: [] for user_id in user_ids}
    statement = _SELECT.where(among(contact_methods.c.user_id, user_ids)).order_by(contact_methods.c.id)
    for method in await _methods(connection, statement):
        found[method.user_id].append(method)
    return found


async def methods_by_ids(connection: AsyncConnection, ids: Iterable[UUID]) -> dict[UUID, ContactMethod]:
    """Contact methods by id; one that was removed is missing."""
    return {one.id: one for one in await _methods(connection, _SELECT.where(among(contact_methods.c.id, ids)))}


async def _methods(connection: AsyncConnection, statement: sa.Select[Any]) -> list[ContactMethod]:
    vault, openers, found = vault_of(connection), dict[UUID, Opener](), []
    for row in (await connection.execute(statement)).mappings():
        user_id = row["user_id"]
        if user_id not in openers:
            openers[user_id] = vault.opener(user_id, row["wrapped"], is_erased=row["erased_at"] is not None)
        found.append(method_of(row, openers[user_id]))
    return found


async def disable_method(connection: AsyncConnection, method_id: UUID, reason: str, *, now: datetime) -> None:
    """Nothing goes to it any more until it is verified anew; its owner is told, once."""
    table = contact_methods
    disabled = await connection.execute(
        sa.update(table)
        .where(table.c.id == method_id, table.c.disabled_at.is_(None))
        .values(disabled_at=now, disabled_reason=reason[:500], updated_at=now, version=table.c.version + 1)
        .returning(table.c.id)
    )
    if disabled.scalar_one_or_none() is not None:
        await _tell_owner(connection, method_id, reason)


async def disable_number(connection: AsyncConnection, number: str, reason: str, *, now: datetime) -> int:
    """The same of every phone with this number: seldom asked, so no index of numbers is kept for it."""
    table = contact_methods
    usable = _SELECT.where(table.c.kind == ContactKind.SMS.value, table.c.disabled_at.is_(None))
    found = [one.id for one in await _methods(connection, usable.order_by(table.c.id)) if one.address == number]
    for method_id in found:
        await disable_method(connection, method_id, reason, now=now)
    return len(found)


async def _tell_owner(connection: AsyncConnection, method_id: UUID, reason: str) -> None:
    """By mail to the account; not where that is the very address that fails."""
    method = (await methods_by_ids(connection, [method_id])).get(method_id)
    if method is None:
        return
    (user,) = await users_by_ids(connection, [method.user_id])
    if user is None or not user.is_active or user.email.lower() == method.address.lower():
        return
    await MailRepository(connection).append(disabled_mail(method, to=user.email, reason=reason))


# The advisory lock's first half: "code".
_CODE_LOCK = 0x636F6465
