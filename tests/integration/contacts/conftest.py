"""The API of these tests, opened as the application's lesser role; and nights with a double of Twilio or of Slack."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from domain.identity.model import Role
from tests.api import Api, Person, api_settings, running_api
from tests.certificates import make_certificate
from tests.integration.contacts.slack_night import SlackNight
from tests.integration.contacts.slack_night import slack_night as opened_over_slack
from tests.integration.contacts.text_night import PUBLIC, Night
from tests.jobs_by_hand import opened
from tests.slack_double import CHANNEL, SlackDouble, slack_double
from tests.twilio_double import TwilioDouble, twilio_double


@pytest.fixture
async def api(application_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(api_settings(application_url, tmp_path)) as opened:
        yield opened


@pytest.fixture
async def twilio() -> AsyncIterator[TwilioDouble]:
    async with twilio_double() as double:
        yield double


@pytest.fixture
async def night(application_url: str, tmp_path: Path, twilio: TwilioDouble) -> AsyncIterator[Night]:
    settings = api_settings(application_url, tmp_path, public_url=PUBLIC, **twilio.settings())
    async with running_api(settings) as api, opened(partial(Night, twilio=twilio), api, application_url) as made:
        yield made


@pytest.fixture
async def slack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SlackDouble]:
    certificate = make_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.authority))
    async with slack_double(certificate) as double:
        yield double


@pytest.fixture
async def slack_night(application_url: str, tmp_path: Path, slack: SlackDouble) -> AsyncIterator[SlackNight]:
    async with opened_over_slack(application_url, tmp_path, slack) as opened:
        yield opened


@pytest.fixture
async def ann(night: Night | SlackNight) -> Person:
    """Whichever night the tests of a file are of."""
    return await night.api.person(Role.OPERATOR, email="ann@example.com")


@pytest.fixture
async def channel(slack_night: SlackNight) -> str:
    manager = await slack_night.api.person(Role.MANAGER)
    channel_id = await slack_night.channel(manager, CHANNEL)
    await slack_night.escalates_to(("CHANNEL", channel_id))
    return channel_id
