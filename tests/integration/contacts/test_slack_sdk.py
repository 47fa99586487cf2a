"""Does the double of Slack speak as Slack does? The vendor's own client takes it for it, answers and refusals alike."""

import ssl
from pathlib import Path

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.certificates import make_certificate
from tests.slack_double import CHANNEL, TOKEN, slack_double


async def test_the_double_is_taken_for_slack_by_its_own_client(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    context = ssl.create_default_context(cafile=str(certificate.authority))
    async with slack_double(certificate) as double:
        client = AsyncWebClient(TOKEN, base_url=f"{double.url}/api/", ssl=context)
        section = {"type": "section", "text": {"type": "mrkdwn", "text": "one"}}
        posted = await client.chat_postMessage(channel=CHANNEL, text="one", blocks=[section])
        changed = await client.chat_update(channel=posted["channel"], ts=posted["ts"], text="two", blocks=[section])
        assert changed["ts"] == posted["ts"]
        assert (double.messages[0].text, double.messages[0].updates) == ("two", 1)
        for channel, text, word in (
            ("C0OUTSIDE", "one", "not_in_channel"),
            ("C0NOWHERE", "one", "channel_not_found"),
            (CHANNEL, "x" * 40_001, "msg_too_long"),
        ):
            with pytest.raises(SlackApiError) as refused:
                await client.chat_postMessage(channel=channel, text=text)
            assert refused.value.response["error"] == word
        double.refusals.append((429, "ratelimited", {"retry-after": "30"}))
        with pytest.raises(SlackApiError) as refused:
            await client.chat_postMessage(channel=CHANNEL, text="one")
        assert (refused.value.response.status_code, refused.value.response.headers["Retry-After"]) == (429, "30")
        other = AsyncWebClient("xoxb-another", base_url=f"{double.url}/api/", ssl=context)
        with pytest.raises(SlackApiError) as refused:
            await other.chat_postMessage(channel=CHANNEL, text="one")
        assert refused.value.response["error"] == "invalid_auth"
