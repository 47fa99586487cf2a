"""Does mail leave by a real mail server, once, and never half? Refusals, outages, TLS and passwords included (P1)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

import jobs.smtp
from domain.identity.model import Role, User
from domain.ids import new_id
from domain.mail.delivery import MAX_AGE
from domain.mail.model import Mail, MailKind
from jobs.mail import SERVER_REST, send_mail, watch_mail
from persistence.engine import create_engine
from persistence.mail import CLAIM, claim_mail
from persistence.tables import outgoing_mail
from persistence.unit_of_work import UnitOfWork
from tests.api import api_settings
from tests.certificates import make_certificate
from tests.mail_server import ACCEPTED, Inbox, MailServer, mail_server, text_of
from tests.served_door import Certificate
from tocsin.settings import Settings

TO = "ada@example.com"


def mail(**more: object) -> Mail:
    values: dict[str, Any] = {
        "to": TO,
        "subject": "Hello",
        "text": "A line.\n",
        "kind": MailKind.SECURITY_NOTICE,
        **more,
    }
    return Mail(**values)


def later(seconds: float = 1) -> datetime:
    return datetime.now(tz=UTC) + timedelta(seconds=seconds)


class Post:
    """The outbox of a test, and a way to send."""

    def __init__(self, settings: Settings, engine: AsyncEngine) -> None:
        self.settings, self.engine = settings, engine

    def by(self, server: MailServer, *, user: str = "", scheme: str = "smtp", query: str = "") -> None:
        url = f"{scheme}://{user}127.0.0.1:{server.port}{query}"
        self.settings = Settings.model_validate(
            {**self.settings.model_dump(), "smtp_url": url, "mail_from": "Tocsin <tocsin@example.org>"}
        )

    async def put(self, *mails: Mail) -> None:
        async with UnitOfWork(self.engine) as unit:
            await unit.mail.append(*mails)
            await unit.commit()

    async def send(self, seconds: float = 1) -> int:
        return await send_mail(self.engine, self.settings, later(seconds))

    async def rows(self) -> list[Any]:
        async with self.engine.connect() as connection:
            return list(await connection.execute(sa.select(outgoing_mail).order_by(outgoing_mail.c.id)))

    async def row(self) -> Any:  # noqa: ANN401 - a row
        (row,) = await self.rows()
        return row


@pytest.fixture
async def post(application_url: str, tmp_path: Path) -> AsyncIterator[Post]:
    settings = api_settings(application_url, tmp_path)
    engine = create_engine(settings, pool_size=4)
    yield Post(settings, engine)
    await engine.dispose()


@pytest.fixture
async def server(post: Post) -> AsyncIterator[MailServer]:
    async with mail_server() as opened:
        post.by(opened)
        yield opened


@pytest.fixture
def inbox(server: MailServer) -> Inbox:
    return server.inbox


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return make_certificate(tmp_path)


async def test_a_mail_leaves_as_it_was_written_and_what_it_said_is_erased(post: Post, inbox: Inbox) -> None:
    await post.put(mail(subject="Grüße, Ada", text="Zeile eins\n", html="<p>Zeile eins</p>"))
    row = await post.row()
    assert TO.encode() not in row.recipient
    assert b"Zeile" not in row.content
    assert await post.send() == 1
    (got,) = inbox.mails
    assert inbox.recipients == [TO]
    assert (got["To"], got["From"], got["Subject"]) == (TO, "Tocsin <tocsin@example.org>", "Grüße, Ada")
    assert text_of(got) == "Zeile eins\n"
    html = got.get_body(("html",))
    assert html is not None
    assert "<p>Zeile eins</p>" in html.get_content()
    assert got["Message-ID"] == f"<{row.id}@example.org>"
    assert got["Auto-Submitted"] == "auto-generated"
    row = await post.row()
    assert (row.recipient, row.content, row.last_error) == (None, None, None)
    assert row.sent_at is not None
    assert row.provider_message_id == ACCEPTED.removeprefix("250 ")
    assert await post.send(60) == 0


async def test_a_change_that_is_rolled_back_sends_nothing(post: Post, inbox: Inbox) -> None:
    async with UnitOfWork(post.engine) as unit:
        await unit.mail.append(mail())
    assert await post.send() == 0
    assert inbox.mails == []


async def test_an_unknown_mailbox_is_refused_for_good_and_holds_up_nobody(post: Post, inbox: Inbox) -> None:
    await post.put(mail(), mail(to="grace@example.com"))
    inbox.rcpt_answers.append(f"550 5.1.1 <{TO.upper()}>: no such user here")
    assert await post.send() == 1
    assert inbox.recipients == ["grace@example.com"]
    refused, sent = await post.rows()
    assert refused.failed_at is not None
    assert refused.last_error == "550 5.1.1 <the recipient>: no such user here"
    assert (refused.recipient, refused.content) == (None, None)
    assert sent.sent_at is not None
    assert await post.send(3600) == 0


async def test_content_that_is_refused_is_refused_for_good(post: Post, inbox: Inbox) -> None:
    await post.put(mail())
    inbox.data_answers.append("554 5.7.1 this looks like spam")
    assert await post.send() == 0
    assert (await post.row()).failed_at is not None


async def test_busy_now_is_tried_again_later_under_the_same_message_id(post: Post, inbox: Inbox) -> None:
    await post.put(mail())
    inbox.rcpt_answers.append("451 4.7.1 greylisted, come back later")
    assert await post.send() == 0
    row = await post.row()
    assert (row.attempts, row.failed_at, row.last_error) == (1, None, "451 4.7.1 greylisted, come back later")
    assert await post.send(2) == 0  # not yet
    assert await post.send(120) == 1
    assert inbox.mails[0]["Message-ID"] == f"<{row.id}@example.org>"
    assert (await post.row()).attempts == 2


async def test_each_wait_is_longer_and_after_days_the_mail_is_given_up(post: Post, inbox: Inbox) -> None:
    await post.put(mail())
    inbox.rcpt_answers += ["451 later"] * 100
    waits, seconds = [], 1.0
    while (row := await post.row()).failed_at is None:
        await post.send(seconds)
        following = (await post.row()).next_attempt_at
        waits.append((following - row.next_attempt_at).total_seconds())
        seconds = (following - datetime.now(tz=UTC)).total_seconds() + 1
    assert waits[1:8] == sorted(waits[1:8])
    assert row.last_error == "it could not be delivered in time: 451 later"
    assert (row.recipient, row.content) == (None, None)
    assert seconds < MAX_AGE.total_seconds() + 5
    assert inbox.mails == []


async def test_a_mail_whose_link_is_dead_is_not_sent(post: Post, inbox: Inbox) -> None:
    await post.put(mail(expires_at=later(60)))
    assert await post.send(61) == 0
    row = await post.row()
    assert (row.last_error, row.content) == ("it could not be delivered in time", None)
    assert inbox.mails == []


async def test_while_the_server_is_away_all_wait_and_one_attempt_tells(post: Post, server: MailServer) -> None:
    await post.put(*(mail(to=f"p{number}@example.com") for number in range(5)))
    await server.stop()
    with capture_logs() as logs:
        assert await post.send() == 0
    assert [(entry["event"], entry["server_trouble"]) for entry in logs] == [("mail waits", True)]
    assert TO not in str(logs)
    assert sorted(row.attempts for row in await post.rows()) == [0, 0, 0, 0, 1]
    assert all(row.recipient for row in await post.rows())
    await server.start()
    assert await post.send(2) == 0  # all rest for a moment
    assert await post.send(SERVER_REST.total_seconds() + 5) == 5
    assert len(server.inbox.mails) == 5


@pytest.mark.parametrize("answer", ["421 4.3.0 shutting down", "530 5.7.0 authentication required"])
async def test_trouble_of_the_server_is_no_mails_fault(post: Post, inbox: Inbox, answer: str) -> None:
    await post.put(mail())
    inbox.mail_answers.append(answer)
    assert await post.send() == 0
    assert (await post.row()).failed_at is None
    assert await post.send(120) == 1


async def test_a_sender_the_server_does_not_take_is_a_setting_to_be_mended(post: Post, inbox: Inbox) -> None:
    await post.put(mail())
    inbox.mail_answers.append("550 5.7.1 sender address rejected: not owned")
    assert await post.send() == 0
    row = await post.row()
    assert (row.failed_at, row.last_error) == (None, "550 5.7.1 sender address rejected: not owned")


async def test_a_server_that_never_answers_is_left(post: Post, inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs.smtp, "SECONDS", 0.5)
    await post.put(mail())
    inbox.is_mute = True
    async with asyncio.timeout(60):
        assert await post.send() == 0
    assert (await post.row()).last_error
    inbox.is_mute = False
    assert await post.send(120) == 1


async def test_many_senders_send_each_mail_once(post: Post, inbox: Inbox) -> None:
    await post.put(*(mail(to=f"p{number}@example.com") for number in range(40)))
    assert sum(await asyncio.gather(*(post.send() for _ in range(4)))) == 40
    assert sorted(inbox.recipients) == sorted(f"p{number}@example.com" for number in range(40))


async def test_what_a_sender_that_died_had_claimed_is_sent_when_its_claim_has_run_out(post: Post, inbox: Inbox) -> None:
    await post.put(mail())
    (claimed,) = await claim_mail(post.engine, limit=10, now=later())
    assert claimed.mail == mail()
    assert await post.send(60) == 0
    assert await post.send(CLAIM.total_seconds() + 5) == 1
    assert len(inbox.mails) == 1


async def test_a_row_that_was_moved_or_changed_is_given_up_and_the_rest_goes(post: Post, inbox: Inbox) -> None:
    await post.put(mail(), mail(to="grace@example.com"))
    first, second = await post.rows()
    async with post.engine.begin() as connection:
        await connection.execute(
            sa.update(outgoing_mail).where(outgoing_mail.c.id == first.id).values(recipient=second.recipient)
        )
    assert await post.send() == 1
    assert inbox.recipients == ["grace@example.com"]
    assert "does not open" in (await post.rows())[0].last_error


async def test_starttls_is_used_where_it_is_offered(post: Post, certificate: Certificate) -> None:
    async with mail_server(certificate=certificate) as server:
        post.by(server, query=f"?ca={certificate.authority}")
        await post.put(mail())
        assert await post.send() == 1
        assert server.inbox.over_tls == [True]


async def test_a_certificate_of_a_stranger_gets_no_mail(post: Post, certificate: Certificate) -> None:
    async with mail_server(certificate=certificate) as server:
        post.by(server)
        await post.put(mail())
        assert await post.send() == 0
        assert server.inbox.mails == []
        assert "certificate" in (await post.row()).last_error.lower()


async def test_starttls_that_is_required_and_missing_gets_no_mail(post: Post, server: MailServer) -> None:
    post.by(server, query="?starttls=required")
    await post.put(mail())
    assert await post.send() == 0
    assert "STARTTLS" in (await post.row()).last_error
    assert server.inbox.mails == []


async def test_a_password_goes_over_tls_alone_and_opens_the_server(post: Post, certificate: Certificate) -> None:
    async with mail_server(certificate=certificate, auth=True) as server:
        post.by(server, user="us%40er:right@", query=f"?ca={certificate.authority}")
        await post.put(mail())
        assert await post.send() == 1
        assert server.inbox.sign_ins == [(b"us@er", b"right")]
        assert server.inbox.over_tls == [True]


async def test_with_a_password_set_a_server_without_tls_gets_neither(post: Post, server: MailServer) -> None:
    post.by(server, user="user:right@")
    await post.put(mail())
    assert await post.send() == 0
    assert server.inbox.sign_ins == []


async def test_a_wrong_password_loses_no_mail(post: Post, certificate: Certificate) -> None:
    async with mail_server(certificate=certificate, auth=True) as server:
        post.by(server, user="user:wrong@", query=f"?ca={certificate.authority}")
        await post.put(mail())
        assert await post.send() == 0
        row = await post.row()
        assert row.failed_at is None
        assert row.last_error.startswith("535")
        assert "wrong" not in row.last_error
        post.by(server, user="user:right@", query=f"?ca={certificate.authority}")
        assert await post.send(120) == 1


async def test_tls_from_the_first_byte(post: Post, certificate: Certificate) -> None:
    async with mail_server(certificate=certificate, implicit_tls=True) as server:
        post.by(server, scheme="smtps", query=f"?ca={certificate.authority}")
        await post.put(mail())
        assert await post.send() == 1
        assert len(server.inbox.mails) == 1


async def test_an_address_in_other_letters_is_written_as_servers_know_it(post: Post, inbox: Inbox) -> None:
    await post.put(mail(to="ada@bücher.example"), mail(to="ünï@example.com"))
    assert await post.send() == 2
    assert inbox.recipients == ["ada@xn--bcher-kva.example", "ünï@example.com"]


async def test_without_a_server_mail_waits_and_the_log_says_so(post: Post) -> None:
    await post.put(mail(), mail())
    assert await post.send() == 0
    with capture_logs() as logs:
        await watch_mail(post.engine, post.settings, later())
    assert [(entry["event"], entry["waiting"]) for entry in logs] == [("mail waits: TOCSIN_SMTP_URL is not set", 2)]


async def test_mail_that_is_late_is_told_of_and_none_is_not(post: Post, server: MailServer) -> None:
    with capture_logs() as logs:
        await watch_mail(post.engine, post.settings, later())
    assert logs == []
    await post.put(mail())
    await server.stop()
    with capture_logs() as logs:
        await watch_mail(post.engine, post.settings, later(60))
        assert logs == []
        await watch_mail(post.engine, post.settings, later(3600))
    assert logs[0]["event"] == "mail waits for the mail server"


async def test_a_person_who_is_forgotten_gets_and_leaves_no_mail(post: Post, inbox: Inbox) -> None:
    user = User(id=new_id(), email=TO, role=Role.VIEWER, created_at=later())
    async with UnitOfWork(post.engine) as unit:
        assert await unit.users.add(user, email_digest=b"ada")
        await unit.commit()
    await post.put(mail(user_id=user.id), mail(to="grace@example.com"))
    async with UnitOfWork(post.engine) as unit:
        await unit.mail.forget_person(user.id)
        await unit.commit()
    assert await post.send() == 1
    assert inbox.recipients == ["grace@example.com"]
