"""How does somebody who is signed in prove anew who they are? By a factor; by the password where there is none.

What is dangerous asks for a proof of the last minutes: a session that was left open, or whose token was copied, is not
enough to take an account over. Signing in counts, so a script that signs in and goes to work is not asked again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from domain.audit.model import AuditEntry, AuditOutcome
from domain.errors import InvalidCredentials, InvalidInput, TooManyAttempts, Unauthenticated
from domain.identity.addresses import address_digest
from domain.identity.challenges import Challenge, Purpose, new_challenge
from domain.identity.factors import Factors
from domain.identity.model import User
from domain.identity.proofs import Method
from domain.identity.proving import CopiedPasskey, Offered
from domain.identity.second_step import PasskeyAsked, taken
from domain.identity.sign_in import COPIED, MAX_PASSWORD, SignInDesk

WRONG_PROOF = "the password or the code is not right"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepUp:
    """What somebody brings: a password, or one of the other proofs; a passkey with the token it was asked under."""

    offered: Offered
    password: str | None = None
    token: str | None = None

    def __post_init__(self) -> None:
        """One proof, no more and no less."""
        if (self.password is None) == self.offered.is_nothing:
            raise InvalidInput("give one proof: a password, a code, a recovery code or a passkey", ("totpCode",))
        if (self.offered.passkey is None) != (self.token is None):
            raise InvalidInput("a passkey's answer comes with the challenge it answers", ("passkey",))


def methods_of(user: User, factors: Factors) -> tuple[Method, ...]:
    """How this person steps up. Somebody without a factor or a password signs in anew, at the provider."""
    if factors.any:
        return factors.methods
    return (Method.PASSWORD,) if user.password_hash is not None else (Method.FEDERATED,)


@dataclass(frozen=True, slots=True)
class StepUpDesk:
    """Marks sessions as proved."""

    desk: SignInDesk

    async def methods(self, user_id: UUID) -> tuple[Method, ...]:
        """How the person may step up."""
        async with self.desk.units() as unit:
            user = await unit.users.by_id(user_id)
            return () if user is None else methods_of(user, await unit.factors.of(user_id))

    async def begin_passkey(self, *, user_id: UUID, session_id: UUID) -> PasskeyAsked:
        """Ask for one of the person's passkeys."""
        now = self.desk.clock.now()
        challenge, token = new_challenge(Purpose.PASSKEY_STEP_UP, now=now, user_id=user_id, session_id=session_id)
        async with self.desk.units() as unit:
            allowed = await unit.passkeys.of(user_id)
            if not allowed:
                raise InvalidInput("you have no passkey")
            await unit.challenges.add(challenge)
            await unit.commit()
        options = self.desk.prover.ceremonies.proof_options(nonce=challenge.nonce, allowed=allowed, alone=False)
        return PasskeyAsked(token=token, options=options, expires_at=challenge.expires_at)

    async def prove(
        self, what: StepUp, *, user_id: UUID, session_id: UUID, entry: AuditEntry, ip_address: str | None
    ) -> datetime:
        """Look at the proof, and mark the session; the time from which it counts."""
        desk = self.desk
        async with desk.units() as unit:
            user = await unit.users.by_id(user_id)
            factors = await unit.factors.of(user_id)
        if user is None:
            raise Unauthenticated("the session has ended: sign in again")
        if what.password is not None:
            await self._check_password(what.password, user, factors, entry=entry, ip_address=ip_address)
        else:
            await desk.prover.count_guess(user_id, what.offered)
        challenge = await self._challenge(what, session_id)
        now, reason = desk.clock.now(), None
        async with desk.units() as unit:
            method: Method | None = Method.PASSWORD
            if what.password is None:
                try:
                    method = await desk.prover.proves(
                        unit, user, what.offered, nonce=challenge.nonce if challenge else None
                    )
                except InvalidCredentials as refusal:
                    method, reason = None, COPIED if isinstance(refusal, CopiedPasskey) else None
            if method is not None:
                await unit.factors.proved(session_id, [method], now)
                await unit.audit.append(_with(entry, after={"provedBy": [method.value]}))
                await unit.commit()
                return now
        await self._refuse(entry, reason)
        raise InvalidCredentials(WRONG_PROOF)

    async def _challenge(self, what: StepUp, session_id: UUID) -> Challenge | None:
        """The challenge a passkey answers, used up before it is looked at."""
        if what.token is None:
            return None
        async with self.desk.units() as unit:
            now = self.desk.clock.now()
            challenge = await taken(unit, what.token, Purpose.PASSKEY_STEP_UP, now=now, session_id=session_id)
            await unit.commit()
            return challenge

    async def _check_password(
        self, password: str, user: User, factors: Factors, *, entry: AuditEntry, ip_address: str | None
    ) -> None:
        """The password counts for somebody who has no factor: with one, it is what a thief has already."""
        desk = self.desk
        if factors.any:
            raise InvalidInput("a password is not enough here: prove your second factor", ("password",))
        address = address_digest(user.email, desk.address_key)
        wait = await desk.throttle.attempt(address, ip_address)
        if wait:
            raise TooManyAttempts(f"too many failed attempts; try again in {wait} s", retry_after_seconds=wait)
        if len(password) > MAX_PASSWORD or not await desk.hasher.verify(user.password_hash, password):
            await self._refuse(entry, None)
            raise InvalidCredentials(WRONG_PROOF)
        await desk.throttle.succeeded(address, ip_address)

    async def _refuse(self, entry: AuditEntry, reason: str | None) -> None:
        after = None if reason is None else {"reason": reason}
        async with self.desk.units() as unit:
            await unit.audit.append(_with(entry, after=after, outcome=AuditOutcome.FAILED))
            await unit.commit()


def _with(
    entry: AuditEntry, *, after: Mapping[str, object] | None, outcome: AuditOutcome = AuditOutcome.DONE
) -> AuditEntry:
    return replace(entry, after=None if after is None else dict(after), outcome=outcome)
