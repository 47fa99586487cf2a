"""What does a client see of an alert that flaps, or is held for a pause? Over the webhook and GraphQL (A8)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.api import Api, Person, api_settings, running_api

SHOWN = """query($filter: AlertFilter) { alerts(filter: $filter, first: 5) { nodes {
  title isFlapping flappingSince flappingUntil flappingTurns pausedUntil timeline(first: 50) { nodes { kind } }
  decisions { __typename ... on Explanation { reason } ... on FlappingDecision { turns window start stop }
              ... on PauseDecision { until length recovered episodes } } } } }"""


@pytest.fixture
async def api(application_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    more = {"pause": timedelta(minutes=2), "pause_recoveries": 2, "pause_episodes": 3}
    async with running_api(api_settings(application_url, tmp_path, **more)) as opened:
        yield opened


async def post(api: Api, manager: Person, *statuses: str) -> None:
    made = await api.change("createIntegration", {"name": "Checks", "source": "GENERIC"}, "key", who=manager)
    for status in statuses:
        body = {"title": "Up and down", "dedup_key": "d", "status": status, "severity": "high"}
        answer = await api.http.post("/webhooks/generic", json=body, headers={"authorization": f"Bearer {made['key']}"})
        assert answer.status_code == 202, answer.text


async def shown(api: Api, who: Person, **wanted: object) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await api.data(SHOWN, {"filter": wanted}, who=who))["alerts"]["nodes"]
    return found


async def test_the_mark_its_reason_and_its_filter(api: Api, manager: Person) -> None:
    await post(api, manager, *["firing", "resolved"] * 4)

    (alert,) = await shown(api, manager, flapping=True)

    assert (alert["isFlapping"], alert["flappingTurns"]) == (True, 8)
    assert alert["flappingSince"] < alert["flappingUntil"]
    kinds = [event["kind"] for event in alert["timeline"]["nodes"]]
    assert kinds.count("FLAPPING_STARTED") == 1
    (decision,) = [one for one in alert["decisions"] if one["__typename"] == "FlappingDecision"]
    assert decision == {
        "__typename": "FlappingDecision",
        "reason": "it turned 6 times within 30 min; 6 turns begin the mark",
        "turns": 6,
        "window": "PT30M",
        "start": 6,
        "stop": 2,
    }
    assert await shown(api, manager, flapping=False) == []


async def test_a_pause_is_shown_with_its_evidence(api: Api, manager: Person) -> None:
    await post(api, manager, *["firing", "resolved"] * 2, "firing")

    (alert,) = await shown(api, manager)

    assert alert["pausedUntil"] is not None
    (decision,) = [one for one in alert["decisions"] if one["__typename"] == "PauseDecision"]
    assert (decision["length"], decision["recovered"], decision["episodes"]) == ("PT2M", 2, 2)
    assert decision["until"] == alert["pausedUntil"]
    assert decision["reason"] == "held for 2 min: it ended by itself within that in 2 of its last 2 episodes"
