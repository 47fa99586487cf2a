"""Which identity providers can be set up, and what must be said of each? A leaf like settings, which reads them.

[{"name": "google", "preset": "google", "client_id": "…", "client_secret": "…"},
{"name": "corp", "issuer": "https://id.example.com", "client_id": "…", "client_secret": "…", "label": "Example"}]
"""

import ipaddress
import re
from enum import StrEnum
from typing import Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

# A directory is named by its id: the shared ones (`common`, …) have an issuer for each person, so that none could be
# checked, and a domain's name is not what its tokens say.
_TENANT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Preset(StrEnum):
    """Providers whose addresses are known."""

    GOOGLE = "google"
    GITHUB = "github"
    MICROSOFT = "microsoft"


class IdentityProvider(BaseModel):
    """One provider. `issuer` is that of its discovery document; GitHub has none and is asked by its own API."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")
    client_id: str = Field(min_length=1)
    client_secret: SecretStr
    preset: Preset | None = None
    label: str = Field(default="", max_length=60)
    issuer: str = ""
    # Microsoft's directory, by its id.
    tenant: str = ""
    # A GitHub Enterprise server.
    url: str = "https://github.com"
    # Believe the provider's address without its word that it is verified: for a directory of your own.
    trust_email: bool = False
    # Believe the provider when it says (`amr`) that it asked for a second factor.
    trust_mfa: bool = False

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, values: object) -> object:
        if not isinstance(values, dict):
            return values
        filled, preset = dict(values), values.get("preset")
        filled.setdefault("label", str(preset or values.get("name", "")).capitalize())
        if preset == Preset.GITHUB:
            filled["label"] = values.get("label", "GitHub")
        elif preset == Preset.GOOGLE:
            filled.setdefault("issuer", "https://accounts.google.com")
        elif preset == Preset.MICROSOFT:
            filled.setdefault("issuer", f"https://login.microsoftonline.com/{values.get('tenant', '')}/v2.0")
        return filled

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.preset is Preset.MICROSOFT and not _TENANT.fullmatch(self.tenant):
            message = "`tenant` must be the id of your own directory"
            raise ValueError(message)
        address = self.url if self.preset is Preset.GITHUB else self.issuer
        if not _is_safe(address):
            message = f"`{'url' if self.preset is Preset.GITHUB else 'issuer'}` must be an https address"
            raise ValueError(message)
        return self


def is_loopback(host: str) -> bool:
    """Whether a host is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_safe(url: str) -> bool:
    """An https address; plain http on loopback, for a provider that is tried out there."""
    parts = urlsplit(url)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
    )
