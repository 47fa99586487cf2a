"""Does Alertmanager's API tell silences from inhibition, and choose by them as Alertmanager does?"""

from datetime import timedelta
from typing import Any

from domain.identity.model import Role
from domain.ids import new_id
from tests.api import Api
from tests.integration.correlation.test_inhibition import a_rule, fires


async def listed(api: Api, key: dict[str, str], query: str = "") -> dict[str, Any]:
    """The status of each alert, by its name."""
    answer = await api.http.get(f"/api/v2/alerts{query}", headers=key)
    assert answer.status_code == 200
    return {one["labels"]["alertname"]: one for one in answer.json()}


async def test_each_mark_stands_where_alertmanager_has_it(api: Api) -> None:
    admin = await api.person(Role.ADMIN)
    made = await api.change(
        "createIntegration", {"name": f"P {new_id()}", "source": "PROMETHEUS"}, "key integration { id }", who=admin
    )
    key = {"authorization": f"Bearer {made['key']}"}
    node, far = str(new_id()), str(new_id())
    await a_rule(api, admin, name=f"nodes {node}")
    condition = f'"mute" in alert.labels && alert.labels["mute"] == "{node}"'
    muting = {"name": f"mute {node}", "condition": condition, "effects": {"suppress": "known"}}
    answer = await api.change("createAlertRule", muting, "rule { id }", who=admin)
    assert answer["__typename"] == "CreateAlertRuleSuccess", answer
    silence = {
        "matchers": [{"name": "quiet", "value": node, "isRegex": False, "isEqual": True}],
        "startsAt": api.clock.now().isoformat(),
        "endsAt": (api.clock.now() + timedelta(hours=2)).isoformat(),
        "createdBy": "me",
        "comment": "moving",
    }
    silenced = await api.http.post("/api/v2/silences", json=silence, headers=key)
    assert silenced.status_code == 200, silenced.text
    silence_id = silenced.json()["silenceID"]
    other_parent = await fires(api, admin, "NodeDown", node=far)
    await api.http.post("/api/v2/alerts", json=[{"labels": {"alertname": "NodeDown", "node": node}}], headers=key)
    alerts = [
        {"labels": {"alertname": "Inhibited", "node": node}},
        {"labels": {"alertname": "Both", "node": node, "quiet": node}},
        {"labels": {"alertname": "Silenced", "node": "up", "quiet": node}},
        {"labels": {"alertname": "Muted", "node": "up", "mute": node}},
        {"labels": {"alertname": "Far", "node": far}},
        {"labels": {"alertname": "Open", "node": "up"}},
    ]
    assert (await api.http.post("/api/v2/alerts", json=alerts, headers=key)).status_code == 200
    found = await listed(api, key)
    parent = found["NodeDown"]["fingerprint"]
    marks = {
        name: (one["status"]["state"], one["status"]["silencedBy"], one["status"]["inhibitedBy"])
        for name, one in found.items()
    }
    assert marks == {
        "NodeDown": ("active", [], []),
        "Inhibited": ("suppressed", [], [parent]),
        "Both": ("suppressed", [silence_id], [parent]),
        "Silenced": ("suppressed", [silence_id], []),
        "Muted": ("suppressed", [], []),
        # Of another integration: no more than that it is another alert.
        "Far": ("suppressed", [], [other_parent]),
        "Open": ("active", [], []),
    }
    assert set(await listed(api, key, "?silenced=false")) == {"NodeDown", "Inhibited", "Far", "Open"}
    assert set(await listed(api, key, "?inhibited=false")) == {"NodeDown", "Silenced", "Muted", "Open"}
    assert set(await listed(api, key, "?silenced=false&inhibited=false")) == {"NodeDown", "Open"}
    assert set(await listed(api, key, "?active=false")) == {"Inhibited", "Both", "Silenced", "Muted", "Far"}
