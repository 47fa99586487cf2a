"""How does mail leave by Amazon SES? One post a mail to its v2 API, signed with SigV4; events come over SNS.

Source: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html. The mail goes as it is composed for
SMTP, so that its headers are ours. 200 has a `MessageId`; the kind of an error is in `x-amzn-ErrorType`: a rejected
message is that mail's, everything else is the account's. The row's id goes along as a tag, which every event repeats:
graphql_api/mail_events/ses_http.py.
"""

import asyncio
import base64
from email.headerregistry import Address
from email.utils import parseaddr
from http import HTTPStatus
from typing import Any

import httpx2
import orjson

from domain.mail.delivery import Outcome, Refused, Retry, Sent
from domain.mail.feedback import MAIL_TAG
from domain.mail.model import Posted
from jobs.mail_answers import MAX_ANSWER, SECONDS, one_line, wait_of
from jobs.outbound import object_of
from jobs.smtp import composed, mailbox_of
from tocsin.settings import Settings

PATH = "/v2/email/outbound-emails"
_HEADERS = {"content-type": "application/json"}
# Refusals of this very mail. An unverified sender or a paused account is a 400 as well, and no mail's fault.
_OF_THE_MAIL = frozenset({"MessageRejected", "BadRequestException", "InvalidParameterValue"})
# A new account may write to proved addresses alone: the account's trouble, by the name of the mail's.
_SANDBOX = "is not verified"


class NoCredentialsError(Exception):
    """Neither the settings nor any place where botocore looks has keys."""


class Ses:
    """A client for one account and region. Open it once, close it at the end."""

    def __init__(
        self,
        *,
        url: str,
        region: str,
        sender: Address,
        keys: tuple[str, str] | None,
        tagged_by: str | None,
    ) -> None:
        self._url, self._region, self._sender, self._tagged_by = url, region, sender, tagged_by
        self._given = keys
        self._keys: Any = None
        self._client = httpx2.AsyncClient(timeout=SECONDS, follow_redirects=False, trust_env=False)

    @classmethod
    def of(cls, settings: Settings) -> "Ses | None":
        """The account of the settings. They have been checked."""
        if settings.ses_region is None or settings.mail_from is None:
            return None
        name, address = parseaddr(settings.mail_from)
        keys = None
        if settings.ses_access_key_id is not None and settings.ses_secret_access_key is not None:
            keys = (settings.ses_access_key_id, settings.ses_secret_access_key.get_secret_value())
        return cls(
            url=settings.ses_url or f"https://email.{settings.ses_region}.amazonaws.com",
            region=settings.ses_region,
            sender=Address(name, addr_spec=address),
            keys=keys,
            tagged_by=settings.ses_configuration_set,
        )

    async def send(self, posted: Posted) -> Outcome:
        """Try once; never raises."""
        try:
            body = orjson.dumps(written(posted, sender=self._sender, configuration_set=self._tagged_by))
        except (ValueError, UnicodeError) as error:
            return Refused(f"no mail can be made of it: {error}")
        try:
            answer = await self._ask("POST", PATH, body)
        except NoCredentialsError as error:
            return Retry(f"no credentials for SES: {error}", is_server=True)
        except httpx2.HTTPError as error:
            return Retry(f"SES was not reached: {type(error).__name__}", is_server=True)
        return judge(answer.status_code, answer.content[:MAX_ANSWER], dict(answer.headers))

    async def problem(self) -> str:
        """Why the account would not take mail; empty when it would. Asks for the account: no mail is sent."""
        try:
            answer = await self._ask("GET", "/v2/email/account", b"")
        except NoCredentialsError as error:
            return f"no credentials: {error}"
        except httpx2.HTTPError as error:
            return f"it was not reached: {type(error).__name__}"
        said = object_of(answer.content[:MAX_ANSWER])
        if answer.status_code != HTTPStatus.OK:
            return _reason(answer.status_code, said, dict(answer.headers))[1]
        if said.get("SendingEnabled") is False:
            return "sending is paused for the account"
        return (
            "" if said.get("ProductionAccessEnabled") is not False else "the account may write to proved addresses only"
        )

    async def _ask(self, method: str, path: str, body: bytes) -> httpx2.Response:
        headers = await asyncio.to_thread(self._signed, method, self._url + path, body)
        return await self._client.request(method, self._url + path, content=body, headers=headers)

    def _signed(self, method: str, url: str, body: bytes) -> dict[str, str]:
        """The headers of a request. Without keys of the settings botocore looks where it always does."""
        # Loaded by who sends by SES, and by no other process that might.
        from botocore.auth import SigV4Auth  # noqa: PLC0415
        from botocore.awsrequest import AWSRequest  # noqa: PLC0415
        from botocore.credentials import Credentials  # noqa: PLC0415
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415
        from botocore.session import Session  # noqa: PLC0415

        try:
            if self._keys is None:
                self._keys = Credentials(*self._given) if self._given else Session().get_credentials()
            if self._keys is None:
                raise NoCredentialsError(NoCredentialsError.__name__)
            request = AWSRequest(method=method, url=url, data=body, headers=dict(_HEADERS))
            SigV4Auth(self._keys, "ses", self._region).add_auth(request)
        except BotoCoreError as error:
            raise NoCredentialsError(type(error).__name__) from error
        return {name: str(value) for name, value in request.headers.items()}

    async def close(self) -> None:
        """Let the connections go."""
        await self._client.aclose()


def written(posted: Posted, *, sender: Address, configuration_set: str | None) -> dict[str, Any]:
    """The body of the post."""
    message = composed(posted, sender=sender).as_bytes()
    body: dict[str, Any] = {
        "FromEmailAddress": str(sender),
        "Destination": {"ToAddresses": [mailbox_of(posted.mail.to).addr_spec]},
        "Content": {"Raw": {"Data": base64.b64encode(message).decode()}},
        "EmailTags": [{"Name": MAIL_TAG, "Value": str(posted.id)}],
    }
    return body if configuration_set is None else {**body, "ConfigurationSetName": configuration_set}


def judge(status: int, body: bytes, headers: dict[str, str]) -> Outcome:
    """What an answer means."""
    said = object_of(body)
    if status == HTTPStatus.OK:
        return Sent(str(said.get("MessageId") or "accepted"))
    kind, reason = _reason(status, said, headers)
    if kind in _OF_THE_MAIL and _SANDBOX not in reason:
        return Refused(reason)
    return Retry(reason, is_server=True, wait=wait_of(headers))


def _reason(status: int, said: dict[str, Any], headers: dict[str, str]) -> tuple[str, str]:
    """The kind of an error, `x-amzn-ErrorType: MessageRejected:http://…` or in the body; and what to tell."""
    kind = (headers.get("x-amzn-errortype") or str(said.get("__type") or said.get("code") or "")).partition(":")[0]
    kind = kind.rpartition("#")[2]
    return kind, one_line(f"{status} {kind}: {said.get('message') or said.get('Message') or 'without a reason'}")
