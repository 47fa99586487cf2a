"""Does every mutation leave its entry: for what it did, and for a refusal; and never a secret in one?

One story calls each mutation of the schema with success. A mutation that is added fails the last test until it has a
place in the story, or a reason.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from domain.identity.model import Role
from graphql_api.needs import Access
from graphql_api.permissions import ROOT_FIELDS
from persistence.tables import audit_log
from tests.accounts import GOOD, OTHER, Mailboxes
from tests.api import PASSWORD, Api, Person, api_settings, running_api
from tests.authenticator import ORIGIN
from tests.schema_operations import operation
from tests.second_factors import Member, member

# What leaves no entry of its own, and why.
WITHOUT = {
    "previewSignal": "reads alone",
    "previewSchedule": "reads alone",
    "previewCalendarImport": "reads alone",
    "previewThresholdRule": "reads alone",
    "previewSilence": "reads alone",
    "previewTemplate": "reads alone",
    "previewPersonMessage": "reads alone",
    "testAlertRule": "reads alone",
    "testGroupRule": "reads alone",
    "previewMaintenanceWindow": "reads alone",
    "beginPasskeySignIn": "hands out a challenge: what is done with it is on the log",
    "beginPasskeyRegistration": "hands out a challenge: what is done with it is on the log",
    "beginPasskeyStepUp": "hands out a challenge: what is done with it is on the log",
    "refreshSession": "within ten seconds the same token gives the same successor, and changes nothing",
}
# What needs a counterpart that this story does not have; the test that shows its entry.
ELSEWHERE = {
    "completeFederatedSignIn": "tests/integration/identity/test_federation.py",
    "linkIdentity": "tests/integration/identity/test_federation.py",
    "unlinkIdentity": "tests/integration/identity/test_federation.py",
    "deleteAttachment": "tests/integration/alerts/test_attachments_http.py",
    "replayRejectedItems": "tests/integration/test_receipts.py",
}
# A sign-in is one thing, by however many steps it is come to.
NAMED = {"completeLogin": "login", "finishPasskeySignIn": "login"}
SECRET_KEYS = {
    "password", "newPassword", "currentPassword", "token", "accessToken", "refreshToken", "deviceToken", "key",
    "secret", "totpCode", "code", "recoveryCode", "recoveryCodes", "challenge", "otpauthUri", "hmacSecret",
}  # fmt: skip
PERSONAL_KEYS = {"email", "confirmEmail", "firstName", "lastName"}
LEAST = 4


@dataclass
class WatchedApi(Api):
    """An API whose every mutation is looked for on the log."""

    shown: dict[str, str] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)

    async def change(self, field: str, what: dict[str, Any], shown: str, *, who: Person | str | None) -> dict[str, Any]:
        """As the real one; a success must be on the log."""
        before = await self.newest()
        answer = await super().change(field, what, shown, who=who)
        self.hidden |= set(_hidden_in(what)) | set(_hidden_in(answer))
        if answer["__typename"].endswith("Success") and field not in WITHOUT:
            entries = await self.since(before)
            mine = [entry for entry in entries if entry.action == NAMED.get(field, field)]
            assert mine, f"{field} succeeded and left no entry; there are {[entry.action for entry in entries]}"
            assert all(entry.outcome == "done" and entry.request_id for entry in mine), mine
            assert who is None or all(entry.actor_id for entry in mine), mine
            self.shown[field] = "done"
        return answer

    async def newest(self) -> int:
        """The last entry's number."""
        async with self.engine.connect() as connection:
            return await connection.scalar(sa.select(sa.func.coalesce(sa.func.max(audit_log.c.seq), 0))) or 0

    async def since(self, number: int) -> list[Any]:
        """The entries after it."""
        async with self.engine.connect() as connection:
            statement = sa.select(audit_log).where(audit_log.c.seq > number).order_by(audit_log.c.seq)
            return list(await connection.execute(statement))


