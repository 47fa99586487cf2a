"""What do the use cases of accounts share? How long links live, how addresses are found, who judges a password.

`AccountRules` is all that a worker needs to answer by mail; an `AccountDesk` is made once an API process.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from domain.access.throttle import AttemptKind
from domain.alerts.events import ActorKind
from domain.audit.model import AuditEntry
from domain.errors import InvalidLink, TooManyAttempts
from domain.identity.account_ports import AccountUnit, AccountUnits
from domain.identity.addresses import address_digests
from domain.identity.letters import Letters
from domain.identity.model import User
from domain.identity.one_time import FreshLink, OneTimeToken, Purpose, fresh_link, wait_for_next
from domain.identity.passwords import PasswordRules
from domain.identity.ports import LoginThrottle
from domain.ports import Clock

NO_LINK = "this link no longer works: it was used, replaced by a newer one, or is too old; ask for another"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkLives:
    """How long the links work."""

    verification: timedelta
    reset: timedelta
    invitation: timedelta

    def of(self, purpose: Purpose) -> timedelta:
        """How long one of this purpose works."""
        if purpose is Purpose.RESET_PASSWORD:
            return self.reset
        return self.invitation if purpose is Purpose.INVITATION else self.verification


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRules:
    """What is the same for everybody who writes to people about their accounts."""

    address_keys: tuple[bytes, ...]
    lives: LinkLives
    letters: Letters

    def digests(self, email: str) -> tuple[bytes, ...]:
        """Under which digests an address may be on file, the one to write first."""
        return address_digests(email, self.address_keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountDesk:
    """What the use cases need; made once a process. `is_open`: whether strangers may register."""

    units: AccountUnits
    passwords: PasswordRules
    throttles: Callable[[AttemptKind], LoginThrottle]
    clock: Clock
    rules: AccountRules
    is_open: bool

    async def pace(self, kind: AttemptKind, email: str, ip_address: str | None) -> None:
        """TooManyAttempts for who asks about one address, or from one place, again and again.

        Counted alike whether the address is on file.
        """
        wait = await self.throttles(kind).attempt(self.rules.digests(email)[0], ip_address)
        if wait:
            message = f"too many attempts; try again in {wait} s"
            raise TooManyAttempts(message, retry_after_seconds=wait)

    async def forgive(self, kind: AttemptKind, email: str, ip_address: str | None) -> None:
        """It was right: the attempts before do not count."""
        await self.throttles(kind).succeeded(self.rules.digests(email)[0], ip_address)


async def find_user(email: str, *, unit: AccountUnit, rules: AccountRules) -> User | None:
    """The person with this address."""
    current, *older = rules.digests(email)
    return await unit.users.by_email(current, *older)


async def issue_link(
    user: User,
    purpose: Purpose,
    *,
    unit: AccountUnit,
    rules: AccountRules,
    now: datetime,
    new_address: str | None = None,
) -> FreshLink | timedelta:
    """A new link for a locked person, in the place of an older one; or how long to wait before there is another."""
    before = await unit.one_time_tokens.issued(user.id, purpose)
    wait = wait_for_next(before, now=now)
    if wait:
        return wait
    link = fresh_link(purpose, lives=rules.lives.of(purpose), now=now, before=before)
    await unit.one_time_tokens.put(
        OneTimeToken(
            user_id=user.id,
            purpose=purpose,
            digest=link.digest,
            issued_at=link.issued_at,
            expires_at=link.expires_at,
            issues=link.issues,
            new_address=new_address,
        )
    )
    return link


async def use_link(
    unit: AccountUnit, digest: bytes, *, now: datetime, expected: UUID | None = None
) -> tuple[OneTimeToken, User]:
    """Use a link up: it, and its person, locked. InvalidLink unless it works and the person may sign in."""
    token = await unit.one_time_tokens.use(digest, now=now)
    user = await unit.users.locked(token.user_id) if token is not None else None
    if token is None or user is None or not user.is_active or expected not in {None, user.id}:
        raise InvalidLink(NO_LINK, ("token",))
    return token, user


def done_by(user: User, entry: AuditEntry) -> AuditEntry:
    """The entry of a change that a person made by a link, without being signed in."""
    return replace(
        entry, actor_kind=ActorKind.USER, actor_id=user.id, session_id=None, target_kind="user", target_id=user.id
    )
