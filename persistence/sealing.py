"""How is a secret kept at rest? AES-256-GCM, bound to its place: a value moved to another row or column does not open.

Form: 4 bytes of key id, 12 of nonce, the ciphertext with its tag. The key id says which key opens a value, so a new
key can seal while the old one still opens.
"""

import hashlib
import os
from collections.abc import Iterable
from functools import cached_property
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.ext.asyncio import AsyncConnection

from tocsin.settings import Settings

# Under which name an engine's connections carry the sealer (persistence/engine.py).
SEALER_OPTION = "tocsin_sealer"

ID_BYTES = 4
NONCE_BYTES = 12


class CannotUnseal(Exception):
    """The value was sealed with a key we do not have, for another place, or was tampered with."""


class Sealer:
    """Seals with the first key, opens with any."""

    def __init__(self, key: bytes, *, older_keys: Iterable[bytes] = ()) -> None:
        self._current = _key_id(key)
        self._keys = {_key_id(known): AESGCM(known) for known in (*older_keys, key)}

    @classmethod
    def of(cls, settings: Settings) -> "Sealer":
        """The sealer of this installation's secret."""
        return cls(settings.derived_key("sealing"), older_keys=settings.older_derived_keys("sealing"))

    @property
    def current(self) -> bytes:
        """The id of the key that seals."""
        return self._current

    @property
    def known(self) -> frozenset[bytes]:
        """The ids of the keys that open."""
        return frozenset(self._keys)

    def seal(self, secret: str, *, column: str, row: UUID) -> bytes:
        """The sealed form for `column` (as `table.column`) of the row."""
        return self.seal_bytes(secret.encode(), column=column, row=row)

    def seal_bytes(self, secret: bytes, *, column: str, row: UUID) -> bytes:
        """The same for a secret that is no text."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._keys[self._current].encrypt(nonce, secret, place(column, row))
        return self._current + nonce + sealed

    def unseal(self, sealed: bytes, *, column: str, row: UUID) -> str:
        """The secret; CannotUnseal when it does not open here."""
        return self.unseal_bytes(sealed, column=column, row=row).decode()

    def unseal_bytes(self, sealed: bytes, *, column: str, row: UUID) -> bytes:
        """The same for a secret that is no text."""
        key = self._keys.get(bytes(sealed[:ID_BYTES]))
        if key is None:
            message = f"{column} of {row} was sealed with a key that is not here: list it in TOCSIN_OLDER_SECRET_KEYS"
            raise CannotUnseal(message)
        nonce = bytes(sealed[ID_BYTES : ID_BYTES + NONCE_BYTES])
        try:
            return key.decrypt(nonce, bytes(sealed[ID_BYTES + NONCE_BYTES :]), place(column, row))
        except (InvalidTag, ValueError) as error:
            message = f"{column} of {row} does not open: it was moved or changed"
            raise CannotUnseal(message) from error


class LazySealer:
    """The sealer of an engine. Made on first use: an engine that never seals needs no secret, and makes none."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def sealer(self) -> Sealer:
        """The sealer of the installation's secret."""
        return Sealer.of(self._settings)


def sealer_of(connection: AsyncConnection) -> Sealer:
    """The sealer of the engine a connection belongs to: so a repository needs nothing but its connection."""
    assert connection.sync_connection is not None, "the connection is open"  # noqa: S101 - for the type checker
    lazy: LazySealer = connection.sync_connection.get_execution_options()[SEALER_OPTION]
    return lazy.sealer


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"tocsin:sealing:id:" + key).digest()[:ID_BYTES]


def place(column: str, row: UUID) -> bytes:
    """What a value is bound to: the additional data of its encryption."""
    return f"{column}.{row}".encode()
