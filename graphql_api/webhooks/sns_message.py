"""What is a message of Amazon SNS, which part of it is signed, and which addresses in it may be visited?

{"Type": "Notification", "MessageId": "a1f0…", "TopicArn": "arn:aws:sns:eu-west-1:111122223333:alerts-prod",
 "Subject": "ALARM: …", "Message": "{…}", "Timestamp": "2026-03-04T11:20:44.160Z", "SignatureVersion": "1",
 "Signature": "zjZ8…", "SigningCertURL": "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-….pem"}
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import SplitResult, parse_qs, urlsplit

from graphql_api.webhooks.contract import PayloadError
from graphql_api.webhooks.diagnosis import ItemError
from graphql_api.webhooks.fields import moment

_HOST = re.compile(r"sns\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?")
_PRINTABLE = re.compile(r"[!-~]{1,2000}")
_CERTIFICATE_PATH = re.compile(r"/[A-Za-z0-9_.-]{1,200}\.pem")
_TOPIC = re.compile(r"arn:aws[a-z-]*:sns:(?P<region>[a-z0-9-]+):\d{12}:[A-Za-z0-9_.-]{1,256}")


class MessageType(StrEnum):
    """What SNS sends."""

    NOTIFICATION = "Notification"
    SUBSCRIPTION_CONFIRMATION = "SubscriptionConfirmation"
    UNSUBSCRIBE_CONFIRMATION = "UnsubscribeConfirmation"


_CONFIRMATION_SIGNED = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
# What is signed, in this order; `Subject` only when the message has one.
_SIGNED = {
    MessageType.NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    MessageType.SUBSCRIPTION_CONFIRMATION: _CONFIRMATION_SIGNED,
    MessageType.UNSUBSCRIBE_CONFIRMATION: _CONFIRMATION_SIGNED,
}
_OPTIONAL = frozenset({"Subject"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SnsMessage:
    """A message whose fields are present and of the right kind. Whether it is genuine is not said here."""

    type: MessageType
    topic_arn: str
    region: str
    sent_at: datetime
    fields: dict[str, str]

    @property
    def signed_text(self) -> bytes:
        """The string SNS signs: name and value of each field, a line each."""
        names = (name for name in _SIGNED[self.type] if name in self.fields)
        return "".join(f"{name}\n{self.fields[name]}\n" for name in names).encode()


def is_message(body: dict[str, Any]) -> bool:
    """Whether a JSON object looks like a message of SNS at all."""
    return "Type" in body and "TopicArn" in body


def read_message(body: dict[str, Any]) -> SnsMessage:
    """The message in a JSON object. Raises PayloadError 422 naming a field that is missing or wrong."""
    try:
        kind = MessageType(str(body.get("Type")))
    except ValueError as error:
        raise PayloadError(422, f"Type must be one of {', '.join(MessageType)}", ("Type",)) from error
    required = [name for name in _SIGNED[kind] if name not in _OPTIONAL]
    for name in (*required, "SignatureVersion", "Signature", "SigningCertURL"):
        if not isinstance(body.get(name), str):
            raise PayloadError(422, f"{name} is missing: this is not a whole message of SNS", (name,))
    topic = _TOPIC.fullmatch(body["TopicArn"])
    if topic is None:
        raise PayloadError(422, "TopicArn is not the ARN of an SNS topic", ("TopicArn",))
    try:
        sent_at = moment(body["Timestamp"], ("Timestamp",))
    except ItemError as error:
        raise PayloadError(422, f"Timestamp {error.message}", error.path) from error
    if sent_at is None:
        raise PayloadError(422, "Timestamp is empty", ("Timestamp",))
    fields = {name: value for name, value in body.items() if isinstance(value, str)}
    return SnsMessage(type=kind, topic_arn=topic[0], region=topic["region"], sent_at=sent_at, fields=fields)


def checked_certificate_url(message: SnsMessage) -> str:
    """The address of the signing certificate; PayloadError 401 unless it is a .pem file on SNS' host of the region."""
    url, parts = _aws_url(message, "SigningCertURL")
    if not _CERTIFICATE_PATH.fullmatch(parts.path) or parts.query:
        raise PayloadError(401, "SigningCertURL is not the address of a .pem file of SNS", ("SigningCertURL",))
    return url


def checked_subscribe_url(message: SnsMessage) -> str:
    """The address that confirms the subscription; PayloadError 401 unless it does just that, for this topic."""
    url, parts = _aws_url(message, "SubscribeURL")
    expected = {
        "Action": ["ConfirmSubscription"],
        "TopicArn": [message.topic_arn],
        "Token": [message.fields["Token"]],
    }
    query = parse_qs(parts.query)
    if parts.path != "/" or any(query.get(name) != value for name, value in expected.items()):
        raise PayloadError(401, "SubscribeURL does not confirm this topic's subscription", ("SubscribeURL",))
    return url


def _aws_url(message: SnsMessage, field: str) -> tuple[str, SplitResult]:
    """An address on SNS' own host in the topic's region; 401 for any other, however it is dressed up."""
    url = message.fields[field]
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise PayloadError(401, f"{field} is not an address", (field,)) from error
    # The host is compared as it stands: no user, no port, no other case gets through.
    host = _HOST.fullmatch(parts.netloc)
    is_plain = _PRINTABLE.fullmatch(url) is not None and "\\" not in url and not parts.fragment
    if parts.scheme != "https" or host is None or not is_plain:
        raise PayloadError(401, f"{field} is not an https address of SNS", (field,))
    if host["region"] != message.region:
        raise PayloadError(401, f"{field} is of another region than the topic", (field,))
    return url, parts