def _hidden_in(value: object, key: str = "") -> list[str]:
    """Every secret and every name or address in an input or an answer."""
    if isinstance(value, dict):
        return [found for name, one in value.items() for found in _hidden_in(one, name)]
    if isinstance(value, list):
        return [found for one in value for found in _hidden_in(one, key)]
    is_hidden = key in SECRET_KEYS | PERSONAL_KEYS and isinstance(value, str) and len(value) >= LEAST
    return [str(value)] if is_hidden and not str(value).isupper() else []


@pytest.fixture
async def api(application_url: str, tmp_path: Path) -> AsyncIterator[WatchedApi]:
    settings = api_settings(application_url, tmp_path, open_registration=True, public_url=ORIGIN)
    async with running_api(settings) as opened:
        yield WatchedApi(**vars(opened))


async def do(api: Api, who: Person | Member | str | None, mutation: str, shown: str = "__typename", **what: Any) -> Any:  # noqa: ANN401
    """One mutation that must succeed; what it shows."""
    token = who.token if isinstance(who, Person | Member) else who
    answer = await api.change(mutation, what, shown, who=token)
    assert answer["__typename"].endswith("Success"), (mutation, answer)
    return answer


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


CALENDAR = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:test
BEGIN:VEVENT
UID:one
DTSTART:{starts:%Y%m%dT%H%M%SZ}
DTEND:{ends:%Y%m%dT%H%M%SZ}
END:VEVENT
END:VCALENDAR
"""


async def shifts(api: WatchedApi, admin: Person) -> None:
    """Who takes over from whom, and where people look it up."""
    other = await api.person(Role.OPERATOR)
    layer = {"participantIds": [str(admin.id)], "startsAt": "2026-01-05T09:00", "unit": "WEEK"}
    made = await do(api, admin, "createSchedule", "schedule { id }", name="Days", timeZone="UTC", layers=[layer])
    schedule = made["schedule"]["id"]
    starts, ends = api.clock.now() + timedelta(hours=1), api.clock.now() + timedelta(hours=2)
    given = {"scheduleId": schedule, "startsAt": starts.isoformat(), "endsAt": ends.isoformat()}
    for mutation, who in (("acceptShiftSwap", other), ("declineShiftSwap", other), ("withdrawShiftSwap", admin)):
        asked = await do(api, admin, "requestShiftSwap", "swap { id }", **given, colleagueId=str(other.id))
        await do(api, who, mutation, id=asked["swap"]["id"])
        given = {**given, "startsAt": ends.isoformat(), "endsAt": (ends + timedelta(hours=1)).isoformat()}
    calendar = {
        "scheduleId": schedule, "meaning": "ON_CALL",
        "calendar": CALENDAR.format(starts=starts, ends=ends).replace("\n", "\r\n"),
    }  # fmt: skip
    shown = await do(api, admin, "previewCalendarImport", "fingerprint", **calendar)
    await do(api, admin, "importCalendar", **calendar, fingerprint=shown["fingerprint"])
    followed = {"scheduleId": schedule, "url": "https://calendar.example/secret.ics", "meaning": "ON_CALL"}
    calendar_id = (await do(api, admin, "followCalendar", "calendarId", **followed))["calendarId"]
    await do(api, admin, "unfollowCalendar", id=calendar_id)
    feed = (await do(api, admin, "createCalendarFeed", "url feed { id }", scheduleId=schedule))["feed"]["id"]
    await do(api, admin, "rotateCalendarFeed", "url", id=feed)
    await do(api, admin, "revokeCalendarFeed", id=feed)


async def teams_and_schedules(api: WatchedApi, admin: Person) -> None:
    """Who belongs where, and who is called when."""
    other = await api.person(Role.OPERATOR)
    team = (await do(api, admin, "createTeam", "team { id }", name="Night"))["team"]["id"]
    to_team = (await do(api, admin, "createTeam", "team { id }", name="Day"))["team"]["id"]
    await do(api, admin, "updateTeam", id=team, description="They are awake")
    await do(api, admin, "addTeamMember", teamId=team, userId=str(other.id), role="VIEWER")
    await do(api, admin, "changeTeamRole", teamId=team, userId=str(other.id), role="MANAGER")
    await do(api, admin, "setTeamOwnership", teamId=team, ownership=[{"service": "shop"}])
    layer = {"participantIds": [str(other.id)], "startsAt": "2026-01-05T09:00", "unit": "WEEK"}
    made = await do(
        api, admin, "createSchedule", "schedule { id }", name="Nights", timeZone="Europe/Berlin", layers=[layer]
    )
    schedule = made["schedule"]["id"]
    await do(api, admin, "updateSchedule", id=schedule, description="at night")
    starts, ends = api.clock.now() + timedelta(hours=1), api.clock.now() + timedelta(hours=2)
    override = await do(
        api, admin, "createScheduleOverride", "overrideId", scheduleId=schedule, userId=str(admin.id),
        startsAt=starts.isoformat(), endsAt=ends.isoformat(),
    )  # fmt: skip
    await do(api, admin, "removeScheduleOverride", id=override["overrideId"])
    steps = [{"delay": "PT0S", "targets": [{"kind": "USER", "id": str(other.id)}]}]
    policy = (await do(api, admin, "createEscalationPolicy", "policy { id }", name="Page", steps=steps))["policy"]["id"]
    await do(api, admin, "updateEscalationPolicy", id=policy, name="Page them")
    rule = await do(
        api, admin, "createRoutingRule", "rule { id }", name="Tell", condition="true", targets=steps[0]["targets"]
    )
    rule_id = rule["rule"]["id"]
    await do(api, admin, "updateRoutingRule", id=rule_id, name="Tell them")
    more = await do(
        api, admin, "createRoutingRule", "rule { id }", name="More", condition="true", targets=steps[0]["targets"]
    )
    await do(api, admin, "reorderRoutingRules", ids=[more["rule"]["id"], rule_id])
    await do(api, admin, "archiveRoutingRule", id=rule_id)
    quiet = {"starts": "22:00:00", "ends": "07:00:00", "zone": "Europe/Berlin"}
    await do(api, admin, "setTeamQuietHours", teamId=team, quietHours=quiet)
    for mutation in ("answerDrill", "endDrill"):
        drill = (await do(api, admin, "startDrill", "drill { id }", policyId=policy))["drill"]["id"]
        await do(api, admin, mutation, id=drill)
    await do(api, admin, "archiveEscalationPolicy", id=policy, evenIfItOpensGaps=True)
    await do(api, admin, "archiveSchedule", id=schedule)
    await do(api, admin, "removeTeamMember", teamId=team, userId=str(other.id))
    await do(api, admin, "handOverTeam", teamId=team, toTeamId=to_team)
    await do(api, admin, "archiveTeam", id=team)


async def contact_methods(api: WatchedApi, admin: Person) -> None:
    """What reaches a person."""
    mail = Mailboxes(api)
    shown = "contactMethod { id version }"
    made = await do(api, admin, "addContactMethod", shown, kind="EMAIL", address="night@example.org", label="At home")
    it = {"id": made["contactMethod"]["id"]}
    code = next(one for one in await mail.new() if one.to == "night@example.org").text[:6]
    await do(api, admin, "verifyContactMethod", **it, code=code)
    await do(api, admin, "updateContactMethod", **it, label="Upstairs")
    await do(api, admin, "testNotification", contactMethodId=it["id"])
    steps = [{"contactMethodId": it["id"], "delay": "PT0S"}]
    await do(api, admin, "setNotificationRules", rules=[{"severities": ["LOW"], "steps": steps}])
    quiet = {"starts": "22:00", "ends": "07:00", "zone": "Europe/Berlin"}
    await do(api, admin, "setQuietHours", quietHours=quiet)
    api.clock.ahead += timedelta(minutes=2)
    await do(api, admin, "sendContactVerification", **it)
    await do(api, admin, "removeContactMethod", **it)


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


async def keys(api: WatchedApi, admin: Person) -> None:
    """Service accounts and their keys."""
    made = await do(api, admin, "createServiceAccount", "serviceAccount { id }", name="Robot", role="OPERATOR")
    account = made["serviceAccount"]["id"]
    await do(api, admin, "updateServiceAccount", id=account, name="Machine")
    shown = "key apiKey { id }"
    key = await do(api, admin, "createApiKey", shown, serviceAccountId=account, name="one", scopes=["ALERTS_READ"])
    await do(api, admin, "rotateApiKey", shown, id=key["apiKey"]["id"])
    own = await do(api, admin, "createMyApiKey", shown, name="mine", scopes=["ALERTS_READ"])
    await do(api, admin, "revokeApiKey", id=own["apiKey"]["id"])
    await do(api, admin, "archiveServiceAccount", id=account)


async def people(api: WatchedApi, admin: Person) -> None:
    """Administration, invitations and mailed links."""
    mail = Mailboxes(api)
    made = await do(
        api, admin, "createUser", "user { id }", email="grace@example.org", password=GOOD, role="VIEWER",
        firstName="Grace", lastName="Hopper",
    )  # fmt: skip
    person = {"id": made["user"]["id"]}
    await do(api, None, "login", email="grace@example.org", password=GOOD)
    await do(api, admin, "revokeUserSessions", userId=person["id"])
    await do(api, admin, "updateUser", **person, firstName="Grace Brewster")
    await do(api, admin, "changeUserRole", **person, role="OPERATOR")
    await do(api, admin, "deactivateUser", **person)
    await do(api, admin, "reactivateUser", **person)
    invited = await do(
        api, admin, "inviteUser", "invitation { id }", email="gone@example.org", role="VIEWER", firstName="Nobody"
    )
    await do(api, admin, "revokeInvitation", id=invited["invitation"]["id"])
    await mail.new()
    await do(api, admin, "inviteUser", email="joan@example.org", role="VIEWER", firstName="Joan", lastName="Clarke")
    await do(api, None, "acceptInvitation", "email", token=await mail.token(), password=GOOD)
    await mail.new()
    await do(api, None, "requestPasswordReset", email="joan@example.org")
    await do(api, None, "resetPassword", "email", token=await mail.token(), password=OTHER)
    await mail.new()
    signed_in = await do(api, None, "login", "accessToken refreshToken", email="joan@example.org", password=OTHER)
    joan = signed_in["accessToken"]
    await do(api, joan, "updateMe", lastName="Murray")
    await do(api, joan, "requestAddressChange", email="joan@example.net", password=OTHER)
    asked = next(one for one in await mail.new() if "#token=" in one.text)
    await do(api, None, "confirmAddressChange", "email", token=asked.text.split("#token=")[1].split()[0])
    await do(api, joan, "changePassword", currentPassword=OTHER, newPassword=GOOD)
    await do(api, None, "login", email="joan@example.net", password=GOOD)
    await do(api, joan, "revokeOtherSessions")
    await mail.new()
    await do(api, None, "register", email="ada@example.org", password=GOOD, firstName="Augusta", lastName="Lovelace")
    await do(api, None, "resendVerification", email="ada@example.org")
    token = next(one for one in reversed(await mail.new()) if "#token=" in one.text).text
    await do(api, None, "verifyAddress", "email", token=token.split("#token=")[1].split()[0], password=GOOD)


async def second_factors(api: WatchedApi, admin: Person) -> None:
    """Proofs besides the password."""
    one = await member(api, Role.OPERATOR)
    await one.enrol_app()
    one.next_step()
    answer = await one.login()
    one.keep(
        await do(
            api, None, "completeLogin", "accessToken refreshToken", challenge=answer["challenge"], totpCode=one.code()
        )
    )
    one.next_step()
    await do(api, one, "stepUp", totpCode=one.code())
    await do(api, one, "regenerateRecoveryCodes", "recoveryCodes")
    device = await one.enrol_passkey()
    await one.sign_in_by_passkey(device)
    passkeys = await api.data("{ mySecondFactors { passkeys { id } } }", who=one.token)
    passkey = {"id": passkeys["mySecondFactors"]["passkeys"][0]["id"]}
    await do(api, one, "renamePasskey", **passkey, name="Desk")
    await do(api, one, "removePasskey", **passkey)
    await do(api, one, "disableTotp")
    await do(api, admin, "resetUserFactors", userId=str(one.id))
    await one.login()
    again = await one.login()
    sessions = await api.data("{ sessions { nodes { id isCurrent } } }", who=again["accessToken"])
    other = next(session["id"] for session in sessions["sessions"]["nodes"] if not session["isCurrent"])
    await do(api, again["accessToken"], "revokeSession", id=other)
    await do(api, again["accessToken"], "logout")


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


async def privacy(api: WatchedApi, admin: Person) -> None:
    """What somebody takes along, and what is forgotten."""
    one, other = await member(api, Role.VIEWER), await member(api, Role.VIEWER)
    await do(api, one, "exportMyData")
    await do(api, one, "eraseMe", confirmEmail=one.email)
    await do(api, admin, "eraseUser", userId=str(other.id), confirmEmail=other.email)


STORY = (
    alerts,
    integrations_and_documents,
    teams_and_schedules,
    shifts,
    thresholds_and_heartbeats,
    contact_methods,
    keys,
    people,
    second_factors,
    channels,
    alert_rules,
    groups,
    silences,
    privacy,
)


async def test_every_mutation_that_succeeds_is_on_the_log_without_a_secret(api: WatchedApi) -> None:
    admin = await api.person(Role.ADMIN)
    for chapter in STORY:
        await chapter(api, admin)
    missing = set(ROOT_FIELDS["Mutation"]) - api.shown.keys() - WITHOUT.keys() - ELSEWHERE.keys()
    assert missing == set(), "tell of them in the story, or why they leave no entry"

    entries = await api.since(0)
    told = json.dumps([[entry.before, entry.after] for entry in entries], default=str, ensure_ascii=False)
    assert {secret for secret in api.hidden | {PASSWORD} if secret in told} == set()


@pytest.mark.parametrize("mutation", sorted(ELSEWHERE))
def test_what_is_shown_elsewhere_is_shown_there(mutation: str) -> None:
    text = (Path(__file__).resolve().parents[3] / ELSEWHERE[mutation]).read_text()
    assert "audit_log" in text
    assert f'"{mutation}"' in text or f"'{mutation}'" in text or f" {mutation}(" in text


async def test_every_refused_mutation_is_on_the_log(api: WatchedApi) -> None:
    viewer = await api.person(Role.VIEWER)
    for name, need in ROOT_FIELDS["Mutation"].items():
        if need.access in (Access.ANYONE, Access.VIEWER):
            continue
        before = await api.newest()
        text, variables = operation("Mutation", name)
        answer = await api.ask(text, variables, who=viewer)
        assert answer["data"][name]["__typename"] == "Forbidden", (name, answer)
        (entry,) = await api.since(before)
        assert (entry.action, entry.outcome, entry.actor_id) == (name, "refused", viewer.id)
        assert (entry.session_id, entry.before, entry.after) == (viewer.session_id, None, None)


async def test_sign_ins_are_on_the_log_good_or_not(api: WatchedApi) -> None:
    one = await member(api, Role.OPERATOR)
    before = await api.newest()
    for _ in range(8):
        await one.login(password="wrong horse battery")
    entries = [entry for entry in await api.since(before) if entry.action == "login"]
    assert {entry.outcome for entry in entries} == {"failed", "refused"}
    failed = [entry for entry in entries if entry.outcome == "failed"]
    assert all(entry.actor_id == one.id for entry in failed)
    # Guessing on tells nothing new, and must not fill the log.
    assert len([entry for entry in entries if entry.outcome == "refused"]) == 1
