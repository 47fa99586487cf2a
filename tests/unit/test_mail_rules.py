"""What a mail may be, when it is tried again, and how it looks on the wire."""

from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import SMTP, default
from typing import Any
from uuid import UUID

import aiosmtplib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.identity.addresses import checked_address
from domain.mail.delivery import FIRST_WAIT, LONGEST_WAIT, Refused, Retry, next_attempt
from domain.mail.model import Mail, MailKind, Posted
from jobs.smtp import SmtpServer, composed, outcome_of
from tocsin.settings import Settings

NOW = datetime(2026, 11, 26, 6, 0, tzinfo=UTC)


def posted(**more: object) -> Posted:
    values: dict[str, Any] = {
        "to": "ada@example.com",
        "subject": "Hello",
        "text": "A line.\n",
        "kind": MailKind.SECURITY_NOTICE,
        **more,
    }
    mail = Mail(**values)
    return Posted(id=UUID(int=7), mail=mail, attempt=1, created_at=NOW, expires_at=NOW)


def server(url: str, sender: str = "tocsin@example.org") -> SmtpServer:
    made = SmtpServer.of(Settings(smtp_url=url, mail_from=sender))
    assert made is not None
    return made


@pytest.mark.parametrize(
    "more",
    [
        {"to": "ada@example.com\r\nBcc: eve@example.com"},
        {"to": "ada@example.com, eve@example.com"},
        {"to": "ada@example.com> RCPT TO:<eve@example.com"},
        {"to": '"ada eve"@example.com'},
        {"to": "Ada <ada@example.com>"},
        {"to": "ada"},
        {"subject": "Hello\r\nBcc: eve@example.com"},
        {"subject": "Hello\u2028there"},
        {"subject": ""},
        {"subject": "x" * 201},
        {"text": ""},
        {"html": "x" * 200_001},
    ],
)
def test_a_mail_with_two_recipients_or_a_second_header_cannot_be(more: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        posted(**more)


@given(st.text(max_size=60), st.text(min_size=1, max_size=80), st.text(min_size=1, max_size=300))
def test_whatever_people_type_the_head_has_one_recipient_and_one_subject(local: str, subject: str, text: str) -> None:
    try:
        one = posted(to=f"{local}@example.com", subject=subject, text=text)
        raw = composed(one, sender=server("smtp://h").sender).as_bytes(policy=SMTP.clone(utf8=True))
    except (InvalidInput, ValueError):  # refused, here or by the message itself: nothing leaves
        return
    read = message_from_bytes(raw, policy=default)
    assert [len(read.get_all(name) or []) for name in ("To", "Subject", "From", "Bcc", "Cc")] == [1, 1, 1, 0, 0]
    assert len(read["To"].addresses) == 1


@given(st.text(max_size=80))
def test_an_address_that_is_taken_can_be_written_to(text: str) -> None:
    try:
        address = checked_address(f"{text}@example.com")
    except InvalidInput:
        return
    assert posted(to=address).mail.to == address


@given(st.integers(1, 10**9))
def test_waits_grow_to_a_bound(attempt: int) -> None:
    wait = next_attempt(attempt, now=NOW) - NOW
    assert FIRST_WAIT <= wait <= LONGEST_WAIT
    assert wait <= next_attempt(attempt + 1, now=NOW) - NOW


def test_the_first_waits_are_short() -> None:
    waits = [(next_attempt(attempt, now=NOW) - NOW).total_seconds() for attempt in (1, 2, 3)]
    assert waits == [30, 60, 120]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (aiosmtplib.SMTPRecipientRefused(550, "no such user", "a"), Refused("550 no such user", is_address=True)),
        (aiosmtplib.SMTPRecipientRefused(450, "busy", "a"), Retry("450 busy")),
        (aiosmtplib.SMTPRecipientRefused(421, "bye", "a"), Retry("421 bye", is_server=True)),
        (aiosmtplib.SMTPDataError(454, "Throttling failure"), Retry("454 Throttling failure", is_server=True)),
        (aiosmtplib.SMTPRecipientRefused(535, "who are you", "a"), Retry("535 who are you", is_server=True)),
        (aiosmtplib.SMTPDataError(554, "spam"), Refused("554 spam")),
        (aiosmtplib.SMTPDataError(452, "full"), Retry("452 full")),
        (aiosmtplib.SMTPSenderRefused(550, "not yours", "a"), Retry("550 not yours", is_server=True)),
        (aiosmtplib.SMTPAuthenticationError(535, "wrong"), Retry("535 wrong", is_server=True)),
        (aiosmtplib.SMTPConnectError("refused"), Retry("refused", is_server=True)),
        (aiosmtplib.SMTPNotSupported("no SMTPUTF8"), Refused("no SMTPUTF8")),
        (TimeoutError(), Retry("no answer within 20 s", is_server=True)),
        (ConnectionResetError("reset"), Retry("reset", is_server=True)),
    ],
)
def test_what_an_answer_means_for_the_mail(error: Exception, expected: Retry | Refused) -> None:
    if isinstance(error, aiosmtplib.SMTPRecipientRefused):
        error = aiosmtplib.SMTPRecipientsRefused([error])
    assert outcome_of(error) == expected


def test_a_password_asks_for_tls_unless_the_address_says_otherwise() -> None:
    assert server("smtp://host").start_tls is None
    assert server("smtp://u:p@host").start_tls is True
    assert server("smtp://u:p@host?starttls=offered").start_tls is None
    assert server("smtp://u:p@host?starttls=never").start_tls is False
    implicit = server("smtps://u:p%40ss@host:465")
    assert (implicit.use_tls, implicit.start_tls, implicit.password, implicit.port) == (True, False, "p@ss", 465)
    assert "p@ss" not in repr(implicit)


@pytest.mark.parametrize(
    "given",
    [
        {"smtp_url": "http://host", "mail_from": "a@b"},
        {"smtp_url": "smtp://", "mail_from": "a@b"},
        {"smtp_url": "smtp://host?verify=no", "mail_from": "a@b"},
        {"smtp_url": "smtp://host?starttls=perhaps", "mail_from": "a@b"},
        {"smtp_url": "smtp://host", "mail_from": "nobody"},
        {"smtp_url": "smtp://host"},
    ],
)
def test_a_setting_that_cannot_work_is_refused_and_the_password_is_not_shown(given: dict[str, str]) -> None:
    given = {name: value.replace("host", "u:hunter2@host") for name, value in given.items()}
    with pytest.raises(ValueError, match=r"smtp|SMTP|address") as refused:
        Settings.model_validate(given)
    assert "hunter2" not in str(refused.value)


def test_a_long_life_does_not_overflow() -> None:
    assert next_attempt(2**63, now=NOW) == NOW + timedelta(hours=4)
