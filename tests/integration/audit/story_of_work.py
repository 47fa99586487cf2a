"""What do people do with alerts, and with all that alerts go through? Each mutation of it once, with success."""

from datetime import timedelta
from typing import Any

from tests.api import Person
from tests.integration.audit.watched_api import WatchedApi, do


async def alerts(api: WatchedApi, admin: Person) -> None:
    """An alert's life, alone and among others."""
    team = await do(api, admin, "createTeam", "team { id }", name="Shop")
    ids = []
    for number in range(3):
        made = await do(api, admin, "createAlert", "alert { id }", title=f"disk {number}", severity="HIGH")
        ids.append(made["alert"]["id"])
    first = {"id": ids[0]}
    await do(api, admin, "updateAlert", **first, title="disk full")
    await do(api, admin, "acknowledgeAlert", **first)
    await do(api, admin, "investigateAlert", **first)
    await do(api, admin, "assignAlert", **first, assigneeId=str(admin.id))
    await do(api, admin, "moveAlert", **first, teamId=team["team"]["id"])
    await do(api, admin, "commentOnAlert", **first, text="looking")
    await do(api, admin, "snoozeAlert", **first, until=(api.clock.now() + timedelta(hours=1)).isoformat())
    await do(api, admin, "wakeAlert", **first)
    await do(api, admin, "resolveAlert", **first, reason="swept")
    await do(api, admin, "reopenAlert", **first)
    await do(api, admin, "acknowledgeAlerts", ids=ids[1:])
    await do(api, admin, "assignAlerts", ids=ids, assigneeId=None)
    await do(api, admin, "moveAlerts", ids=ids, teamId=None)
    await do(api, admin, "resolveAlerts", ids=ids)


async def integrations_and_documents(api: WatchedApi, admin: Person) -> None:
    """Keys of tools, and trusted texts."""
    made = await do(api, admin, "createIntegration", "key integration { id }", name="Tool", source="GENERIC")
    it = {"id": made["integration"]["id"]}
    await do(api, admin, "updateIntegration", **it, name="Another tool")
    await do(api, admin, "rotateIntegrationKey", "key", **it)
    keys = await api.data("{ integrations { id keys { id } } }", who=admin)
    key = next(one for one in keys["integrations"] if one["id"] == it["id"])["keys"][-1]["id"]
    await do(api, admin, "revokeIntegrationKey", **it, keyId=key)
    await do(api, admin, "archiveIntegration", **it)
    texts = [{"body": "query Me { me { id } }"}]
    document = await do(api, admin, "registerDocuments", "documents { document { id } }", documents=texts)
    await do(api, admin, "removeDocument", id=document["documents"][0]["document"]["id"])


async def thresholds_and_heartbeats(api: WatchedApi, admin: Person) -> None:
    """What Tocsin raises by itself."""
    condition = {"measure": "COUNT", "window": "PT5M", "raiseAt": 5}
    span = {"since": (api.clock.now() - timedelta(hours=1)).isoformat(), "until": api.clock.now().isoformat()}
    await do(api, admin, "previewThresholdRule", condition=condition, **span)
    alert = {"title": "Many", "severity": "HIGH"}
    made = await do(api, admin, "createThresholdRule", "rule { id }", name="Many", condition=condition, alert=alert)
    await do(api, admin, "updateThresholdRule", id=made["rule"]["id"], isEnabled=False)
    await do(api, admin, "archiveThresholdRule", id=made["rule"]["id"])
    made = await do(api, admin, "createHeartbeat", "key url heartbeat { id }", name="Backup", interval="PT1H")
    job = {"id": made["heartbeat"]["id"]}
    await do(api, admin, "updateHeartbeat", **job, interval="PT2H")
    await do(api, admin, "rotateHeartbeatKey", "key url", **job)
    await do(api, admin, "pauseHeartbeat", **job)
    await do(api, admin, "resumeHeartbeat", **job)
    await do(api, admin, "archiveHeartbeat", **job)


async def channels(api: WatchedApi, admin: Person) -> None:
    """Where alerts are told of."""
    address = [{"name": "routingKey", "value": "R0uting0" * 4}]
    api.hidden.add(address[0]["value"])
    made = await do(api, admin, "createChannel", "channel { id }", name="Pager", kind="PAGERDUTY", values=address)
    channel = {"id": made["channel"]["id"]}
    await do(api, admin, "updateChannel", **channel, name="Another pager")
    await do(api, admin, "testChannel", **channel)
    await do(api, admin, "setMessageTemplate", channelId=made["channel"]["id"], kind="PAGE", source="{{ alert.title }}")
    await do(api, admin, "setPersonMessageTemplate", medium="SMS", kind="PAGE", source="{{ alert.title }}")
    await do(api, admin, "archiveChannel", **channel)


