"""How does a person add, prove, change and remove what reaches them? Each for themselves alone."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from domain.audit.writing import WriteAudit
from domain.contacts.codes import (
    LIFETIME,
    WINDOW,
    ContactCode,
    code_digest,
    fresh_code,
    is_right,
    place_digest,
    require_guessable,
    require_quiet,
    require_room,
)
from domain.contacts.model import MAX_LABEL, MAX_METHODS, ContactKind, ContactMethod, checked_address, is_same
from domain.errors import AlreadyExists, InvalidInput, NotFound
from domain.ids import new_id
from domain.text import checked_optional_text
from domain.versions import require_version

NO_SUCH = "no such contact method of yours"
_SECRET_BYTES = 32
# Kinds that take a provider, and what is said where none is set up.
_MISSING: Mapping[ContactKind, str] = {
    ContactKind.SMS: "this installation sends no text messages",
    ContactKind.SLACK: "this installation has no app in Slack",
}


class Contacts(Protocol):
    """The store of contact methods, within one transaction."""

    async def locked(self, user_id: UUID) -> list[ContactMethod]:
        """All of the person's, by age; whoever changes them waits until the transaction ends."""
        ...

    async def account(self, user_id: UUID) -> ContactMethod | None:
        """The address of the person's account."""
        ...

    async def add(self, method: ContactMethod) -> None:
        """Write a new one."""
        ...

    async def save(self, method: ContactMethod) -> None:
        """Write an edit."""
        ...

    async def remove(self, method: ContactMethod, *, now: datetime) -> None:
        """Delete it, with what waits to be sent to it."""
        ...

    async def codes_since(self, user_id: UUID, since: datetime) -> Sequence[tuple[UUID, datetime]]:
        """The codes that were sent to the person: to which method, and when."""
        ...

    async def codes_to(self, address_digest: bytes, since: datetime) -> Sequence[datetime]:
        """When codes were sent to this place, to whomever; who asks at the same time waits for the end of this."""
        ...

    async def newest_code(self, method_id: UUID) -> ContactCode | None:
        """The last code that was sent to the method."""
        ...

    async def save_code(self, code: ContactCode) -> None:
        """Write a new code, or that it was guessed at or used."""
        ...

    async def send_code(self, method: ContactMethod, code: str, *, now: datetime) -> None:
        """Send the code by the very method it is to prove."""
        ...

    async def tell_owner(self, method: ContactMethod, *, is_added: bool) -> None:
        """Write to the address of the account that a method came or went."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactDesk:
    """One request of a person to change their own. `key` keeps codes; `sends`: the kinds there is a provider for."""

    stores: Contacts
    user_id: UUID
    now: datetime
    audit: WriteAudit
    key: bytes
    sends: frozenset[ContactKind]

    def require_provider(self, kind: ContactKind, *path: str) -> None:
        """InvalidInput where nothing can be sent by this kind."""
        if kind not in self.sends:
            raise InvalidInput(_MISSING[kind], path)


async def add_method(*, kind: ContactKind, address: str, label: str | None, desk: ContactDesk) -> ContactMethod:
    """A new method; its first code is on the way. What a webhook's posts are signed with is in it, this once."""
    desk.require_provider(kind, "kind")
    checked = checked_address(kind, address)
    theirs = await desk.stores.locked(desk.user_id)
    account = await desk.stores.account(desk.user_id)
    if any(one.kind is kind and is_same(kind, one.address, checked) for one in [*theirs, *filter(None, [account])]):
        message = "you have this one already"
        raise AlreadyExists(message, ("address",))
    if len(theirs) >= MAX_METHODS:
        message = f"a person has at most {MAX_METHODS} contact methods"
        raise InvalidInput(message, ("address",))
    method = ContactMethod(
        id=new_id(),
        user_id=desk.user_id,
        kind=kind,
        address=checked,
        label=_checked_label(label),
        created_at=desk.now,
        updated_at=desk.now,
        secret=secrets.token_urlsafe(_SECRET_BYTES) if kind is ContactKind.WEBHOOK else None,
    )
    await desk.stores.add(method)
    await desk.stores.tell_owner(method, is_added=True)
    await _send_code(method, desk)
    await desk.audit(target_id=method.id, after=shown(method))
    return method


