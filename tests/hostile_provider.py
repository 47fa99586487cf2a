"""An OpenID provider that says whatever a test wants: every answer is as the protocol has it, but for what is changed.

The honest counterpart is the certified one of tests/oidc; this one lies, which no certified one can be made to.
"""

import base64
import hmac
import json
import time
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx2
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

if TYPE_CHECKING:
    from collections.abc import Callable

ISSUER = "https://id.example.com"
CLIENT = "tocsin"
SECRET = "the client's secret, known to the provider as well"


@cache
def own_key() -> RSAKey:
    """The key it signs with; making one takes a while."""
    return RSAKey.generate_key(2048, {"kid": "k1"})


@dataclass
class HostileProvider:
    """Answers discovery, keys, tokens and userinfo."""

    key: RSAKey = field(default_factory=own_key)
    metadata: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    # What the token endpoint answers in place of tokens.
    token: Any = None
    status: int = 200
    id_token: str | None = None
    algorithm: str = "RS256"
    signed_by: Any = None
    key_id: str = "k1"
    # Of the sign-in under way; a test that names another in its claims lies about it.
    nonce: str | None = None
    asked: list[httpx2.Request] = field(default_factory=list)
    is_down: bool = False

    @property
    def transport(self) -> httpx2.MockTransport:
        """The way to it."""
        return httpx2.MockTransport(self._answer)

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        if self.is_down:
            raise httpx2.ConnectError("nobody there")
        answers: dict[str, Callable[[], Any]] = {
            "/.well-known/openid-configuration": self._metadata,
            "/jwks": lambda: KeySet([self.key]).as_dict(private=False),
            "/token": self._token,
            "/userinfo": lambda: {"sub": "ada", **self.userinfo},
        }
        found: Any = answers[request.url.path]()
        if isinstance(found, str):
            return httpx2.Response(self.status, text=found)
        return httpx2.Response(self.status if request.url.path == "/token" else 200, json=found)

    def _metadata(self) -> dict[str, Any]:
        return {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/authorize",
            "token_endpoint": f"{ISSUER}/token",
            "userinfo_endpoint": f"{ISSUER}/userinfo",
            "jwks_uri": f"{ISSUER}/jwks",
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            **self.metadata,
        }

    def _token(self) -> Any:  # noqa: ANN401
        if self.token is not None:
            return self.token
        return {"access_token": "at", "token_type": "Bearer", "id_token": self.id_token or self.signed()}

    def signed(self) -> str:
        """An ID token with the claims of the test."""
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": CLIENT,
            "sub": "ada",
            "iat": now,
            "exp": now + 300,
            "email": "ada@example.com",
            "email_verified": True,
            "nonce": self.nonce,
            **self.claims,
        }
        kept = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": self.algorithm, "kid": self.key_id}
        if isinstance(self.signed_by, bytes):
            return hmac_token(header, kept, self.signed_by)
        return jwt.encode(header, kept, self.signed_by or self.key, algorithms=[self.algorithm])

    def form(self) -> dict[str, str]:
        """What the token endpoint was sent."""
        (sent,) = [request for request in self.asked if request.url.path == "/token"]
        return {name: values[0] for name, values in parse_qs(sent.content.decode()).items()}


def hmac_token(header: dict[str, Any], claims: dict[str, Any], secret: bytes) -> str:
    """A token signed by HMAC with any bytes: an attacker's tool refuses no key."""
    text = f"{part(header)}.{part(claims)}"
    return f"{text}.{_text(hmac.digest(secret, text.encode(), 'sha256'))}"


def part(value: object) -> str:
    """A part of a token."""
    return _text(json.dumps(value).encode())


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def query_of(url: str) -> dict[str, str]:
    """The parameters of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
