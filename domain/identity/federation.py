"""Who is it that another provider vouches for? Rules and use cases of signing in through Google, GitHub and the like.

A provider names a person by its own, unchanging `subject`; an address is only something the provider says. So a linked
subject signs in, whatever its address is today. An address that is a known person's links by itself only if the
provider verified it, the person verified it here, and the installation allows it: else whoever gets hold of an address
at any provider would get hold of the account. Everybody else is told to sign in first and link.
"""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from domain.alerts.events import ActorKind
from domain.audit.model import AuditEntry, AuditOutcome
from domain.errors import AlreadyExists, DomainError, Forbidden, InvalidCredentials, InvalidInput, NotFound
from domain.identity.addresses import address_digests, checked_address
from domain.identity.identities import FederationUnit, HandOver, Identity, Vouched
from domain.identity.letters import Letters
from domain.identity.model import MAX_PERSON_NAME, Role, User
from domain.identity.sign_in import Origin
from domain.ids import new_id
from domain.ports import Clock
from domain.text import printable

CODE_LIFE = timedelta(minutes=2)
# The provider's name is the operator's word, and nobody else's.
LINKED = "An account at {} was linked to your account: whoever signs in there is signed in as you."
UNLINKED = "The account at {} was unlinked from your account."


class MustLink(DomainError):
    """The address is a known person's, who has to sign in as before and link the provider."""


class NobodyKnown(DomainError):
    """Nobody let this person in, and providers may not."""


