"""Does Microsoft's own reader of Adaptive Cards take ours as they are? For all that is told, whatever is in it."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from domain.alerts.model import Severity
from domain.channels.templates import sample
from domain.escalations.message import Told
from domain.escalations.model import NotificationKind
from domain.ids import new_id
from jobs.channels.contract import Item
from jobs.channels.teams import teams
from tests.services.node import ROOT, node_path, npm_project, printed_by

NOW = datetime(2026, 11, 26, 3, 4, tzinfo=UTC)
PAGE = sample(NotificationKind.PAGE, NOW)


def card(*told: Told, text: str | None = None) -> dict[str, Any]:
    items = [Item(id=new_id(), told=one, created_at=NOW, text=text) for one in told]
    (request,) = teams({"url": "https://teams.test/"}, items, now=NOW)
    (attachment,) = json.loads(request.body)["attachments"]
    content: dict[str, Any] = attachment["content"]
    return content


def test_microsofts_own_reader_takes_every_card(tmp_path: Path) -> None:
    odd = replace(PAGE, title="\x07[x](y) <b>" * 40, description="支払い\n" * 300, service_name=None, why="")
    cards = [
        card(PAGE),
        card(sample(NotificationKind.RESOLVED, NOW)),
        card(replace(PAGE, severity=Severity.LOW, is_drill=True, title="DRILL: Web on call")),
        card(odd),
        card(PAGE, odd, *[replace(PAGE, severity=one) for one in Severity], *[odd] * 30),
        card(PAGE, text="*mine* {{DATE(x)}}"),
        {**card(PAGE), "body": [{"type": "TextBlok", "text": "no such thing"}]},
    ]
    folder = npm_project(ROOT / "tests" / "cards", tmp_path / "cards")
    *ours, wrong = json.loads(printed_by([node_path(), "read.js"], given=json.dumps(cards), folder=folder, seconds=120))
    assert [one["problems"] for one in ours] == [[]] * 6
    assert [one["items"] for one in ours] == [len(one["body"]) for one in cards[:-1]]
    assert wrong["problems"], "the reader would say so"
