"""A passkey's device, made of software: it answers as a browser would, or wrongly in whatever way a test asks for."""

import base64
import hashlib
import json
import os
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

Wrong: TypeAlias = Any  # whatever a test gets wrong
ORIGIN = "http://localhost:8080"
RP_ID = "localhost"
PRESENT, VERIFIED, SYNCABLE, SYNCED, HAS_KEY = 0x01, 0x04, 0x08, 0x10, 0x40


def to_text(value: bytes) -> str:
    """Base64url without padding, as WebAuthn's JSON has it."""
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def to_bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Authenticator:
    """One key pair. `counts` is False for a device that says 0 for ever, as synced passkeys do."""

    origin: str = ORIGIN
    rp_id: str = RP_ID
    counts: bool = True
    flags: int = PRESENT | VERIFIED
    count: int = 0
    user_handle: bytes = b""
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential_id: bytes = field(default_factory=lambda: os.urandom(32))

    def register(self, options: dict[str, Any], **wrong: Wrong) -> dict[str, Any]:
        """The answer to `navigator.credentials.create`."""
        self.user_handle = to_bytes(options["user"]["id"])
        numbers = self.key.public_key().public_numbers()
        cose = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")})
        attested = bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + cose
        data = self._data(self.flags | HAS_KEY, wrong) + attested
        statement = {"fmt": "none", "attStmt": {}, "authData": data}
        return self._credential(
            {
                "clientDataJSON": to_text(self._client("webauthn.create", options, wrong)),
                "attestationObject": to_text(cbor2.dumps(statement)),
                "transports": ["internal", "not-a-transport"],
            }
        )

    def prove(self, options: dict[str, Any], **wrong: Wrong) -> dict[str, Any]:
        """The answer to `navigator.credentials.get`."""
        if self.counts:
            self.count += 1
        client = self._client("webauthn.get", options, wrong)
        data = self._data(wrong.get("flags", self.flags), wrong)
        key: ec.EllipticCurvePrivateKey = wrong.get("key", self.key)
        signature = key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._credential(
            {
                "clientDataJSON": to_text(client),
                "authenticatorData": to_text(data),
                "signature": to_text(signature),
                "userHandle": to_text(wrong.get("user_handle", self.user_handle)),
            }
        )

    def _client(self, kind: str, options: dict[str, Any], wrong: dict[str, Any]) -> bytes:
        said = {
            "type": wrong.get("kind", kind),
            "challenge": wrong.get("challenge", options["challenge"]),
            "origin": wrong.get("origin", self.origin),
            "crossOrigin": wrong.get("cross_origin", False),
        }
        return json.dumps(said).encode()

    def _data(self, flags: int, wrong: dict[str, Any]) -> bytes:
        party = hashlib.sha256(wrong.get("rp_id", self.rp_id).encode()).digest()
        count: int = wrong.get("count", self.count)
        return party + bytes([flags]) + count.to_bytes(4, "big")

    def _credential(self, response: dict[str, Any]) -> dict[str, Any]:
        named = to_text(self.credential_id)
        return {
            "id": named,
            "rawId": named,
            "type": "public-key",
            "response": response,
            "clientExtensionResults": {},
            "authenticatorAttachment": "platform",
        }