class NoAddress(DomainError):
    """The provider gives no address it has verified."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FederationPolicy:
    """What the installation lets providers do, and which there are. Without a role they let nobody in."""

    providers: frozenset[str] = frozenset()
    sign_up_role: Role | None = None
    link_by_email: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FederationDesk:
    """What signing in through providers needs; made once a process."""

    units: Callable[[], FederationUnit]
    policy: FederationPolicy
    clock: Clock
    letters: Letters
    address_keys: Sequence[bytes] = field(repr=False)

    async def person(self, vouched: Vouched, origin: Origin) -> User:
        """The person a provider vouches for, let in now if that is allowed; a refusal that says what to do if not."""
        now = self.clock.now()
        async with self.units() as unit:
            identity = await unit.identities.by_subject(vouched.provider, vouched.subject)
            if identity is not None:
                user = await unit.users.by_id(identity.user_id)
                await unit.identities.used(identity.id, now=now)
            else:
                user = await self._newly_linked(vouched, unit=unit, origin=origin)
            if user is None or not user.is_active:
                await unit.audit.append(
                    replace(self._entry("login", vouched, origin, user), outcome=AuditOutcome.FAILED)
                )
                await unit.commit()
                raise InvalidCredentials("this account may not sign in")
            await unit.commit()
        return user

    async def _newly_linked(self, vouched: Vouched, *, unit: FederationUnit, origin: Origin) -> User | None:
        """Whoever the address says it is, linked; or a new person. Refusals are raised with nothing written."""
        if vouched.email is None or not vouched.is_email_verified:
            # Said before anything is looked up: who only claims an address learns nothing of its account.
            raise NoAddress("the provider gives no address that it has verified")
        address, *older = address_digests(vouched.email, self.address_keys)
        known = await unit.users.by_email(address, *older)
        now = self.clock.now()
        if known is not None:
            if not (self.policy.link_by_email and await unit.identities.is_address_proved(known.id)):
                raise MustLink("an account with this address is here already")
            await self._link(known.id, vouched, unit=unit, entry=self._entry("linkIdentity", vouched, origin, known))
            await self._tell(unit, known, LINKED.format(vouched.provider))
            return known
        if self.policy.sign_up_role is None:
            raise NobodyKnown("nobody with this account was let in")
        user = User(
            id=new_id(),
            email=checked_address(vouched.email, "email"),
            role=self.policy.sign_up_role,
            created_at=now,
            first_name=_name(vouched.first_name),
            last_name=_name(vouched.last_name),
        )
        if not await unit.users.add(user, email_digest=address, older_digests=older):
            raise MustLink("an account with this address is here already")
        await unit.identities.address_is_proved(user.id, now=now)
        entry = replace(self._entry("createUser", vouched, origin, user), target_kind="user", target_id=user.id)
        await unit.audit.append(entry)
        await self._link(user.id, vouched, unit=unit, entry=self._entry("linkIdentity", vouched, origin, user))
        return user

    async def link(self, user_id: UUID, session_id: UUID, vouched: Vouched, origin: Origin) -> None:
        """Link a provider's account to the person whose living session asked for it."""
        now = self.clock.now()
        async with self.units() as unit:
            session = await unit.sessions.locked(session_id)
            user = await unit.users.by_id(user_id)
            is_whole = session is not None and session.user_id == user_id and session.is_alive(now)
            if user is None or not user.is_active or not is_whole:
                raise InvalidCredentials("the session that asked has ended: sign in again")
            entry = replace(self._entry("linkIdentity", vouched, origin, user), session_id=session_id)
            await self._link(user_id, vouched, unit=unit, entry=entry)
            await self._tell(unit, user, LINKED.format(vouched.provider))
            await unit.commit()

    async def _link(self, user_id: UUID, vouched: Vouched, *, unit: FederationUnit, entry: AuditEntry) -> None:
        now = self.clock.now()
        identity = Identity(
            id=new_id(),
            user_id=user_id,
            provider=vouched.provider,
            subject=vouched.subject,
            created_at=now,
            last_used_at=now,
        )
        if not await unit.identities.add(identity):
            raise AlreadyExists("this account is linked already")
        await unit.audit.append(replace(entry, target_kind="identity", target_id=identity.id))

    async def unlink(self, user_id: UUID, identity_id: UUID, *, entry: AuditEntry) -> Identity:
        """Unlink an account; never the last way in."""
        async with self.units() as unit:
            linked = await unit.identities.of_user(user_id, lock=True)
            identity = next((known for known in linked if known.id == identity_id), None)
            user = await unit.users.by_id(user_id)
            if identity is None or user is None:
                raise NotFound("no such linked account", ("id",))
            others = [known for known in linked if known is not identity and known.provider in self.policy.providers]
            if not (others or user.password_hash or await unit.passkeys.of(user_id)):
                raise Forbidden("this is your only way in: set a password or a passkey first", ("id",))
            await unit.identities.remove(identity_id)
            await unit.audit.append(replace(entry, before={"provider": identity.provider}))
            await self._tell(unit, user, UNLINKED.format(identity.provider))
            await unit.commit()
        return identity

    async def is_first_time(self, flow_id: UUID, *, expires_at: datetime) -> bool:
        """Whether this sign-in comes back from its provider for the first time."""
        async with self.units() as unit:
            is_first = await unit.identities.spend_flow(flow_id, expires_at=expires_at, now=self.clock.now())
            await unit.commit()
        return is_first

    async def hand_over(self, user: User, vouched: Vouched, *, code: str, challenge: bytes) -> None:
        """Keep the code by which a program takes over the sign-in. Only its digest is kept."""
        now = self.clock.now()
        kept = HandOver(
            digest=code_digest(code),
            user_id=user.id,
            challenge=challenge,
            has_second_factor=vouched.has_second_factor,
            expires_at=now + CODE_LIFE,
        )
        async with self.units() as unit:
            await unit.identities.hand_over(kept, now=now)
            await unit.commit()

    async def take_over(self, *, code: str, verifier: str) -> tuple[User, bool]:
        """Whom the program may sign in, and whether the provider asked for a second factor.

        The code is spent by the first who presents it, whether with the right verifier or not.
        """
        refusal = InvalidCredentials("the code is not right, was used, or has expired")
        async with self.units() as unit:
            found = await unit.identities.take_over(code_digest(code), now=self.clock.now())
            user = await unit.users.by_id(found.user_id) if found is not None else None
            await unit.commit()
        is_theirs = found is not None and hmac.compare_digest(challenge_of(verifier), found.challenge)
        if found is None or user is None or not user.is_active or not is_theirs:
            raise refusal
        return user, found.has_second_factor

    async def _tell(self, unit: FederationUnit, user: User, news: str) -> None:
        """A thief who adds a way in is noticed. An address no mail can go to stops no change."""
        with suppress(InvalidInput):
            await unit.mail.append(self.letters.accounts_linked(user, news))

    def _entry(self, action: str, vouched: Vouched, origin: Origin, user: User | None) -> AuditEntry:
        return AuditEntry(
            id=new_id(),
            occurred_at=self.clock.now(),
            actor_kind=ActorKind.USER if user else ActorKind.SYSTEM,
            actor_id=user.id if user else None,
            ip_address=origin.ip_address,
            action=action,
            after={"provider": vouched.provider},
            request_id=origin.request_id,
        )


def code_digest(code: str) -> bytes:
    """What is kept of a code."""
    return hashlib.sha256(b"tocsin:hand-over:" + code.encode("utf-8", "surrogatepass")).digest()


def challenge_of(verifier: str) -> bytes:
    """What a program shows of its verifier before it shows the verifier itself (PKCE's S256)."""
    return hashlib.sha256(verifier.encode("utf-8", "surrogatepass")).digest()


def _name(text: str) -> str:
    """A name as a provider gives it: one line, not endless."""
    return " ".join(printable(text).split())[:MAX_PERSON_NAME]
