"""Do the receivers that docs/channels.md shows take what is ours, and nothing else? In Python and in JavaScript."""

import json
import sys
import time
from datetime import UTC, datetime
from uuid import UUID

import pytest

from domain.channels.templates import sample
from domain.escalations.model import NotificationKind
from jobs.channels.contract import Item
from jobs.channels.webhook import webhook
from tests.docs.pages import ROOT, blocks
from tests.services.node import node_path, printed_by

SECRET = "a-secret-of-sixteen"
PAGE = ROOT / "docs" / "channels.md"
CALL = {
    "python": "import json, sys\nprint(json.dumps([is_ours(s, h, b.encode()) for s, h, b in json.load(sys.stdin)]))",
    "javascript": 'console.log(JSON.stringify(JSON.parse(require("fs").readFileSync(0, "utf8"))'
    ".map(([s, h, b]) => isOurs(s, h, Buffer.from(b)))));",
}


def signed(at: datetime) -> tuple[str, str]:
    """A post of ours: its header and its body."""
    told = sample(NotificationKind.PAGE, at)
    item = Item(id=UUID(int=7), told=told, created_at=at, text="Zahlung gestört, 支払い")
    (request,) = webhook({"url": "https://hook.test/", "secret": SECRET}, [item], now=at)
    return request.headers["x-tocsin-signature"], request.body.decode()


@pytest.mark.parametrize("language", ["python", "javascript"])
def test_a_receiver_takes_what_is_ours_alone(language: str) -> None:
    (shown,) = [block.text for block in blocks(PAGE) if block.language == language]
    now = datetime.fromtimestamp(time.time(), UTC)
    header, body = signed(now)
    # An hour from now it is as old as it is strange.
    late, late_body = signed(datetime.fromtimestamp(now.timestamp() - 3_600, UTC))
    cases = [
        (SECRET, header, body),
        ("another-secret-16", header, body),
        (SECRET, header, body + " "),
        (SECRET, header[:-1] + ("0" if header[-1] != "0" else "1"), body),
        (SECRET, late, late_body),
        (SECRET, late.replace(late.partition(",")[0], header.partition(",")[0]), late_body),
        (SECRET, "", body),
        (SECRET, "t=,v1=", body),
        (SECRET, "v1=ä", body),
    ]
    command = [sys.executable, "-c"] if language == "python" else [str(node_path()), "-e"]
    said = printed_by([*command, f"{shown}\n{CALL[language]}"], given=json.dumps(cases))
    assert json.loads(said) == [True] + [False] * 8
