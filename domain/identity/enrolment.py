"""How does a person get a second factor, and lose it? An app's secret, a passkey, recovery codes; and a clean slate.

A secret is shown once, when it is made; it counts from the first right code on, which proves that the app has it. The
first factor brings recovery codes, the last takes them along. Who may, and after which proof, the API asks before.
Changes of one person's factors wait for each other, so that none is decided on what another has just changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.audit.model import AuditEntry
from domain.errors import AlreadyExists, Forbidden, InvalidInput, NotFound
from domain.identity import recovery_codes, totp
from domain.identity.challenges import Purpose, new_challenge
from domain.identity.factor_notices import News, tell
from domain.identity.factors import ENROLMENT_TIME, MAX_PASSKEY_NAME, MAX_PASSKEYS, Factors, Passkey, Totp
from domain.identity.letters import Letters
from domain.identity.people import checked_name
from domain.identity.ports import IdentityUnit, IdentityUnits
from domain.identity.proofs import Method
from domain.identity.proving import SECRET_COLUMN, Prover
from domain.identity.second_step import PasskeyAsked, taken
from domain.ids import new_id
from domain.ports import Clock

ISSUER = "Tocsin"
WRONG_CODE = "the code is not right; is the clock of the device?"
LAST_FACTOR = "your role needs a second factor: add another one before you remove this"


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """Whose factors change, in which session, and whether their role must have one."""

    user_id: UUID
    session_id: UUID
    must_have_one: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TotpShown:
    """A secret, shown this once, in the forms an app takes."""

    secret: str
    uri: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorDesk:
    """What changing factors needs; made once a process."""

    units: IdentityUnits
    prover: Prover
    clock: Clock

    async def begin_totp(self, who: Who, *, entry: AuditEntry) -> TotpShown:
        """Make a secret. One that counts goes on counting until this one is confirmed."""
        now, secret = self.clock.now(), totp.new_secret()
        row = new_id()
        sealed = self.prover.sealer.seal(secret, column=SECRET_COLUMN, row=row)
        async with self.units() as unit:
            await unit.factors.lock(who.user_id)
            user = await unit.users.by_id(who.user_id)
            if user is None:
                raise NotFound("no such person")
            await unit.factors.begin_totp(Totp(id=row, user_id=who.user_id, sealed_secret=sealed, created_at=now))
            await unit.audit.append(entry)
            await unit.commit()
        uri = totp.provisioning_uri(secret, account=user.email, issuer=ISSUER)
        return TotpShown(secret=secret, uri=uri, expires_at=now + ENROLMENT_TIME)

    async def confirm_totp(self, who: Who, code: str, *, entry: AuditEntry) -> list[str] | None:
        """Let the secret count, by its first code; recovery codes, where the person had none."""
        now = self.clock.now()
        async with self.units() as unit:
            await unit.factors.lock(who.user_id)
            pending = await unit.factors.pending_totp(who.user_id)
            if pending is None or now >= pending.created_at + ENROLMENT_TIME:
                raise InvalidInput("there is no secret to confirm: begin the enrolment anew", ("code",))
            secret = self.prover.sealer.unseal(pending.sealed_secret, column=SECRET_COLUMN, row=pending.id)
            step = totp.matching_step(secret, code, now=now, last_step=None)
            if step is None:
                raise InvalidInput(WRONG_CODE, ("code",))
            codes = await self._first_codes(unit, who.user_id, now)
            await unit.factors.confirm_totp(replace(pending, confirmed_at=now, last_step=step))
            await unit.factors.proved(who.session_id, [Method.TOTP], now)
            await self._tell(unit, who.user_id, News.APP_ADDED)
            await unit.audit.append(entry)
            await unit.commit()
        return codes

    async def disable_totp(self, who: Who, *, entry: AuditEntry) -> Factors:
        """Remove the secret."""
        async with self.units() as unit:
            await unit.factors.lock(who.user_id)
            factors = await unit.factors.of(who.user_id)
            if not factors.has_totp:
                raise NotFound("there is no authenticator app to switch off")
            await unit.factors.remove_totp(who.user_id)
            left = await self._after_removal(unit, who)
            await self._tell(unit, who.user_id, News.APP_REMOVED)
            await unit.audit.append(entry)
            await unit.commit()
        return left

    async def renew_recovery_codes(self, who: Who, *, entry: AuditEntry) -> list[str]:
        """A fresh set; the codes of before no longer count."""
        async with self.units() as unit:
            await unit.factors.lock(who.user_id)
            if not (await unit.factors.of(who.user_id)).any:
                raise InvalidInput("recovery codes stand in for a second factor: add one first")
            codes = await self._new_codes(unit, who.user_id, self.clock.now())
            await self._tell(unit, who.user_id, News.CODES_RENEWED)
            await unit.audit.append(entry)
            await unit.commit()
        return codes

    async def begin_passkey(self, who: Who) -> PasskeyAsked:
        """Ask a device for a new key. It is told of the keys there are, so that none is made beside its own."""
        now = self.clock.now()
        challenge, token = new_challenge(
            Purpose.PASSKEY_REGISTRATION, now=now, user_id=who.user_id, session_id=who.session_id
        )
        async with self.units() as unit:
            user, known = await unit.users.by_id(who.user_id), await unit.passkeys.of(who.user_id)
            if user is None:
                raise NotFound("no such person")
            _check_room(known)
            await unit.challenges.add(challenge)
            await unit.commit()
        options = self.prover.ceremonies.registration_options(
            user_id=user.id, account=user.email, nonce=challenge.nonce, known=known
        )
        return PasskeyAsked(token=token, options=options, expires_at=challenge.expires_at)

    async def finish_passkey(
        self, who: Who, *, token: str, credential: Mapping[str, Any], name: str, entry: AuditEntry
    ) -> tuple[Passkey, list[str] | None]:
        """Keep the key a device made; recovery codes, where the person had none."""
        name = checked_name(name, MAX_PASSKEY_NAME, "name")
        now = self.clock.now()
        async with self.units() as unit:
            challenge = await taken(unit, token, Purpose.PASSKEY_REGISTRATION, now=now, session_id=who.session_id)
            await unit.commit()
        made = self.prover.ceremonies.registered(credential, nonce=challenge.nonce)
        passkey = Passkey(
            id=new_id(),
            user_id=who.user_id,
            credential_id=made.credential_id,
            public_key=made.public_key,
            sign_count=made.sign_count,
            name=name,
            created_at=now,
            transports=made.transports,
            is_synced=made.is_synced,
        )
        async with self.units() as unit:
            await unit.factors.lock(who.user_id)
            _check_room(await unit.passkeys.of(who.user_id))
            codes = await self._first_codes(unit, who.user_id, now)
            if not await unit.passkeys.add(passkey):
                raise AlreadyExists("this passkey is registered already", ("credential",))
            await unit.factors.proved(who.session_id, [Method.PASSKEY], now)
            await self._tell(unit, who.user_id, News.PASSKEY_ADDED)
            await unit.audit.append(replace(entry, target_id=passkey.id))
            await unit.commit()
        return passkey, codes

    async def rename_passkey(self, who: Who, passkey_id: UUID, name: str, *, entry: AuditEntry) -> None:
        """Call a passkey something else."""
        name = checked_name(name, MAX_PASSKEY_NAME, "name")
        async with self.units() as unit:
            if not await unit.passkeys.rename(passkey_id, user_id=who.user_id, name=name):
                raise NotFound("no such passkey", ("id",))
            # Not the name: people put their own into it, and what is on the log stays.
            await unit.audit.append(entry)
            await unit.commit()

    async def remove_passkey(self, who: Who, passkey_id: UUID, *, entry: AuditEntry) -> Factors:
        """Forget a passkey: it signs nobody in any more."""
        async with self.units() as unit:
            await unit.factors.lock(who.user_id)
            if not await unit.passkeys.remove(passkey_id, user_id=who.user_id):
                raise NotFound("no such passkey", ("id",))
            left = await self._after_removal(unit, who)
            await self._tell(unit, who.user_id, News.PASSKEY_REMOVED)
            await unit.audit.append(entry)
            await unit.commit()
        return left

    async def reset(self, user_id: UUID, *, entry: AuditEntry) -> None:
        """Take every factor from a person who lost them: see `reset_factors`."""
        async with self.units() as unit:
            await reset_factors(unit, user_id, letters=self.prover.letters, now=self.clock.now(), entry=entry)
            await unit.commit()

    async def _tell(self, unit: IdentityUnit, user_id: UUID, news: News) -> None:
        user = await unit.users.by_id(user_id)
        if user is not None:
            await tell(unit, self.prover.letters, user, news)

    async def _first_codes(self, unit: IdentityUnit, user_id: UUID, now: datetime) -> list[str] | None:
        return None if (await unit.factors.of(user_id)).any else await self._new_codes(unit, user_id, now)

    async def _new_codes(self, unit: IdentityUnit, user_id: UUID, now: datetime) -> list[str]:
        codes, key = recovery_codes.new_codes(), self.prover.recovery_keys[0]
        digests = [recovery_codes.code_digest(user_id, code, key) for code in codes]
        await unit.factors.put_recovery_codes(user_id, digests, now)
        return codes

    @staticmethod
    async def _after_removal(unit: IdentityUnit, who: Who) -> Factors:
        """What is left. Forbidden where that is nothing and the role must have something."""
        left = await unit.factors.of(who.user_id)
        if left.any:
            return left
        if who.must_have_one:
            raise Forbidden(LAST_FACTOR)
        await unit.factors.remove_recovery_codes(who.user_id)
        return Factors()


def _check_room(known: list[Passkey]) -> None:
    if len(known) >= MAX_PASSKEYS:
        raise InvalidInput(f"a person may have {MAX_PASSKEYS} passkeys; remove one first")


async def reset_factors(
    unit: IdentityUnit, user_id: UUID, *, letters: Letters, now: datetime, entry: AuditEntry
) -> None:
    """Take every factor from a person, and end every session: one of them may be the finder's. The caller commits."""
    await unit.factors.lock(user_id)
    user = await unit.users.by_id(user_id)
    if user is None:
        raise NotFound("no such person", ("userId",))
    had = await unit.factors.of(user_id)
    await unit.factors.remove_totp(user_id)
    await unit.passkeys.remove_all(user_id)
    await unit.factors.remove_recovery_codes(user_id)
    ended = await unit.sessions.revoke_all(user_id, now=now)
    await tell(unit, letters, user, News.RESET)
    before = {"totp": had.has_totp, "passkeys": had.passkeys, "codesLeft": had.recovery_codes_left}
    await unit.audit.append(replace(entry, before=before, after={"sessionsEnded": len(ended)}))
