"""What is an access token? A short-lived JWT that names a person and a session; it grants nothing by itself.

Each request looks the session up, so a logout, a revocation or a changed role counts at once. The signature only
spares the database strangers.

The header's `kid` names the key. New tokens are signed with the current one; those of a former key count until they
expire, as long as the key is listed. A token that names no key of ours is not looked at further, and the algorithm is
ours to choose, never the token's.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import GuestProtocol, OctKey

ALGORITHM = "HS256"
ISSUER = "tocsin"
AUDIENCE = "tocsin-api"
MAX_TOKEN = 2_000
# Tokens whose signature was seen to be ours: a client sends the same one with each request of its quarter of an hour.
REMEMBERED = 2_000


class InvalidToken(Exception):
    """The token does not count; the message says why, to whoever sent it."""


@dataclass(frozen=True, slots=True)
class Claims:
    """Whom a token names."""

    user_id: UUID
    session_id: UUID
    expires_at: datetime


class AccessTokens:
    """Signs access tokens with the first key, derived from the server's secret; reads those of any."""

    def __init__(self, key: bytes, *, lifetime: timedelta, older_keys: Iterable[bytes] = ()) -> None:
        self.lifetime = lifetime
        self._key = OctKey.import_key(key)
        self._key_id = key_id(key)
        self._keys = {key_id(known): OctKey.import_key(known) for known in (*older_keys, key)}
        self._seen: OrderedDict[str, Claims] = OrderedDict()

    def sign(self, *, user_id: UUID, session_id: UUID, now: datetime) -> tuple[str, datetime]:
        """A token and the time it ends."""
        expires_at = now + self.lifetime
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(user_id),
            "sid": str(session_id),
            "iat": int(now.timestamp()),
            "exp": int(expires_at.timestamp()),
        }
        header = {"alg": ALGORITHM, "kid": self._key_id, "typ": "JWT"}
        return jwt.encode(header, claims, self._key, algorithms=[ALGORITHM]), expires_at.replace(microsecond=0)

    def read(self, token: str, *, now: datetime) -> Claims:
        """The claims of a token we signed and that has not expired; InvalidToken otherwise."""
        read = self._seen.get(token) or self._verified(token, now)
        if now >= read.expires_at:
            message = "the access token has expired: refresh the session"
            raise InvalidToken(message)
        return read

    def _verified(self, token: str, now: datetime) -> Claims:
        if len(token) > MAX_TOKEN:
            message = "the access token is not one of ours"
            raise InvalidToken(message)
        try:
            decoded = jwt.decode(token, self._named_key, algorithms=[ALGORITHM])
            claims = decoded.claims
            is_ours = claims["iss"] == ISSUER and claims["aud"] == AUDIENCE
            read = Claims(UUID(claims["sub"]), UUID(claims["sid"]), datetime.fromtimestamp(claims["exp"], now.tzinfo))
        except (JoseError, ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
            message = "the access token is not one of ours"
            raise InvalidToken(message) from error
        if not is_ours:
            message = "the access token is for another service"
            raise InvalidToken(message)
        self._seen[token] = read
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return read

    def _named_key(self, token: GuestProtocol) -> OctKey:
        named = token.headers().get("kid")
        key = self._keys.get(named) if isinstance(named, str) else None
        if key is None:
            raise InvalidKeyIdError
        return key


def key_id(key: bytes) -> str:
    """Names a key without telling of it."""
    return hashlib.sha256(b"kid:" + key).hexdigest()[:12]