async def alert_rules(api: WatchedApi, admin: Person) -> None:
    """What alerts go through when they arrive."""
    made = await do(api, admin, "createAlertRule", "rule { id }", name="Quiet", condition="true")
    other = await do(api, admin, "createAlertRule", "rule { id }", name="Loud", condition="false")
    rule = {"id": made["rule"]["id"]}
    await do(api, admin, "updateAlertRule", **rule, mode="MONITOR")
    await do(api, admin, "reorderAlertRules", ids=[other["rule"]["id"], rule["id"]])
    since = (api.clock.now() - timedelta(hours=1)).isoformat()
    await do(api, admin, "testAlertRule", since=since, condition="true", effects={"severity": "LOW"})
    await do(api, admin, "deleteAlertRule", **rule)


async def groups(api: WatchedApi, admin: Person) -> None:
    """Which alerts are one problem, and what is done with them as one."""
    made = await do(
        api, admin, "createGroupRule", "groupRule { id }", name="By rack", strategy="LABELS", labels=["rack"]
    )
    rule = {"id": made["groupRule"]["id"]}
    await do(api, admin, "updateGroupRule", **rule, rank=7)
    since = (api.clock.now() - timedelta(hours=1)).isoformat()
    await do(api, admin, "testGroupRule", since=since, strategy="LABELS", labels=["rack"])
    made = await do(api, admin, "createService", "service { id }", name="racks")
    await do(api, admin, "updateService", id=made["service"]["id"], description="All of them.")
    await do(api, admin, "archiveService", id=made["service"]["id"])
    found: list[Any] = []
    for rack in ("a", "a", "a", "b"):
        shown = "alert { id group { id } }"
        alert = await do(
            api, admin, "createAlert", shown, title=f"Rack {len(found)}", severity="LOW", labels={"rack": rack}
        )
        found.append(alert["alert"])
    one, other = found[0]["group"]["id"], found[3]["group"]["id"]
    await do(api, admin, "updateAlertGroup", id=one, title="The racks")
    await do(api, admin, "removeAlertFromGroup", alertId=found[0]["id"])
    await do(api, admin, "moveAlertToGroup", alertId=found[0]["id"], groupId=one)
    await do(api, admin, "splitAlertGroup", id=one, alertIds=[found[1]["id"]])
    await do(api, admin, "mergeAlertGroups", id=one, mergedIds=[other])
    await do(api, admin, "acknowledgeAlertGroup", id=one)
    await do(api, admin, "resolveAlertGroup", id=one)
    await do(api, admin, "archiveGroupRule", **rule)
    kinds = {"sourceMatchers": 'alertname="RackDown"', "targetMatchers": 'alertname="DiskFull"'}
    made = await do(api, admin, "createInhibitionRule", "inhibitionRule { id }", name="Racks", **kinds)
    inhibition = {"id": made["inhibitionRule"]["id"]}
    await do(api, admin, "updateInhibitionRule", **inhibition, equal=["rack"])
    await do(api, admin, "archiveInhibitionRule", **inhibition)


async def silences(api: WatchedApi, admin: Person) -> None:
    """What wakes nobody."""
    what: dict[str, Any] = {"matchers": [{"name": "alertname", "value": "DiskFull"}], "comment": "moving disks"}
    what["endsAt"] = (api.clock.now() + timedelta(hours=1)).isoformat()
    made = await do(api, admin, "createSilence", "silence { id }", **what)
    silence = {"id": made["silence"]["id"]}
    await do(api, admin, "updateSilence", **silence, comment="moving more disks")
    await do(api, admin, "expireSilence", **silence)
    window = {**what, "name": "Patches", "timeZone": "UTC", "startsAt": "2026-01-05T02:30", "duration": "PT1H"}
    del window["endsAt"]
    made = await do(
        api, admin, "createMaintenanceWindow", "window { id }", window={**window, "recurrence": "FREQ=WEEKLY"}
    )
    await do(api, admin, "updateMaintenanceWindow", id=made["window"]["id"], name="More patches")
    await do(api, admin, "archiveMaintenanceWindow", id=made["window"]["id"])
