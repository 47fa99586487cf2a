"""How does a key come to be, get a successor, and end? It leaves these functions once, in the answer that made it.

A key always ends by itself; how late is a setting. Nobody makes a key that could do more than its owner, and nobody
learns of another person's key: one that is not yours, and one that is not, look alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain.access.accounts import NO_SUCH_ACCOUNT
from domain.access.keys import key_digest, new_secret, shown_prefix
from domain.access.model import MAX_KEYS, MAX_NAME, ApiKey
from domain.access.networks import checked_networks
from domain.access.ports import AccessUnit
from domain.access.scopes import Scope
from domain.audit.model import AuditEntry
from domain.documents.model import is_hash
from domain.errors import Forbidden, InvalidInput, NotFound
from domain.identity.model import Role, Viewer
from domain.ids import new_id
from domain.text import checked_text

MAX_OVERLAP = timedelta(days=30)
DEFAULT_OVERLAP = timedelta(days=1)
NO_SUCH_KEY = "no such key"

# The least role with which a scope opens anything at all: a key for less would be of no use, so none is made.
# tests/unit/access/test_scopes.py compares it with graphql_api/permissions.py.
LEAST_ROLE: Mapping[Scope, Role] = {
    Scope.ALERTS_READ: Role.VIEWER,
    Scope.ALERTS_WRITE: Role.VIEWER,
    Scope.PEOPLE_READ: Role.VIEWER,
    Scope.TEAMS_WRITE: Role.VIEWER,
    Scope.INTEGRATIONS_READ: Role.VIEWER,
    Scope.INTEGRATIONS_WRITE: Role.MANAGER,
    Scope.DOCUMENTS_WRITE: Role.ADMIN,
    Scope.AUDIT_READ: Role.ADMIN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key to be made. `document_hash` binds it to one registered document, `networks` to places."""

    name: str
    scopes: frozenset[Scope]
    expires_at: datetime | None = None
    document_hash: str | None = None
    networks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDesk:
    """What issuing needs: the key of the digests, and how long a key may live."""

    digest_key: bytes
    max_lifetime: timedelta

    def draft(self, new: NewKey, *, created_by: UUID | None, now: datetime) -> tuple[ApiKey, str]:
        """The key, checked, without an owner yet; and its secret."""
        if not new.scopes:
            raise InvalidInput("a key needs at least one scope", ("scopes",))
        latest = now + self.max_lifetime
        expires_at = new.expires_at or latest
        if not now < expires_at <= latest:
            message = f"a key ends in the future, within {self.max_lifetime.days} days"
            raise InvalidInput(message, ("expiresAt",))
        if new.document_hash is not None and not is_hash(new.document_hash):
            raise InvalidInput("not the hash of a document: 64 lower-case hexadecimal digits", ("documentHash",))
        secret = new_secret()
        key = ApiKey(
            id=new_id(),
            name=checked_text(new.name, path=("name",), limit=MAX_NAME),
            prefix=shown_prefix(secret),
            scopes=new.scopes,
            created_at=now,
            expires_at=expires_at,
            document_hash=new.document_hash,
            networks=checked_networks(new.networks, "allowedNetworks"),
            created_by=created_by,
        )
        return key, secret

    def digest(self, secret: str) -> bytes:
        """What is stored of a key."""
        return key_digest(secret, self.digest_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeKey:
    """A key that was just made. `secret` is shown once and kept nowhere."""

    key: ApiKey
    secret: str


async def issue_for_account(
    account_id: UUID, new: NewKey, *, desk: KeyDesk, by: Viewer, unit: AccessUnit, now: datetime, entry: AuditEntry
) -> MadeKey:
    """A key of a service account."""
    account = await unit.access.locked_account(account_id)
    if account is None:
        raise NotFound(NO_SUCH_ACCOUNT, ("serviceAccountId",))
    _check_scopes(new.scopes, account.role, whose="the service account's role")
    key, secret = desk.draft(new, created_by=by.person_id, now=now)
    return await _add(replace(key, service_account_id=account.id), secret, desk=desk, unit=unit, now=now, entry=entry)


async def issue_for_self(
    new: NewKey, *, desk: KeyDesk, by: Viewer, unit: AccessUnit, now: datetime, entry: AuditEntry
) -> MadeKey:
    """A person's own key. It acts as the person, with today's role and teams, and within its scopes."""
    if by.person_id is None or by.grant is not None:
        raise Forbidden("only a person who is signed in makes a key of their own")
    _check_scopes(new.scopes, by.role, whose="your role")
    key, secret = desk.draft(new, created_by=by.person_id, now=now)
    return await _add(replace(key, user_id=by.person_id), secret, desk=desk, unit=unit, now=now, entry=entry)


def _check_scopes(scopes: frozenset[Scope], role: Role, *, whose: str) -> None:
    for scope in sorted(scopes):
        if not role.includes(LEAST_ROLE[scope]):
            message = f"{scope.name} needs the role {LEAST_ROLE[scope].value} or higher; {whose} is {role.value}"
            raise InvalidInput(message, ("scopes",))


async def _add(
    key: ApiKey, secret: str, *, desk: KeyDesk, unit: AccessUnit, now: datetime, entry: AuditEntry
) -> MadeKey:
    await unit.access.lock_keys_of(key.owner_id)
    if sum(one.is_live(now) for one in await unit.access.keys_of(key.owner_id)) >= MAX_KEYS:
        raise InvalidInput(f"at most {MAX_KEYS} keys at a time: revoke one first")
    await unit.access.add_key(key, digest=desk.digest(secret))
    await unit.audit.append(replace(entry, target_id=key.id, after=shown(key)))
    return MadeKey(key=key, secret=secret)


async def rotate(
    key_id: UUID,
    *,
    overlap: timedelta,
    desk: KeyDesk,
    by: Viewer,
    unit: AccessUnit,
    now: datetime,
    entry: AuditEntry,
) -> MadeKey:
    """A successor with the same rights and as long a life; the key in use goes on for the overlap."""
    if not timedelta(0) <= overlap <= MAX_OVERLAP:
        raise InvalidInput(f"keys may overlap for at most {MAX_OVERLAP.days} days", ("overlap",))
    old = await _locked(key_id, by=by, unit=unit)
    if not old.is_live(now):
        raise InvalidInput("the key has ended: make a new one", ("id",))
    if old.replaced_by is not None:
        raise InvalidInput("the key has a successor already: rotate that one", ("id",))
    lifetime = min(old.expires_at - old.created_at, desk.max_lifetime)
    secret = new_secret()
    key = replace(
        old,
        id=new_id(),
        prefix=shown_prefix(secret),
        created_at=now,
        expires_at=now + lifetime,
        created_by=by.person_id,
        last_used_at=None,
    )
    await unit.access.add_key(key, digest=desk.digest(secret))
    ends = min(old.expires_at, now + overlap)
    await unit.access.end_key(replace(old, expires_at=ends, replaced_by=key.id))
    told = {**shown(key), "replaces": str(old.id), "oldKeyEndsAt": ends.isoformat()}
    await unit.audit.append(replace(entry, target_id=key.id, after=told))
    return MadeKey(key=key, secret=secret)


async def revoke(key_id: UUID, *, by: Viewer, unit: AccessUnit, now: datetime, entry: AuditEntry) -> ApiKey:
    """End a key now, in every process. One that has ended stays as it is."""
    key = await _locked(key_id, by=by, unit=unit)
    if not key.is_live(now):
        return key
    ended = replace(key, revoked_at=now)
    await unit.access.end_key(ended)
    await unit.audit.append(replace(entry, target_id=key.id, before=shown(key)))
    return ended


async def _locked(key_id: UUID, *, by: Viewer, unit: AccessUnit) -> ApiKey:
    """The key, if it is the viewer's own or the viewer is an administrator."""
    key = await unit.access.locked_key(key_id)
    is_own = key is not None and key.user_id is not None and key.user_id == by.person_id
    if key is None or not (is_own or by.role is Role.ADMIN):
        raise NotFound(NO_SUCH_KEY, ("id",))
    return key


def shown(key: ApiKey) -> dict[str, Any]:
    """What the audit log keeps of a key: never the key."""
    return {
        "name": key.name,
        "prefix": key.prefix,
        "scopes": sorted(scope.value for scope in key.scopes),
        "expiresAt": key.expires_at.isoformat(),
        "serviceAccountId": None if key.service_account_id is None else str(key.service_account_id),
        "userId": None if key.user_id is None else str(key.user_id),
        "documentHash": key.document_hash,
        "networks": [str(network) for network in key.networks],
    }
