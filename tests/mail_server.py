"""A real mail server for tests: aiosmtpd on a port of this machine. It takes mail, or refuses as the test says."""

import asyncio
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.served_door import Certificate

ACCEPTED = "250 2.0.0 Ok: queued as 4F5A1"


@dataclass
class Inbox:
    """What came, and what to answer. Each answer of a list is given once, then everything is taken."""

    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    rcpt_answers: list[str] = field(default_factory=list)
    data_answers: list[str] = field(default_factory=list)
    mail_answers: list[str] = field(default_factory=list)
    over_tls: list[bool] = field(default_factory=list)
    sign_ins: list[tuple[bytes, bytes]] = field(default_factory=list)
    # The content comes in, and the answer never leaves.
    is_mute: bool = False

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.mail_answers:
            return self.mail_answers.pop(0)
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name and order
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.rcpt_answers:
            return self.rcpt_answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.is_mute:
            await asyncio.sleep(3600)
        if self.data_answers:
            return self.data_answers.pop(0)
        content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        self.mails.append(message_from_bytes(content, policy=default))
        self.recipients += envelope.rcpt_tos
        self.over_tls.append(session.ssl is not None)
        return ACCEPTED

    def authenticate(self, _server: SMTP, _session: Session, _envelope: Envelope, _how: str, data: Any) -> AuthResult:  # noqa: ANN401
        assert isinstance(data, LoginPassword)
        self.sign_ins.append((data.login, data.password))
        return AuthResult(success=data.password == b"right", handled=False)


@dataclass
class MailServer:
    """One that listens. Stopped and started again, it keeps its port."""

    inbox: Inbox
    certificate: Certificate | None = None
    implicit_tls: bool = False
    auth: bool = False
    port: int = 0
    _server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen."""
        loop = asyncio.get_running_loop()
        context = self._context()

        def connection() -> SMTP:
            return SMTP(
                self.inbox,
                loop=loop,
                hostname="127.0.0.1",
                enable_SMTPUTF8=True,
                tls_context=None if self.implicit_tls else context,
                authenticator=self.inbox.authenticate if self.auth else None,
                auth_required=self.auth,
                auth_require_tls=not self.implicit_tls,
            )

        self._server = await loop.create_server(
            connection, "127.0.0.1", self.port, ssl=context if self.implicit_tls else None
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def _context(self) -> ssl.SSLContext | None:
        if self.certificate is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.certificate.certificate, self.certificate.key)
        return context


@asynccontextmanager
async def mail_server(
    *, certificate: Certificate | None = None, implicit_tls: bool = False, auth: bool = False
) -> AsyncIterator[MailServer]:
    """A mail server in the test's own loop."""
    server = MailServer(Inbox(), certificate=certificate, implicit_tls=implicit_tls, auth=auth)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@contextmanager
def mail_server_beside() -> Iterator[MailServer]:
    """A mail server in a thread of its own, for a test that runs no loop."""
    server = MailServer(Inbox())
    ready, done = threading.Event(), threading.Event()

    async def serve() -> None:
        await server.start()
        ready.set()
        await asyncio.to_thread(done.wait)
        await server.stop()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="mail server")
    thread.start()
    try:
        assert ready.wait(10)
        yield server
    finally:
        done.set()
        thread.join(10)


def text_of(mail: EmailMessage) -> str:
    """What a mail says in plain text."""
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")
