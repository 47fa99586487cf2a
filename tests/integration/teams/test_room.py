"""Does what one team makes leave room for what others and everybody make: rules, windows, silences, heartbeats?"""

from dataclasses import replace
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest

from domain.heartbeats import actions as heartbeats
from domain.maintenance import actions as windows
from domain.rules import actions as alert_rules
from domain.silences import changing as silences
from domain.thresholds import actions as threshold_rules
from tests.api import Api, Person

COUNT = {"measure": "COUNT", "window": "PT5M", "raiseAt": 5, "clearAt": 3}
MATCHERS = [{"name": "host", "value": "db-1"}]
KINDS: dict[str, tuple[ModuleType, str, dict[str, Any]]] = {
    "alert-rules": (alert_rules, "createAlertRule", {"condition": "true"}),
    "threshold-rules": (
        threshold_rules,
        "createThresholdRule",
        {"condition": COUNT, "alert": {"title": "Many", "severity": "HIGH"}},
    ),
    "heartbeats": (heartbeats, "createHeartbeat", {"interval": "P1D", "severity": "HIGH"}),
    "windows": (windows, "createMaintenanceWindow", {}),
    "silences": (silences, "createSilence", {}),
}


async def make(api: Api, who: Person, kind: str, number: int, team_id: str | None) -> dict[str, Any]:
    """One more of a team, or of none."""
    _, field, more = KINDS[kind]
    what: dict[str, Any] = {"name": f"Number {number}", "teamId": team_id, **more}
    if kind == "silences":
        ends_at = (api.clock.now() + timedelta(hours=1)).isoformat()
        what = {"teamId": team_id, "comment": "disks", "matchers": MATCHERS, "endsAt": ends_at}
    elif kind == "windows":
        starts_at = (api.clock.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
        when = {"timeZone": "UTC", "startsAt": starts_at, "duration": "PT1H"}
        what = {"window": {**what, **when, "comment": "disks", "matchers": MATCHERS}}
    return await api.change(field, what, "__typename", who=who)


@pytest.mark.parametrize("kind", list(KINDS))
async def test_a_team_has_its_share_and_leaves_the_others_theirs(
    api: Api, admin: Person, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = KINDS[kind][0]
    monkeypatch.setattr(module, "ROOM", replace(module.ROOM, of_all=4, of_team=3))
    first, second = [str((await api.team(name)).id) for name in ("First", "Second")]
    made = [(await make(api, admin, kind, number, first)).get("code") for number in range(4)]
    assert made == [None, None, None, "INVALID_INPUT"]
    full = await make(api, admin, kind, 9, first)
    assert (full["path"], full["message"].startswith("the team has 3 ")) == (["teamId"], True)
    # The others have places of their own: another team some, and what is no team's half of all.
    for team_id in (second, None):
        made = [(await make(api, admin, kind, number, team_id)).get("code") for number in range(2)]
        assert made == [None, None], team_id
    full = await make(api, admin, kind, 9, None)
    assert full["code"] == "INVALID_INPUT"
    assert full["message"].startswith("there are 4 ")
