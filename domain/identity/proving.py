"""Does a person prove what they claim? One place that looks at a code, a recovery code or a passkey.

Sign-in and step-up ask it alike. It works within the caller's transaction: what is used up and what it is used for
commit together. Only the count of guesses commits before, so that many at once do not all go uncounted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.errors import InvalidCredentials, InvalidInput
from domain.identity import guessing, recovery_codes, totp
from domain.identity.factor_notices import News, tell
from domain.identity.factor_ports import Ceremonies, SecretSealer
from domain.identity.letters import Letters
from domain.identity.model import User
from domain.identity.ports import IdentityUnit, IdentityUnits
from domain.identity.proofs import Method
from domain.ports import Clock

WRONG_PASSKEY = "the passkey's answer is not right"
SECRET_COLUMN = "totp_secrets.sealed_secret"  # noqa: S105 - a place, not a secret


class CopiedPasskey(InvalidCredentials):
    """A passkey answered with a count that did not grow: a copy of it may be in other hands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """What somebody offers as proof: one of these, or nothing. A passkey's answer is JSON as a browser makes it."""

    totp_code: str | None = None
    recovery_code: str | None = None
    passkey: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        """Two at once would make it unclear which was right."""
        if sum(one is not None for one in (self.totp_code, self.recovery_code, self.passkey)) > 1:
            raise InvalidInput("give one proof: a code, a recovery code or a passkey", ("totpCode",))

    @property
    def is_nothing(self) -> bool:
        """Whether nothing is offered."""
        return self.totp_code is None and self.recovery_code is None and self.passkey is None


NOTHING = Offered()


@dataclass(frozen=True, slots=True, kw_only=True)
class Prover:
    """Looks at proofs; made once a process. The first recovery key is the current one."""

    units: IdentityUnits
    sealer: SecretSealer
    recovery_keys: tuple[bytes, ...]
    ceremonies: Ceremonies
    letters: Letters
    clock: Clock

    async def count_guess(self, user_id: UUID, offered: Offered) -> None:
        """Count an attempt at a code, before it is looked at; TooManyAttempts when it may not be made yet."""
        if offered.totp_code is None:
            return
        async with self.units() as unit:
            guesses = await unit.factors.guesses(user_id)
            await unit.factors.save_guesses(user_id, guessing.one_more(guesses, now=self.clock.now()))
            await unit.commit()

    async def proves(
        self, unit: IdentityUnit, user: User, offered: Offered, *, nonce: bytes | None = None
    ) -> Method | None:
        """How the person proved it; None when it is no proof. `nonce` is what a passkey had to sign."""
        now = self.clock.now()
        # The person first, as whoever changes their factors does: locks taken in two orders would meet.
        await unit.factors.lock(user.id)
        if offered.totp_code is not None and await self._is_code(unit, user.id, offered.totp_code, now):
            await unit.factors.save_guesses(user.id, guessing.Guesses())
            return Method.TOTP
        if offered.recovery_code is not None:
            digests = recovery_codes.code_digests(user.id, offered.recovery_code, self.recovery_keys)
            if digests and await unit.factors.use_recovery_code(user.id, digests, now):
                await tell(unit, self.letters, user, News.CODE_USED)
                return Method.RECOVERY_CODE
        if offered.passkey is not None and nonce is not None:
            owner = await self.passkey_owner(unit, offered.passkey, nonce=nonce, alone=False)
            if owner == user.id:
                return Method.PASSKEY
        return None

    async def _is_code(self, unit: IdentityUnit, user_id: UUID, code: str, now: datetime) -> bool:
        factor = await unit.factors.totp(user_id)
        if factor is None:
            return False
        secret = self.sealer.unseal(factor.sealed_secret, column=SECRET_COLUMN, row=factor.id)
        step = totp.matching_step(secret, code, now=now, last_step=factor.last_step)
        # Of two who bring the same code at once, the second finds the step used.
        return step is not None and await unit.factors.use_step(factor.id, step)

    async def passkey_owner(
        self, unit: IdentityUnit, credential: Mapping[str, Any], *, nonce: bytes, alone: bool
    ) -> UUID | None:
        """Whose passkey answered; None for one nobody registered. InvalidCredentials for a wrong answer."""
        passkey = await unit.passkeys.by_credential(self.ceremonies.credential_id(credential))
        if passkey is None:
            return None
        await unit.factors.lock(passkey.user_id)
        count = self.ceremonies.sign_count(credential, nonce=nonce, passkey=passkey, alone=alone)
        if not await unit.passkeys.used(passkey.id, sign_count=count, now=self.clock.now()):
            raise CopiedPasskey(WRONG_PASSKEY)
        return passkey.user_id
