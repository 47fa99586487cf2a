"""Does mail leave? The mail server is greeted as a sender would, and the outbox is looked at."""

import asyncio
import contextlib
from datetime import UTC, datetime

import aiosmtplib
from sqlalchemy.exc import SQLAlchemyError

from jobs.mail import LATE
from jobs.sendgrid import SendGrid
from jobs.ses import Ses
from jobs.smtp import SmtpServer, outcome_of
from persistence.engine import create_engine
from persistence.mail import Outbox, outbox_of
from tocsin.doctor.report import Check, State
from tocsin.settings import MailProvider, Settings

# Servers hold back the answer to a wrong password for some seconds.
SECONDS = 10.0
WITHOUT = (
    "nobody is told of alerts by mail; links to verify an address or to set a password do not arrive, nor do "
    "invitations and security notices"
)


async def check_mail(settings: Settings) -> Check:
    """The mail server, and what waits for it."""
    outbox = await _outbox(settings)
    if settings.mail_provider is not MailProvider.SMTP:
        return await _check_provider(settings, outbox)
    server = SmtpServer.of(settings)
    if server is None:
        waits = _waiting(outbox, ": ")
        return Check(
            name="Mail",
            state=State.DEGRADED if waits else State.OFF,
            detail=f"TOCSIN_SMTP_URL is not set{waits}",
            consequence=WITHOUT,
            remedy="set TOCSIN_SMTP_URL and TOCSIN_MAIL_FROM; mail that has waited for three days no longer leaves",
        )
    problem = await _problem(server)
    if problem:
        return Check(
            name="Mail",
            state=State.DEGRADED,
            detail=f"{server.host} does not take mail: {problem}{_waiting(outbox)}",
            consequence=WITHOUT,
            remedy="mend TOCSIN_SMTP_URL or the server; mail is tried again for three days",
        )
    return _answering(server.host, server.sender.addr_spec, outbox)


async def _check_provider(settings: Settings, outbox: Outbox | None) -> Check:
    """SendGrid or SES: asked for the account, as a sender signs in."""
    client = SendGrid.of(settings) if settings.mail_provider is MailProvider.SENDGRID else Ses.of(settings)
    name = "SendGrid" if settings.mail_provider is MailProvider.SENDGRID else "Amazon SES"
    if client is None:
        return Check(name="Mail", state=State.OFF, detail=f"{name} is not set up", consequence=WITHOUT)
    try:
        problem = await client.problem()
    finally:
        await client.close()
    if problem:
        return Check(
            name="Mail",
            state=State.DEGRADED,
            detail=f"{name} does not take mail: {problem}{_waiting(outbox)}",
            consequence=WITHOUT,
            remedy="mend the account or its key; mail is tried again for three days",
        )
    if not (settings.sendgrid_event_key if settings.mail_provider is MailProvider.SENDGRID else settings.ses_topic_arn):
        return Check(
            name="Mail",
            state=State.DEGRADED,
            detail=f"{name} takes mail, and tells nothing of what becomes of it{_waiting(outbox)}",
            consequence="a mail that comes back is not noticed, nor are its people told by another way",
            remedy="set up events (docs/accounts.md)",
        )
    return _answering(name, settings.mail_from or "", outbox)


def _answering(name: str, sender: str, outbox: Outbox | None) -> Check:
    if outbox is not None and (_is_late(outbox) or outbox.failed_lately):
        return Check(
            name="Mail",
            state=State.DEGRADED,
            detail=f"{name} answers{_waiting(outbox)}; {outbox.failed_lately} given up within a day",
            consequence="some mail did not arrive",
            remedy="look at last_error in outgoing_mail, and at the scheduler and workers when much waits",
        )
    return Check(name="Mail", state=State.OK, detail=f"{name} takes mail from {sender}")


def _waiting(outbox: Outbox | None, before: str = "; ") -> str:
    if outbox is None or not outbox.waiting:
        return ""
    return f"{before}{'1 mail waits' if outbox.waiting == 1 else f'{outbox.waiting} mails wait'}"


def _is_late(outbox: Outbox) -> bool:
    return outbox.oldest is not None and datetime.now(tz=UTC) - outbox.oldest > LATE


async def _outbox(settings: Settings) -> Outbox | None:
    """None where the database cannot say: another check tells of that."""
    if not settings.database_url:
        return None
    engine = create_engine(settings, pool_size=1)
    try:
        async with asyncio.timeout(SECONDS), engine.connect() as connection:
            return await outbox_of(connection, now=datetime.now(tz=UTC))
    except (OSError, TimeoutError, SQLAlchemyError):
        return None
    finally:
        await engine.dispose()


async def _problem(server: SmtpServer) -> str:
    """Why the server would not take a mail: it is greeted, over TLS and with the password where these are set."""
    client = server.client()
    try:
        async with asyncio.timeout(SECONDS):
            await client.connect()
            await client.noop()
    except (aiosmtplib.SMTPException, OSError) as error:
        is_ours = isinstance(error, TimeoutError) and not isinstance(error, aiosmtplib.SMTPException)
        return f"no answer within {SECONDS:.0f} s" if is_ours else outcome_of(error).reason
    else:
        with contextlib.suppress(aiosmtplib.SMTPException, OSError):
            await client.quit(timeout=1)
        return ""
    finally:
        client.close()
