"""By which providers does mail leave in these tests? By doubles that speak as SendGrid and SES document."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from graphql_api.mail_events import ses_http
from tests.integration.mail.posts import Post, posting
from tests.mail_doubles import SendGridDouble, SesDouble
from tests.unit.webhooks.sns_signer import FakeAws, certificate


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    now = datetime.now(tz=UTC)
    day = timedelta(days=1)
    fake = FakeAws(lambda: certificate(not_before=now - day, not_after=now + day))
    monkeypatch.setattr(ses_http, "HttpsSnsClient", lambda: fake)
    return fake


@pytest.fixture
async def sendgrid(application_url: str, tmp_path: Path, aws: FakeAws) -> AsyncIterator[Post]:
    async with posting(application_url, tmp_path, SendGridDouble(), aws) as post:
        yield post


@pytest.fixture
async def ses(application_url: str, tmp_path: Path, aws: FakeAws) -> AsyncIterator[Post]:
    async with posting(application_url, tmp_path, SesDouble(), aws) as post:
        yield post
