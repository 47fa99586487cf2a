"""Under which key is a person's data kept? Under one of their own: destroy it, and every copy is noise, backups too.

The key is 32 random bytes, kept in `person_keys` wrapped by the installation's sealing key (persistence/sealing.py).
What it seals is bound to its column and row, so a value moved elsewhere does not open. Form: 12 bytes of nonce, then
the ciphertext with its tag. Nothing unwrapped outlives the statement it was read for: who is erased reads as erased at
once, in every process.

Every connection of persistence/engine.py brings the keys of its installation with it: `vault_of(connection)`.
"""

import os
from typing import Final, Protocol
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.ext.asyncio import AsyncConnection

from persistence.sealing import NONCE_BYTES, CannotUnseal, Sealer, place, sealer_of

KEY_BYTES = 32
WRAPPED: Final = "person_keys.wrapped"


class Opener(Protocol):
    """Reads what is kept of one person."""

    def open(self, value: bytes | None, *, column: str, row: UUID) -> str | None:
        """The text of a column's value (`table.column`) in that row; None where there is none, or no longer one."""
        ...


class PersonKey:
    """Seals and opens what is kept of one person."""

    __slots__ = ("_cipher",)

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESGCM(secret)

    def seal(self, text: str | None, *, column: str, row: UUID) -> bytes | None:
        """The sealed form for `column` (as `table.column`) of the row. Nothing and an empty text are kept as NULL."""
        return self.seal_bytes(text.encode(), column=column, row=row) if text else None

    def seal_bytes(self, plain: bytes, *, column: str, row: UUID) -> bytes:
        """The same for bytes, empty ones too."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, place(column, row))

    def open(self, value: bytes | None, *, column: str, row: UUID) -> str | None:
        """The text; CannotUnseal when it does not open here."""
        return None if value is None else self.open_bytes(value, column=column, row=row).decode()

    def open_bytes(self, value: bytes, *, column: str, row: UUID) -> bytes:
        """The same for bytes."""
        try:
            return self._cipher.decrypt(value[:NONCE_BYTES], value[NONCE_BYTES:], place(column, row))
        except (InvalidTag, ValueError) as error:
            message = f"{column} of {row} does not open: it was moved or changed"
            raise CannotUnseal(message) from error


class _Erased:
    """The key is destroyed: whatever a column still holds, there is nothing to read."""

    def open(self, value: bytes | None, *, column: str, row: UUID) -> str | None:  # noqa: ARG002 - the port's
        """Nothing."""
        return None


class _NotYetSealed:
    """A row of before the person had a key (an upgrade that is not finished): the bytes are the text."""

    def open(self, value: bytes | None, *, column: str, row: UUID) -> str | None:  # noqa: ARG002 - the port's
        """The text as it is."""
        return None if value is None else value.decode()


_ERASED, _NOT_YET_SEALED = _Erased(), _NotYetSealed()


class Vault:
    """Makes and unwraps the keys of persons."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def make(self, user_id: UUID) -> tuple[PersonKey, bytes]:
        """A new key, and the form it is kept in."""
        secret = os.urandom(KEY_BYTES)
        return PersonKey(secret), self._sealer.seal_bytes(secret, column=WRAPPED, row=user_id)

    def key(self, user_id: UUID, wrapped: bytes) -> PersonKey:
        """The key a row of `person_keys` holds."""
        return PersonKey(self._sealer.unseal_bytes(wrapped, column=WRAPPED, row=user_id))

    def opener(self, user_id: UUID, wrapped: bytes | None, *, is_erased: bool) -> Opener:
        """What reads the rows of this person, as `users` and `person_keys` are now."""
        if wrapped is not None:
            return self.key(user_id, wrapped)
        return _ERASED if is_erased else _NOT_YET_SEALED


def vault_of(connection: AsyncConnection) -> Vault:
    """The vault of the installation a connection belongs to."""
    return Vault(sealer_of(connection))
