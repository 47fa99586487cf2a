"""What do second factors need of the world? Stores within one transaction, a sealer, and WebAuthn's ceremonies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from domain.identity.challenges import Challenge
from domain.identity.factors import Factors, Passkey, Totp
from domain.identity.guessing import Guesses
from domain.identity.proofs import Method


class FactorStore(Protocol):
    """Secrets, recovery codes and guesses, and what sessions proved."""

    async def lock(self, user_id: UUID) -> None:
        """Wait for other changes of this person's factors; they wait until the transaction ends."""
        ...

    async def of(self, user_id: UUID) -> Factors:
        """What the person has."""
        ...

    async def totp(self, user_id: UUID) -> Totp | None:
        """The secret that counts."""
        ...

    async def pending_totp(self, user_id: UUID) -> Totp | None:
        """The secret that waits for its first code."""
        ...

    async def begin_totp(self, totp: Totp) -> None:
        """Write a secret that waits, in place of one that waited."""
        ...

    async def confirm_totp(self, totp: Totp) -> None:
        """Let a secret count, in place of the one that did."""
        ...

    async def use_step(self, totp_id: UUID, step: int) -> bool:
        """Note that a code of this step was taken; False when it or a later one was taken already."""
        ...

    async def remove_totp(self, user_id: UUID) -> None:
        """Remove the person's secrets."""
        ...

    async def put_recovery_codes(self, user_id: UUID, digests: Sequence[bytes], now: datetime) -> None:
        """Keep these in place of those there were."""
        ...

    async def use_recovery_code(self, user_id: UUID, digests: Sequence[bytes], now: datetime) -> bool:
        """Use up the code one of these is the digest of; False when there is none, or it is used."""
        ...

    async def remove_recovery_codes(self, user_id: UUID) -> None:
        """Remove the person's codes."""
        ...

    async def guesses(self, user_id: UUID) -> Guesses:
        """The person's guesses, locked until the transaction ends."""
        ...

    async def save_guesses(self, user_id: UUID, guesses: Guesses) -> None:
        """Write them."""
        ...

    async def proved(self, session_id: UUID, methods: Sequence[Method], now: datetime) -> None:
        """Note that a session proved this, now, besides what it proved before."""
        ...


class PasskeyStore(Protocol):
    """Public keys."""

    async def add(self, passkey: Passkey) -> bool:
        """Write one; False when its credential is registered already, by whomever."""
        ...

    async def of(self, user_id: UUID) -> list[Passkey]:
        """The person's, by the time they were added."""
        ...

    async def by_credential(self, credential_id: bytes) -> Passkey | None:
        """The one a device names."""
        ...

    async def used(self, passkey_id: UUID, *, sign_count: int, now: datetime) -> bool:
        """Note a use. False when the count did not grow: a copy of the key may be about."""
        ...

    async def rename(self, passkey_id: UUID, *, user_id: UUID, name: str) -> bool:
        """Give one of the person's another name; False when it is not there."""
        ...

    async def remove(self, passkey_id: UUID, *, user_id: UUID) -> bool:
        """Remove one of the person's; False when it is not there."""
        ...

    async def remove_all(self, user_id: UUID) -> None:
        """Remove the person's."""
        ...


class ChallengeStore(Protocol):
    """Challenges that wait for their answer."""

    async def add(self, challenge: Challenge) -> None:
        """Write one; some that are past their time leave."""
        ...

    async def attempt(self, challenge_id: UUID) -> Challenge | None:
        """Count an answer, and show the challenge as it is now; None when it is gone."""
        ...

    async def take(self, challenge_id: UUID) -> Challenge | None:
        """Use it up: of two at once, one gets it."""
        ...


class SecretSealer(Protocol):
    """Keeps a secret at rest, bound to its place."""

    def seal(self, secret: str, *, column: str, row: UUID) -> bytes:
        """The sealed form."""
        ...

    def unseal(self, sealed: bytes, *, column: str, row: UUID) -> str:
        """The secret."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCredential:
    """What a device registered."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    transports: tuple[str, ...]
    is_synced: bool


class Ceremonies(Protocol):
    """WebAuthn. What it gives and takes is JSON as browsers have it; a refusal is InvalidCredentials."""

    def registration_options(
        self, *, user_id: UUID, account: str, nonce: bytes, known: Sequence[Passkey]
    ) -> dict[str, Any]:
        """What `navigator.credentials.create` is given."""
        ...

    def registered(self, credential: Mapping[str, Any], *, nonce: bytes) -> NewCredential:
        """What the device registered, verified."""
        ...

    def proof_options(self, *, nonce: bytes, allowed: Sequence[Passkey], alone: bool) -> dict[str, Any]:
        """What `navigator.credentials.get` is given. `alone`: it is the only proof, so the device asks who holds it."""
        ...

    def credential_id(self, credential: Mapping[str, Any]) -> bytes:
        """Which key an answer is of."""
        ...

    def sign_count(self, credential: Mapping[str, Any], *, nonce: bytes, passkey: Passkey, alone: bool) -> int:
        """The device's count of uses, after the answer was verified against the public key."""
        ...