async def send_verification(method_id: UUID, *, desk: ContactDesk) -> ContactMethod:
    """A new code; the one before counts no more. Also for one that is verified, or was disabled."""
    method = await mine(method_id, desk)
    desk.require_provider(method.kind, "id")
    await _send_code(method, desk)
    await desk.audit(target_id=method.id)
    return method


async def _send_code(method: ContactMethod, desk: ContactDesk) -> None:
    sent = await desk.stores.codes_since(desk.user_id, desk.now - WINDOW)
    require_room(sent, method_id=method.id, now=desk.now)
    place = place_digest(method.kind.value, method.address, key=desk.key)
    require_quiet(await desk.stores.codes_to(place, desk.now - WINDOW), now=desk.now)
    code = fresh_code()
    await desk.stores.save_code(
        ContactCode(
            id=new_id(),
            user_id=desk.user_id,
            contact_method_id=method.id,
            code_digest=code_digest(code, method_id=method.id, key=desk.key),
            created_at=desk.now,
            expires_at=desk.now + LIFETIME,
            address_digest=place,
        )
    )
    await desk.stores.send_code(method, code, now=desk.now)


async def verify(method_id: UUID, guess: str, *, desk: ContactDesk) -> ContactMethod | None:
    """The method, used from now on; None for a wrong guess, which counts: commit it all the same."""
    before = await mine(method_id, desk)
    code = require_guessable(await desk.stores.newest_code(method_id), now=desk.now)
    if not is_right(code, guess, key=desk.key):
        await desk.stores.save_code(replace(code, guesses=code.guesses + 1))
        return None
    await desk.stores.save_code(replace(code, is_used=True))
    after = replace(
        before,
        verified_at=desk.now,
        disabled_at=None,
        disabled_reason=None,
        updated_at=desk.now,
        version=before.version + 1,
    )
    await desk.stores.save(after)
    await desk.audit(target_id=after.id, before=shown(before), after=shown(after))
    return after


async def update_method(
    method_id: UUID, *, label: str | None, expected_version: int | None, desk: ContactDesk
) -> ContactMethod:
    """Called something else. Another number is another method: it has to be proved."""
    before = await mine(method_id, desk)
    require_version("contact method", actual=before.version, expected=expected_version)
    edited = replace(before, label=_checked_label(label))
    if edited == before:
        return before
    after = replace(edited, updated_at=desk.now, version=before.version + 1)
    await desk.stores.save(after)
    await desk.audit(target_id=after.id, after={**shown(after), "changed": ["label"]})
    return after


async def remove_method(method_id: UUID, *, desk: ContactDesk) -> None:
    """Nothing goes to it any more, and nothing of it is kept. What waits for it goes by mail to the account."""
    if method_id == desk.user_id:
        raise NotFound("the address of the account stays: `requestAddressChange` gives it another", ("id",))
    method = await mine(method_id, desk)
    await desk.stores.remove(method, now=desk.now)
    await desk.stores.tell_owner(method, is_added=False)
    await desk.audit(target_id=method.id, before=shown(method))


async def mine(method_id: UUID, desk: ContactDesk) -> ContactMethod:
    """One of the person's own, locked."""
    found = next((one for one in await desk.stores.locked(desk.user_id) if one.id == method_id), None)
    if found is None:
        raise NotFound(NO_SUCH, ("id",))
    return found


def _checked_label(label: str | None) -> str:
    return (checked_optional_text(label, path=("label",), limit=MAX_LABEL) or "").strip()


def shown(method: ContactMethod) -> dict[str, Any]:
    """What the audit log keeps: neither the number nor what the person calls it."""
    return {
        "kind": method.kind.value,
        "isVerified": method.verified_at is not None,
        "disabledReason": method.disabled_reason,
    }
