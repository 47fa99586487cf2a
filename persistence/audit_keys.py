"""With which key are seals signed, and which keys count? One Ed25519 key; the public ones of before are kept.

The key is made from TOCSIN_AUDIT_KEY, or from `audit.key` in the data directory, which is made when it is missing. Its
name is its public key. It is read for every seal, so a new key counts at once.
"""

import contextlib
import os
import secrets
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from domain.audit.verification import Trust
from tocsin.settings import SECRET_BYTES, Settings

PUBLIC_BYTES = 32


class KeyIsGiven(Exception):
    """The key comes from the environment: whoever set it there changes it there."""


@dataclass(frozen=True)
class AuditKey:
    """The key that signs."""

    seed: bytes

    @cached_property
    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    @cached_property
    def public(self) -> bytes:
        """The public key."""
        return self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def sign(self, content: bytes) -> bytes:
        """The signature."""
        return self._private.sign(content)

    @classmethod
    def of(cls, settings: Settings) -> "AuditKey":
        """The key as it is now; made when there is none."""
        return cls(settings.audit_seed())

    @classmethod
    def existing(cls, settings: Settings) -> "AuditKey | None":
        """The key as it is now. Who only looks makes none."""
        return cls.of(settings) if settings.audit_key is not None or settings.audit_key_file.exists() else None


def is_signed(public: bytes, signature: bytes, content: bytes) -> bool:
    """Whether the signature over the content was made by the key."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, content)
    except (InvalidSignature, ValueError):
        return False
    return True


def public_key_of(text: str) -> bytes:
    """A public key from its hexadecimal form; ValueError for anything else."""
    key = bytes.fromhex(text.strip())
    if len(key) != PUBLIC_BYTES:
        message = f"a public key has {PUBLIC_BYTES} bytes in hexadecimal"
        raise ValueError(message)
    return key


def trust_of(settings: Settings, more: frozenset[bytes] = frozenset(), *, own: bool = True) -> Trust:
    """The keys that count here: the present one, those it had before, and those that somebody names.

    `own` is False where an export of another installation is checked: only the named ones count.
    """
    return Trust(more | (_own_keys(settings) if own else frozenset()), is_signed)


def _own_keys(settings: Settings) -> frozenset[bytes]:
    given = [part for part in (settings.audit_retired_keys or "").split(",") if part.strip()]
    with contextlib.suppress(FileNotFoundError):
        given += settings.audit_retired_file.read_text().split()
    present = AuditKey.existing(settings)
    return frozenset({*([present.public] if present else ()), *(public_key_of(text) for text in given)})


def rotate(settings: Settings) -> tuple[bytes, bytes]:
    """Sign with a new key from now on; the old public key and the new one. The old private key is gone.

    The old public key is written down first: stopped half-way, a key counts that is still in use.
    """
    if settings.audit_key is not None:
        raise KeyIsGiven
    old = AuditKey.of(settings)
    new = AuditKey(secrets.token_bytes(SECRET_BYTES))
    with settings.audit_retired_file.open("a") as retired:
        retired.write(old.public.hex() + "\n")
        retired.flush()
        os.fsync(retired.fileno())
    _replace(settings.audit_key_file, new.seed.hex() + "\n")
    return old.public, new.public


def _replace(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
