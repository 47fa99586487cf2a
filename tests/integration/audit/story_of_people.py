"""What do people do with teams, shifts and accounts? Each mutation of it once, with success."""

from datetime import timedelta

from domain.identity.model import Role
from tests.accounts import GOOD, OTHER, Mailboxes
from tests.api import Person
from tests.integration.audit.watched_api import WatchedApi, do
from tests.second_factors import member

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


async def privacy(api: WatchedApi, admin: Person) -> None:
    """What somebody takes along, and what is forgotten."""
    one, other = await member(api, Role.VIEWER), await member(api, Role.VIEWER)
    await do(api, one, "exportMyData")
    await do(api, one, "eraseMe", confirmEmail=one.email)
    await do(api, admin, "eraseUser", userId=str(other.id), confirmEmail=other.email)
