"""How does a mail reach the mail server? Over SMTP, by aiosmtplib: one connection for all that are sent at a time.

What the server answers decides: a refusal of the recipient or the content is the mail's own; anything else (no
connection, a password that is wrong, a sender it does not take) is the server's trouble: no mail is given up for it.
"""

import asyncio
import contextlib
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime, parseaddr
from urllib.parse import parse_qsl, unquote, urlsplit

import aiosmtplib

from domain.mail.delivery import Outcome, Refused, Retry, Sent
from domain.mail.model import Posted
from tocsin.settings import Settings

# For one mail, connecting included.
SECONDS = 20.0
_TRANSIENT, _PERMANENT = 400, 500
# Codes that speak of the server or of our standing with it, whichever command they answer. 454 is what Amazon says
# after the text when too much is sent (https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas-errors.html).
_SERVER_CODES = frozenset({421, 454, 530, 534, 535, 538})
_STARTTLS = {"offered": None, "required": True, "never": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpServer:
    """Where mail goes, and in whose name."""

    host: str
    port: int | None
    sender: Address
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    use_tls: bool = False
    # None: when the server offers it.
    start_tls: bool | None = None
    authority: str | None = None

    @classmethod
    def of(cls, settings: Settings) -> "SmtpServer | None":
        """The server of the settings; None where none is set. They have been checked."""
        if settings.smtp_url is None or settings.mail_from is None:
            return None
        url = urlsplit(settings.smtp_url.get_secret_value())
        asked = dict(parse_qsl(url.query))
        name, address = parseaddr(settings.mail_from)
        # A password goes over an encrypted line, unless the address itself says otherwise.
        usual = "required" if url.username else "offered"
        is_tls = url.scheme == "smtps"
        return cls(
            host=url.hostname or "",
            port=url.port,
            sender=Address(name, addr_spec=address),
            username=unquote(url.username) if url.username else None,
            password=unquote(url.password) if url.password else None,
            use_tls=is_tls,
            start_tls=False if is_tls else _STARTTLS[asked.get("starttls", usual)],
            authority=asked.get("ca"),
        )

    def client(self) -> aiosmtplib.SMTP:
        """A client that is not connected yet."""
        return aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            username=self.username,
            password=self.password,
            # Asking the resolver for our own name can take longer than all the rest.
            local_hostname=self.sender.domain,
            timeout=SECONDS,
            use_tls=self.use_tls,
            start_tls=self.start_tls,
            cert_bundle=self.authority,
        )


class SmtpSession:
    """Sends mail after mail over one connection, opened with the first."""

    def __init__(self, server: SmtpServer) -> None:
        self._server = server
        self._client = server.client()

    async def send(self, posted: Posted) -> Outcome:
        """Try once."""
        try:
            message = composed(posted, sender=self._server.sender)
        except (ValueError, UnicodeError) as error:
            return Refused(f"no mail can be made of it: {error}")
        try:
            async with asyncio.timeout(SECONDS):
                if not self._client.is_connected:
                    await self._client.connect()
                _, answer = await self._client.send_message(
                    message, sender=self._server.sender.addr_spec, recipients=[mailbox_of(posted.mail.to).addr_spec]
                )
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            outcome = outcome_of(error)
            if isinstance(outcome, Retry) and outcome.is_server:
                self._client.close()
            return outcome
        return Sent(answer)

    async def close(self) -> None:
        """Say goodbye, if anybody is there."""
        if self._client.is_connected:
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                await self._client.quit(timeout=1)
        self._client.close()


def composed(posted: Posted, *, sender: Address) -> EmailMessage:
    """The message. Its Message-ID is made of the row's id, and is the same at every attempt."""
    mail = posted.mail
    message = EmailMessage(policy=SMTP_POLICY)
    message["From"] = sender
    message["To"] = mailbox_of(mail.to)
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(posted.created_at)
    message["Message-ID"] = f"<{posted.id}@{sender.domain}>"
    # No holiday note answers a machine.
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(mail.text)
    if mail.html is not None:
        message.add_alternative(mail.html, subtype="html")
    return message


def mailbox_of(address: str) -> Address:
    """The address as mail servers know it: a domain in other letters than ours has an ASCII name."""
    local, _, domain = address.rpartition("@")
    return Address(username=local, domain=domain.encode("idna").decode())


def outcome_of(error: Exception) -> Retry | Refused:
    """What an attempt that failed means for the mail."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        error = error.recipients[0]
    reason = _reason(error)
    if isinstance(error, aiosmtplib.SMTPNotSupported | ValueError):
        return Refused(reason)  # the address cannot be written on this server's line
    if isinstance(error, aiosmtplib.SMTPRecipientRefused | aiosmtplib.SMTPDataError):
        if error.code in _SERVER_CODES:
            return Retry(reason, is_server=True)
        if error.code < _PERMANENT:
            return Retry(reason)
        return Refused(reason, is_address=isinstance(error, aiosmtplib.SMTPRecipientRefused))
    return Retry(reason, is_server=True)


def _reason(error: Exception) -> str:
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"{error.code} {error.message}"
    if isinstance(error, TimeoutError) and not str(error):
        return f"no answer within {SECONDS:.0f} s"
    return str(error) or type(error).__name__
