"""Has this person signed in with this device before? A token says so, which only we can make.

It lets nobody in: it only tells a person's own browser from strangers who guess at the same address, so that their
guesses do not hold it up. It is given at each sign-in, and counts for the address it was given for.
"""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from uuid import UUID

PREFIX = "tcd_"
_MAC_BYTES, _SUBJECT_BYTES, _ID_BYTES = 16, 16, 16
_TOKEN_BYTES = _SUBJECT_BYTES + _ID_BYTES + _MAC_BYTES


@dataclass(frozen=True, slots=True)
class DeviceTokens:
    """Makes and reads device tokens."""

    key: bytes

    def token(self, subject: bytes, device_id: UUID) -> str:
        """The token of a device from which the subject signed in."""
        body = subject[:_SUBJECT_BYTES] + device_id.bytes
        return PREFIX + base64.urlsafe_b64encode(body + self._mac(body)).decode().rstrip("=")

    def device_of(self, token: str | None, subject: bytes) -> str | None:
        """The device's id when the token is ours and for this subject; None for anything else."""
        if token is None or not token.startswith(PREFIX) or len(token) > len(PREFIX) + 2 * _TOKEN_BYTES:
            return None
        text = token.removeprefix(PREFIX)
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        body, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        is_ours = len(raw) == _TOKEN_BYTES and hmac.compare_digest(mac, self._mac(body))
        if not is_ours or not hmac.compare_digest(body[:_SUBJECT_BYTES], subject[:_SUBJECT_BYTES]):
            return None
        return body[_SUBJECT_BYTES:].hex()

    def _mac(self, body: bytes) -> bytes:
        return hmac.digest(self.key, body, hashlib.sha256)[:_MAC_BYTES]
