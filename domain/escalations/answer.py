"""What is the link in a message worth? It acknowledges one episode of one alert, as whoever was told, for a day.

It is signed, so nobody makes one; it names the person, so whoever forwards it forwards their own name. A scanner of
mail that follows it sees a page: only its button acts.
"""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

LIFETIME = timedelta(days=1)
_MAC_BYTES = 16
_BODY_BYTES = 16 + 16 + 4 + 4
_SECONDS_BYTES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a link stands for."""

    alert_id: UUID
    episode: int
    user_id: UUID
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class AnswerLinks:
    """Signs and reads the tokens of links."""

    key: bytes

    def token(self, answer: Answer) -> str:
        """The token for a link."""
        body = (
            answer.alert_id.bytes
            + answer.user_id.bytes
            + answer.episode.to_bytes(4, "big")
            + int(answer.expires_at.timestamp()).to_bytes(_SECONDS_BYTES, "big")
        )
        return base64.urlsafe_b64encode(body + self._mac(body)).decode().rstrip("=")

    def url(self, public_url: str, answer: Answer) -> str:
        """The link itself."""
        return f"{public_url}/answer?token={self.token(answer)}"

    def read(self, token: str, *, now: datetime) -> Answer | None:
        """What a token of ours stands for; None for any other, and for one that is over."""
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        body, mac = raw[:_BODY_BYTES], raw[_BODY_BYTES:]
        if len(raw) != _BODY_BYTES + _MAC_BYTES or not hmac.compare_digest(mac, self._mac(body)):
            return None
        answer = Answer(
            alert_id=UUID(bytes=body[:16]),
            user_id=UUID(bytes=body[16:32]),
            episode=int.from_bytes(body[32:36], "big"),
            expires_at=datetime.fromtimestamp(int.from_bytes(body[36:], "big"), tz=UTC),
        )
        return answer if now < answer.expires_at else None

    def _mac(self, body: bytes) -> bytes:
        return hmac.digest(self.key, body, hashlib.sha256)[:_MAC_BYTES]
