"""Which secrets are there, and where is kept what must outlive the database?"""

import contextlib
import hashlib
import hmac
import json
import os
import secrets
from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from tocsin.settings.stores import StoreSettings
from tocsin.settings.words import MissingSettingError, Seconds

SECRET_BYTES = 32
MIN_SECRET_CHARACTERS = 32


class AuditAddresses(StrEnum):
    """How much of an address the audit log keeps: domain/audit/addresses.py."""

    FULL = "full"
    NETWORK = "network"
    NONE = "none"


class SecretSettings(StoreSettings):
    """Which secrets are there, and where is kept what must outlive the database?"""

    secret_key: SecretStr | None = Field(
        default=None,
        description="At least 32 characters; signs sessions and seals secrets. "
        "Unset: generated once and kept in `secret.key` in the data directory.",
    )
    older_secret_keys: SecretStr | None = Field(
        default=None,
        description="Former values of `TOCSIN_SECRET_KEY` that still count, comma separated or a JSON list: what they "
        "signed or sealed is accepted, nothing new is made with them (docs/sign-in.md says how to change the key).",
    )
    audit_key: SecretStr | None = Field(
        default=None,
        description="At least 32 characters; the key that signs the audit log's seals is made of it. "
        "Unset: generated once and kept in `audit.key` in the data directory.",
    )
    audit_retired_keys: str | None = Field(
        default=None,
        description="Public keys that signed seals before, in hexadecimal, comma separated (docs/audit.md).",
    )
    audit_seal_interval: Seconds = Field(
        default=timedelta(minutes=1), description="How often what is new on the audit log is sealed."
    )
    audit_addresses: AuditAddresses = Field(
        default=AuditAddresses.FULL,
        description="What the audit log keeps of the address a request came from, for as long as the log: `full`, "
        "`network` (the first 24 bits, of IPv6 48), or `none`. It counts for entries written from then on.",
    )
    audit_heads_file: Path | None = Field(
        default=None,
        description="File that each seal's signed head is added to; best on a disk the database's owner cannot write. "
        "Unset: `audit.heads` in the data directory.",
    )
    audit_heads_url: str | None = Field(
        default=None,
        description="Object store that each seal's signed head is put into as well, `s3://bucket/prefix`; "
        "best with object lock. Unset: none.",
    )
    erasure_ledger_url: str | None = Field(
        default=None,
        description="Where the list of erased people is kept outside the database, `s3://bucket/prefix` or "
        "`file:///folder`: a restored backup forgets them again by it. Unset: `erasures` in the data directory.",
    )
    export_retention: Seconds = Field(
        default=timedelta(days=7), description="How long the file of a data export can be fetched."
    )

    @field_validator("secret_key", "audit_key")
    @classmethod
    def _check_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < MIN_SECRET_CHARACTERS:
            message = f"must have at least {MIN_SECRET_CHARACTERS} characters"
            raise ValueError(message)
        return value

    @field_validator("older_secret_keys")
    @classmethod
    def _check_older_secrets(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and any(len(key) < MIN_SECRET_CHARACTERS for key in _listed(value)):
            message = f"each key must have at least {MIN_SECRET_CHARACTERS} characters"
            raise ValueError(message)
        return value

    @property
    def secret_file(self) -> Path:
        """Where a generated secret is kept."""
        return self.data_dir / "secret.key"

    @cached_property
    def secret_bytes(self) -> bytes:
        """The 32 bytes all keys are derived from. The first reader of a new data directory makes them."""
        if self.secret_key is not None:
            return _secret_of(self.secret_key.get_secret_value())
        try:
            return _kept_secret(self.secret_file)
        except OSError as error:
            purpose = f"none can be kept in {self.secret_file} ({error.strerror})"
            raise MissingSettingError("TOCSIN_SECRET_KEY", purpose) from None

    @property
    def effective_erasure_ledger_url(self) -> str:
        """Where the list of erased people is kept."""
        return self.erasure_ledger_url or f"file://{(self.data_dir / 'erasures').resolve()}"

    @property
    def audit_key_file(self) -> Path:
        """Where a generated key of the audit log is kept."""
        return self.data_dir / "audit.key"

    @property
    def audit_retired_file(self) -> Path:
        """The public keys that sealed the audit log before the generated one."""
        return self.data_dir / "audit.key.retired"

    @property
    def effective_audit_heads_file(self) -> Path:
        """Where heads of seals are appended to."""
        return self.audit_heads_file or self.data_dir / "audit.heads"

    def audit_seed(self) -> bytes:
        """The 32 bytes of the audit log's key, read anew each time: it may have been changed for another."""
        if self.audit_key is not None:
            return hashlib.sha256(self.audit_key.get_secret_value().encode()).digest()
        try:
            return _kept_secret(self.audit_key_file)
        except OSError as error:
            purpose = f"none can be kept in {self.audit_key_file} ({error.strerror})"
            raise MissingSettingError("TOCSIN_AUDIT_KEY", purpose) from None

    def derived_key(self, purpose: str) -> bytes:
        """The 32-byte key of one purpose (`access-token`, `email-hash`, `sealing`, …): no two purposes share one."""
        return _derived(self.secret_bytes, purpose)

    def older_derived_keys(self, purpose: str) -> tuple[bytes, ...]:
        """The keys of the same purpose under the former secrets: what they made counts, nothing new is made."""
        if self.older_secret_keys is None:
            return ()
        older = [secret for key in _listed(self.older_secret_keys) for secret in _secrets_of(key)]
        return tuple(_derived(secret, purpose) for secret in dict.fromkeys(older) if secret != self.secret_bytes)


def _listed(keys: SecretStr) -> list[str]:
    """The keys, separated by commas; or a JSON list, for those that hold commas themselves."""
    text = keys.get_secret_value().strip()
    if not text.startswith("["):
        return [key.strip() for key in text.split(",") if key.strip()]
    try:
        listed = json.loads(text)
    except ValueError:
        listed = None
    if not isinstance(listed, list) or not all(isinstance(key, str) for key in listed):
        message = "must be keys separated by commas, or a JSON list of them"
        raise ValueError(message) from None
    return listed


def _secret_of(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _secrets_of(text: str) -> list[bytes]:
    """What a former key may stand for: a text that was set, or the content of a generated `secret.key`."""
    is_generated = len(text) == 2 * SECRET_BYTES and all(character in "0123456789abcdef" for character in text)
    return [_secret_of(text), *([bytes.fromhex(text)] if is_generated else [])]


def _derived(secret: bytes, purpose: str) -> bytes:
    return hmac.digest(secret, f"tocsin:{purpose}".encode(), "sha256")


def _kept_secret(path: Path) -> bytes:
    """Read the secret kept at `path`, making it if there is none.

    The new file appears under its name only when complete, and never replaces another: of two processes that start at
    once, both read the secret of the one that was first.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_hex(SECRET_BYTES) + "\n")
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):  # another process was first: its secret is the one
                os.link(draft, path)
        finally:
            draft.unlink()
    secret = bytes.fromhex(path.read_text().strip())
    if len(secret) != SECRET_BYTES:
        message = f"{path} does not hold {SECRET_BYTES} bytes in hexadecimal"
        raise ValueError(message)
    return secret
