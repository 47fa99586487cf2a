"""By which provider does mail leave? The one the settings name: an SMTP server, SendGrid, or Amazon SES."""

from typing import Protocol

from domain.mail.delivery import Outcome
from domain.mail.model import Posted
from jobs.sendgrid import SendGrid
from jobs.ses import Ses
from jobs.smtp import SmtpServer, SmtpSession
from tocsin.settings import MailProvider, Settings


class Mailer(Protocol):
    """Sends mail after mail. Opened with the first, closed at the end; `send` never raises."""

    async def send(self, posted: Posted) -> Outcome:
        """Try once."""
        ...

    async def close(self) -> None:
        """Let the connections go."""
        ...


def mailer_of(settings: Settings) -> Mailer | None:
    """The provider of the settings; None where none is set up."""
    if settings.mail_provider is MailProvider.SENDGRID:
        return SendGrid.of(settings)
    if settings.mail_provider is MailProvider.SES:
        return Ses.of(settings)
    server = SmtpServer.of(settings)
    return None if server is None else SmtpSession(server)
