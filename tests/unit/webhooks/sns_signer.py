"""How does a test sign a message of SNS? With a key of its own, whose certificate a fake AWS serves."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from graphql_api.webhooks.sns import FetchFailed

CERTIFICATE_URL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"
TOPIC = "arn:aws:sns:eu-west-1:111122223333:alerts-prod"
SENT_AT = datetime(2026, 11, 24, 4, 24, tzinfo=UTC)
NAMES = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}


@lru_cache
def signing_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def certificate(
    *,
    not_before: datetime = SENT_AT - timedelta(days=1),
    not_after: datetime = SENT_AT + timedelta(days=1),
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | None = None,
) -> bytes:
    """A self-signed certificate as PEM."""
    key = key or signing_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )


def signed(message: str, *, version: str = "1", **fields: str) -> dict[str, Any]:
    """A message signed as SNS signs it; `fields` override what it holds."""
    body = {
        "Type": "Notification",
        "MessageId": "a1f0c7c2-1b5d-5a8c-9e10-9d8b3f0e2a11",
        "TopicArn": TOPIC,
        "Message": message,
        "Timestamp": SENT_AT.isoformat(),
        "SignatureVersion": version,
        "SigningCertURL": CERTIFICATE_URL,
        **fields,
    }
    text = "".join(f"{name}\n{body[name]}\n" for name in NAMES[body["Type"]] if name in body)
    algorithm = hashes.SHA256() if version == "2" else hashes.SHA1()  # noqa: S303 - what version 1 is
    signature = signing_key().sign(text.encode(), padding.PKCS1v15(), algorithm)
    return {**body, "Signature": base64.b64encode(signature).decode()}


class FakeAws:
    """Serves one certificate and confirms subscriptions; counts how often it was asked."""

    def __init__(self, pem: Callable[[], bytes] = certificate) -> None:
        self.pem = pem
        self.fetched: list[str] = []
        self.confirmed: list[str] = []
        self.is_down = False

    async def fetch_certificate(self, url: str) -> bytes:
        self.fetched.append(url)
        if self.is_down:
            raise FetchFailed("down")
        return self.pem()

    async def confirm_subscription(self, url: str) -> None:
        if self.is_down:
            raise FetchFailed("down")
        self.confirmed.append(url)
