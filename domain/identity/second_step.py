"""How does a sign-in go on that needs more than one request? By the token of a challenge; or by a passkey alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.errors import InvalidCredentials, InvalidInput
from domain.identity.challenges import MAX_ATTEMPTS, Challenge, Purpose, challenge_id_of, new_challenge
from domain.identity.ports import IdentityUnit
from domain.identity.proofs import Method
from domain.identity.proving import WRONG_PASSKEY, CopiedPasskey, Offered
from domain.identity.sign_in import COPIED, WRONG, Origin, SignedIn, SignInDesk

OVER = "this took too long or was tried too often: begin anew"


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyAsked:
    """What a browser is to give its passkey, and the token that goes back with the answer."""

    token: str
    options: dict[str, Any]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SecondStep:
    """Goes on where SignInDesk stopped."""

    desk: SignInDesk

    async def complete(self, *, token: str, offered: Offered, origin: Origin) -> SignedIn:
        """A session for the challenge's person and a right second factor. The challenge bears a few wrong ones."""
        if offered.is_nothing:
            raise InvalidInput("give a proof: a code, a recovery code or a passkey", ("totpCode",))
        challenge_id = challenge_id_of(token)
        if challenge_id is None:
            raise InvalidCredentials(OVER)
        async with self.desk.units() as unit:
            challenge = await unit.challenges.attempt(challenge_id)
            user = await unit.users.by_id(challenge.user_id) if challenge and challenge.user_id else None
            await unit.commit()
        now = self.desk.clock.now()
        is_good = challenge is not None and challenge.is_answered_by(token, Purpose.SECOND_FACTOR, now=now)
        if challenge is None or not is_good or challenge.attempts > MAX_ATTEMPTS:
            raise InvalidCredentials(OVER)
        if user is None or not user.is_active:
            raise InvalidCredentials(WRONG)
        return await self.desk.with_second_factor(
            user, proved=frozenset(challenge.proved), offered=offered, origin=origin, challenge=challenge
        )

    async def begin_passkey(self) -> PasskeyAsked:
        """Ask for a passkey of whomever: the device says whose it is, so no address is asked, and none is told of."""
        challenge, token = new_challenge(Purpose.PASSKEY_SIGN_IN, now=self.desk.clock.now())
        async with self.desk.units() as unit:
            await unit.challenges.add(challenge)
            await unit.commit()
        options = self.desk.prover.ceremonies.proof_options(nonce=challenge.nonce, allowed=(), alone=True)
        return PasskeyAsked(token=token, options=options, expires_at=challenge.expires_at)

    async def by_passkey(self, *, token: str, credential: Mapping[str, Any], origin: Origin) -> SignedIn:
        """A session for the owner of the passkey that answered. It is both factors: the device asked who holds it."""
        reason, owner = None, None
        async with self.desk.units() as unit:
            challenge = await taken(unit, token, Purpose.PASSKEY_SIGN_IN, now=self.desk.clock.now())
            # Used up, whatever comes of it.
            await unit.commit()
        async with self.desk.units() as unit:
            try:
                owner = await self.desk.prover.passkey_owner(unit, credential, nonce=challenge.nonce, alone=True)
            except CopiedPasskey:
                reason = COPIED
            except InvalidCredentials:
                pass
            user = None if owner is None else await unit.users.by_id(owner)
            if user is not None and user.is_active:
                proved = frozenset({Method.PASSKEY})
                signed_in = await self.desk.opened(unit, user, proved=proved, origin=origin)
                await unit.commit()
                await self.desk.forgive(user, origin)
                return signed_in
        await self.desk.record_failure("login", owner, origin, reason=reason)
        raise InvalidCredentials(WRONG_PASSKEY)


async def taken(
    unit: IdentityUnit, token: str, purpose: Purpose, *, now: datetime, session_id: UUID | None = None
) -> Challenge:
    """The challenge, used up; InvalidCredentials when the token is not one of this purpose and session, or too late."""
    challenge_id = challenge_id_of(token)
    challenge = None if challenge_id is None else await unit.challenges.take(challenge_id)
    if challenge is None or not challenge.is_answered_by(token, purpose, now=now) or challenge.session_id != session_id:
        raise InvalidCredentials(OVER)
    return challenge
