"""What `tocsin doctor` says of mail: the server is greeted as a sender would, and the outbox is looked at."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from domain.mail.model import Mail, MailKind
from persistence.engine import create_engine
from persistence.tables import outgoing_mail
from persistence.unit_of_work import UnitOfWork
from tests.api import api_settings
from tests.certificates import make_certificate
from tests.mail_server import MailServer, mail_server
from tocsin.doctor.mail import check_mail
from tocsin.doctor.report import State
from tocsin.settings import Settings


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    async with mail_server() as opened:
        yield opened


def settings(url: str, folder: Path, *, smtp: str | None) -> Settings:
    return api_settings(url, folder, smtp_url=smtp, mail_from="tocsin@example.org" if smtp else None)


async def put_mail(given: Settings, **state: object) -> None:
    engine = create_engine(given, pool_size=1)
    async with UnitOfWork(engine) as unit:
        await unit.mail.append(Mail(to="ada@example.com", subject="s", text="t", kind=MailKind.SECURITY_NOTICE))
        if state:
            await unit.connection.execute(sa.update(outgoing_mail).values(**state))
        await unit.commit()
    await engine.dispose()


async def test_without_a_server_it_is_off_until_something_waits(application_url: str, tmp_path: Path) -> None:
    given = settings(application_url, tmp_path, smtp=None)
    assert (await check_mail(given)).state is State.OFF
    await put_mail(given)
    check = await check_mail(given)
    assert (check.state, check.detail) == (State.DEGRADED, "TOCSIN_SMTP_URL is not set: 1 mail waits")


async def test_a_server_that_answers_is_well_and_gets_no_mail(
    application_url: str, tmp_path: Path, server: MailServer
) -> None:
    check = await check_mail(settings(application_url, tmp_path, smtp=f"smtp://127.0.0.1:{server.port}"))
    assert (check.state, check.detail) == (State.OK, "127.0.0.1 takes mail from tocsin@example.org")
    assert server.inbox.mails == []


async def test_a_server_that_is_away_or_knows_another_password_is_told(
    application_url: str, tmp_path: Path, server: MailServer
) -> None:
    certificate = make_certificate(tmp_path)
    async with mail_server(certificate=certificate, auth=True) as guarded:
        url = f"smtp://user:hunter2@127.0.0.1:{guarded.port}?ca={certificate.authority}"
        check = await check_mail(settings(application_url, tmp_path, smtp=url))
        assert check.state is State.DEGRADED
        assert "535" in check.detail
        assert "hunter2" not in repr(check)
    await server.stop()
    check = await check_mail(settings(application_url, tmp_path, smtp=f"smtp://127.0.0.1:{server.port}"))
    assert check.state is State.DEGRADED
    assert "does not take mail" in check.detail


async def test_mail_that_was_given_up_or_is_late_is_told(
    application_url: str, tmp_path: Path, server: MailServer
) -> None:
    given = settings(application_url, tmp_path, smtp=f"smtp://127.0.0.1:{server.port}")
    await put_mail(given, failed_at=sa.func.now())
    assert (await check_mail(given)).detail == "127.0.0.1 answers; 1 given up within a day"
    await put_mail(given, failed_at=None, created_at=sa.text("now() - interval '1 hour'"))
    check = await check_mail(given)
    assert (check.state, check.detail) == (State.DEGRADED, "127.0.0.1 answers; 2 mails wait; 0 given up within a day")


async def test_without_a_database_the_server_is_looked_at_all_the_same(
    tmp_path: Path, server: MailServer, free_port: int
) -> None:
    url = f"postgresql://nobody@127.0.0.1:{free_port}/none"
    check = await check_mail(settings(url, tmp_path, smtp=f"smtp://127.0.0.1:{server.port}"))
    assert check.state is State.OK
