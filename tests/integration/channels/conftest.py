"""The API of these tests, opened as the application's lesser role; a provider it may post to; and the jobs."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.api import Api, api_settings, running_api
from tests.certificates import make_certificate
from tests.integration.channels.provider import Provider, provider
from tests.integration.channels.work import Work
from tests.jobs_by_hand import opened


@pytest.fixture
async def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Provider]:
    certificate = make_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.authority))
    async with provider(certificate) as started:
        yield started


@pytest.fixture
async def api(application_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    settings = api_settings(application_url, tmp_path, outbound_allowed_networks="127.0.0.0/8, ::1/128")
    async with running_api(settings) as opened:
        yield opened


@pytest.fixture
async def work(api: Api, application_url: str) -> AsyncIterator[Work]:
    async with opened(Work, api, application_url) as made:
        yield made
