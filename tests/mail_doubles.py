"""Servers that speak SendGrid's v3 API and Amazon SES' v2 API: documented answers, checked credentials, signed events.

Sources: https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send and
https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html; SigV4 as
https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html says. Signatures are made and checked here,
not by the server's code.
"""

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.listening import listening, taking

SENDER = "Tocsin <tocsin@example.org>"
KEY = "SG.a-key-for-tests"
ACCESS, SECRET, REGION = "AKIDEXAMPLE", "a secret for tests", "eu-west-1"
TOPIC = "arn:aws:sns:eu-west-1:111122223333:tocsin-mail"


@dataclass
class MailDouble:
    """What was taken, and what to answer first: status, body and headers, each once."""

    port: int = 0
    taken: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    refusals: list[tuple[int, dict[str, Any], dict[str, str]]] = field(default_factory=list)
    asked: int = 0

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def _next(self) -> web.Response | None:
        if not self.refusals:
            return None
        status, body, headers = self.refusals.pop(0)
        return web.json_response(body, status=status, headers=headers)

    def _keep(self, request: web.Request, body: bytes) -> None:
        self.taken.append(orjson.loads(body))
        self.headers.append({name.lower(): value for name, value in request.headers.items()})


@dataclass
class SendGridDouble(MailDouble):
    """`POST /v3/mail/send` and `GET /v3/scopes`."""

    scopes: list[str] = field(default_factory=lambda: ["mail.send"])
    signing: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def settings(self) -> dict[str, Any]:
        """The settings of a server that sends by it."""
        public = self.signing.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return {
            "mail_provider": "sendgrid",
            "mail_from": SENDER,
            "sendgrid_api_key": KEY,
            "sendgrid_url": self.url,
            "sendgrid_event_key": base64.b64encode(public).decode(),
        }

    def signed(self, body: bytes, *, timestamp: str = "1764129600") -> dict[str, str]:
        """The headers of an event webhook."""
        signature = self.signing.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
        return {
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
        }

    async def take(self, request: web.Request) -> web.Response:
        """One request."""
        self.asked += 1
        if request.headers.get("authorization") != f"Bearer {KEY}":
            said = {"errors": [{"field": None, "message": "authorization required"}]}
            return web.json_response(said, status=401)
        if request.path == "/v3/scopes":
            return web.json_response({"scopes": self.scopes})
        body = await request.read()
        refusal = self._next()
        if refusal is not None:
            return refusal
        self._keep(request, body)
        return web.Response(status=202, headers={"X-Message-Id": f"sg{len(self.taken)}"})


@dataclass
class SesDouble(MailDouble):
    """`POST /v2/email/outbound-emails` and `GET /v2/email/account`."""

    account: dict[str, Any] = field(
        default_factory=lambda: {
            "SendingEnabled": True,
            "ProductionAccessEnabled": True,
            "EnforcementStatus": "HEALTHY",
        }
    )

    def settings(self) -> dict[str, Any]:
        """The settings of a server that sends by it."""
        return {
            "mail_provider": "ses",
            "mail_from": SENDER,
            "ses_region": REGION,
            "ses_access_key_id": ACCESS,
            "ses_secret_access_key": SECRET,
            "ses_configuration_set": "tocsin",
            "ses_topic_arn": TOPIC,
            "ses_url": self.url,
        }

    async def take(self, request: web.Request) -> web.Response:
        """One request."""
        self.asked += 1
        body = await request.read()
        if not is_signed(request, body):
            said = {"message": "The request signature we calculated does not match the signature you provided."}
            return web.json_response(said, status=403, headers={"x-amzn-ErrorType": "SignatureDoesNotMatch"})
        if request.path == "/v2/email/account":
            return web.json_response(self.account)
        refusal = self._next()
        if refusal is not None:
            return refusal
        self._keep(request, body)
        return web.json_response({"MessageId": f"0102-{len(self.taken)}"})


def is_signed(request: web.Request, body: bytes) -> bool:
    """Whether a request is signed with the account's secret, by AWS' description of SigV4."""
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    parts = dict(part.strip().split("=", 1) for part in rest.split(",") if "=" in part)
    access, _, scope = parts.get("Credential", "").partition("/")
    if (scheme, access) != ("AWS4-HMAC-SHA256", ACCESS):
        return False
    date, region, service, _ = scope.split("/")
    names = parts["SignedHeaders"].split(";")
    canonical = "\n".join(
        (
            request.method,
            request.path,
            "",
            *(f"{name}:{' '.join(request.headers[name].split())}" for name in names),
            "",
            ";".join(names),
            hashlib.sha256(body).hexdigest(),
        )
    )
    moment = request.headers["x-amz-date"]
    text = "\n".join((scheme, moment, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    key = f"AWS4{SECRET}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    expected = hmac.new(key, text.encode(), "sha256").hexdigest()
    return hmac.compare_digest(expected, parts["Signature"]) and (region, service) == (REGION, "ses")


@asynccontextmanager
async def serving(double: SendGridDouble | SesDouble) -> AsyncIterator[None]:
    """The double on a port of this machine."""
    async with listening(taking(double.take)) as double.port:
        yield
