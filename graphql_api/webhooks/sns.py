"""Is this message really from Amazon SNS, and may its subscription be confirmed?

SNS cannot send a header, so the integration's key stands in the address it posts to, where proxies log it. The
signature is the second proof: it is made with a key of AWS, whose certificate is fetched over TLS only, from SNS' own
host in the topic's own region. A subscription is confirmed (its `SubscribeURL` visited) only once that proof is good.

Several topics may post to one integration: none is pinned. Who may post is decided by who holds the integration's key.
"""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from graphql_api.webhooks.contract import PayloadError, Post
from graphql_api.webhooks.decode import checked_body, decode_object
from graphql_api.webhooks.diagnosis import ItemError
from graphql_api.webhooks.sns_message import (
    MessageType,
    SnsMessage,
    checked_certificate_url,
    checked_subscribe_url,
    is_message,
    read_message,
)

# SNS gives up after an hour at the latest (the bound of a delivery policy): an older message is a replay.
MAX_AGE = timedelta(hours=1)
_MIN_RSA_BITS = 2048
_MOST_ADDRESSES = 32
_RETRY_FETCH_AFTER = timedelta(seconds=30)
_HASHES: dict[str, type[hashes.SHA1 | hashes.SHA256]] = {"1": hashes.SHA1, "2": hashes.SHA256}


class CertificateFetcher(Protocol):
    """Fetches a signing certificate. The address has been checked before."""

    async def fetch_certificate(self, url: str) -> bytes:
        """The PEM at `url`; raises FetchFailed when it cannot be had now."""
        ...


class SubscriptionConfirmer(Protocol):
    """Confirms a subscription. The address has been checked, and the message that brought it verified, before."""

    async def confirm_subscription(self, url: str) -> None:
        """Visit `url`; raises FetchFailed when AWS did not accept it."""
        ...


class FetchFailed(Exception):
    """AWS could not be asked; the same message may work later."""


@dataclass(frozen=True, slots=True)
class _SigningKey:
    """The public key of a certificate and the time it is good for."""

    key: rsa.RSAPublicKey
    not_before: datetime
    not_after: datetime

    def is_valid(self, now: datetime) -> bool:
        return self.not_before <= now <= self.not_after


class SnsGate:
    """Lets only genuine messages pass. Certificates are kept, so one gate should serve all posts of a process."""

    def __init__(
        self, fetcher: CertificateFetcher, confirmer: SubscriptionConfirmer, *, max_age: timedelta = MAX_AGE
    ) -> None:
        self._fetcher = fetcher
        self._confirmer = confirmer
        self._max_age = max_age
        self._keys: dict[str, _SigningKey] = {}
        self._failed_at: dict[str, datetime] = {}

    async def admit(self, post: Post) -> None:
        """Return when the post may be parsed; a subscription that it asks for is then confirmed.

        Raises PayloadError 400/422 when it is no message, 401 when it is not genuine, 503 when AWS cannot be asked now
        (SNS then sends it again).
        """
        try:
            body = decode_object(checked_body(post.body))
        except ItemError as error:
            raise PayloadError(422, error.message, error.path) from error
        if not is_message(body):
            _check_unsigned(body, post)
            return
        await self.confirm(await self.verify(body, post.received_at))

    async def confirm(self, message: SnsMessage) -> None:
        """Confirm the subscription that a verified message asks for; nothing for any other. 503 when AWS cannot."""
        if message.type is MessageType.SUBSCRIPTION_CONFIRMATION:
            url = checked_subscribe_url(message)
            try:
                await self._confirmer.confirm_subscription(url)
            except FetchFailed as error:
                raise PayloadError(503, f"the subscription cannot be confirmed: {error}", ("SubscribeURL",)) from error

    async def verify(self, body: dict[str, Any], received_at: datetime) -> SnsMessage:
        """The message in a JSON object, its age, origin and signature verified; PayloadError otherwise."""
        message = read_message(body)
        algorithm = _HASHES.get(message.fields["SignatureVersion"])
        if algorithm is None:
            raise PayloadError(401, "SignatureVersion must be 1 or 2", ("SignatureVersion",))
        try:
            signature = base64.b64decode(message.fields["Signature"], validate=True)
        except (binascii.Error, ValueError) as error:
            raise PayloadError(401, "Signature is not base64", ("Signature",)) from error
        if received_at - message.sent_at > self._max_age:
            sent_at = f"{message.sent_at:%Y-%m-%d %H:%M} UTC"
            raise PayloadError(401, f"the message was sent at {sent_at}: too long ago", ("Timestamp",))
        signing = await self._signing_key(checked_certificate_url(message), received_at)
        try:
            signing.key.verify(signature, message.signed_text, padding.PKCS1v15(), algorithm())
        except InvalidSignature as error:
            raise PayloadError(401, "the signature does not fit the message", ("Signature",)) from error
        return message

    async def _signing_key(self, url: str, now: datetime) -> _SigningKey:
        """The key at a checked address, valid now. Kept: SNS signs with the same one for months."""
        path = ("SigningCertURL",)
        known = self._keys.get(url)
        if known is not None and known.is_valid(now):
            return known
        failed_at = self._failed_at.get(url)
        if failed_at is not None and now - failed_at < _RETRY_FETCH_AFTER:
            raise PayloadError(503, "the signing certificate could not be had a moment ago", path)
        try:
            found = _read_certificate(await self._fetcher.fetch_certificate(url))
        except FetchFailed as error:
            _keep(self._failed_at, url, now)
            raise PayloadError(503, f"the signing certificate cannot be fetched: {error}", path) from error
        except (ValueError, UnsupportedAlgorithm) as error:
            _keep(self._failed_at, url, now)
            raise PayloadError(401, f"the signing certificate is of no use: {error}", path) from error
        if not found.is_valid(now):
            raise PayloadError(401, "the signing certificate is not valid now", path)
        _keep(self._keys, url, found)
        return found


def _read_certificate(pem: bytes) -> _SigningKey:
    """The key in a PEM; ValueError when it is none, or too weak. SNS serves the bare certificate, without its chain.

    What vouches for it is the TLS connection to SNS' own host that it came over.
    """
    certificate = x509.load_pem_x509_certificate(pem)
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < _MIN_RSA_BITS:
        raise ValueError(f"it does not hold an RSA key of at least {_MIN_RSA_BITS} bits")
    return _SigningKey(key, certificate.not_valid_before_utc, certificate.not_valid_after_utc)


def _keep(cache: dict[str, Any], url: str, value: object) -> None:
    """Remember a few addresses, the newest: more than a handful is somebody trying."""
    cache.pop(url, None)
    while len(cache) >= _MOST_ADDRESSES:
        cache.pop(next(iter(cache)))
    cache[url] = value


def is_event_bridge(body: dict[str, Any]) -> bool:
    """Whether a JSON object is an alarm's event as EventBridge delivers it."""
    return body.get("source") == "aws.cloudwatch" and isinstance(body.get("detail"), dict)


def _check_unsigned(body: dict[str, Any], post: Post) -> None:
    """EventBridge (an API destination) posts its events itself, with the key in a header; nothing else is unsigned."""
    if not is_event_bridge(body):
        message = "this is no message signed by SNS; its subscription must not use raw message delivery"
        raise PayloadError(401, message, ("Signature",))
    if not (post.headers.get("authorization") or post.headers.get("x-api-key")):
        message = "an event that SNS has not signed needs the key in a header (X-Api-Key), not in the address"
        raise PayloadError(401, message, ("Signature",))
