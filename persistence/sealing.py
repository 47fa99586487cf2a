"""How is a secret kept at rest? AES-256-GCM, bound to its place: a value moved to another row or column does not open.

Form: 4 bytes of key id, 12 of nonce, the ciphertext with its tag. The key id says which key opens a value, so a new
key can seal while the old one still opens.
"""

import hashlib
import os
from collections.abc import Iterable
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tocsin.settings import Settings

_ID_BYTES = 4
_NONCE_BYTES = 12


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
        return cls(settings.derived_key("sealing"))

    def seal(self, secret: str, *, column: str, row: UUID) -> bytes:
        """The sealed form for `column` (as `table.column`) of the row."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._keys[self._current].encrypt(nonce, secret.encode(), _place(column, row))
        return self._current + nonce + sealed

    def unseal(self, sealed: bytes, *, column: str, row: UUID) -> str:
        """The secret; CannotUnseal when it does not open here."""
        key = self._keys.get(bytes(sealed[:_ID_BYTES]))
        if key is None:
            message = f"{column} of {row} was sealed with a key that is not here: was TOCSIN_SECRET_KEY changed?"
            raise CannotUnseal(message)
        nonce = bytes(sealed[_ID_BYTES : _ID_BYTES + _NONCE_BYTES])
        try:
            return key.decrypt(nonce, bytes(sealed[_ID_BYTES + _NONCE_BYTES :]), _place(column, row)).decode()
        except (InvalidTag, ValueError) as error:
            message = f"{column} of {row} does not open: it was moved or changed"
            raise CannotUnseal(message) from error


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"tocsin:sealing:id:" + key).digest()[:_ID_BYTES]


def _place(column: str, row: UUID) -> bytes:
    return f"{column}.{row}".encode()
