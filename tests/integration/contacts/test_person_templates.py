"""Do messages to persons say what the alert's team wants said, and can they be answered all the same? (N1, N2)."""

import re
from typing import Any

import sqlalchemy as sa

from domain.alerts.model import Severity
from domain.identity.model import Role
from domain.mail.model import Mail, MailKind
from jobs.paging import page
from persistence.mail import claim_mail
from persistence.tables import outgoing_mail
from tests.api import Api, Person
from tests.integration.contacts.text_night import MINUTE, PUBLIC, REPLY, Night, paged, told, with_phone

TEMPLATE = "template { id medium kind subject source failures problem version team { id } }"
SHOWN = """query($id: ID) { personMessageTemplates(teamId: $id) {
  medium kind subject source failures problem version team { id } } }"""
PREVIEW = "subject text html encoding segments places wasCut blocks problems { field message line column }"


async def set_to(api: Api, who: Person, source: str | None, **more: object) -> dict[str, Any]:
    what = {"medium": "SMS", "kind": "PAGE", "source": source, **more}
    return await api.change("setPersonMessageTemplate", what, TEMPLATE, who=who)


async def shown(api: Api, who: Person, team_id: str | None = None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await api.data(SHOWN, {"id": team_id}, who=who))["personMessageTemplates"]
    return found


async def mails(night: Night) -> list[Mail]:
    """What lies in the outbox, taken."""
    await page(night.engine, night.api.settings, night.now)
    claimed = await claim_mail(night.engine, limit=100, now=night.now + MINUTE)
    async with night.engine.begin() as connection:
        await connection.execute(sa.update(outgoing_mail).values(sent_at=night.now))
    return [one.mail for one in claimed if one.mail.kind is MailKind.NOTIFICATION]


async def test_a_text_message_says_what_the_template_says_and_is_answered(night: Night, ann: Person) -> None:
    manager = await night.api.person(Role.MANAGER)
    await with_phone(night, ann)
    await paged(night, ann)
    assert "template" in await set_to(night.api, manager, "{{ alert.service | upper }}: {{ alert.title }}")
    alert_id = await night.alert()
    await night.tick()
    (sms,) = night.twilio.sent
    assert sms.body.startswith("SHOP: Payments down\nReply A ")
    code = REPLY.search(sms.body)
    assert code is not None
    assert "Acknowledged: Payments down" in await night.reply(f"A {code[1]}")
    assert (await told(night, alert_id, ann))["status"] == "ACKNOWLEDGED"


async def test_the_code_is_whole_however_long_the_template_is(night: Night, ann: Person) -> None:
    manager = await night.api.person(Role.MANAGER)
    await with_phone(night, ann)
    await paged(night, ann)
    await set_to(night.api, manager, "{{ alert.title }} " * 40 + "Antwort: A {{ replyCode }}")
    alert_id = await night.alert(title="支払いが停止しました")
    await night.tick()
    (sms,) = night.twilio.sent
    assert len(sms.body) <= 201
    code = REPLY.search(sms.body)
    assert code is not None
    await night.reply(f"A {code[1]}")
    assert (await told(night, alert_id, ann))["status"] == "ACKNOWLEDGED"


async def test_a_mail_is_of_the_alerts_team_with_a_link_that_answers(night: Night, ann: Person) -> None:
    team = await night.api.team("Shop")
    lead = await night.api.person(Role.MANAGER, teams=(team,))
    manager = await night.api.person(Role.MANAGER)
    await paged(night, ann)
    for_all = {"medium": "MAIL", "subject": "all: {{ alert.title }}"}
    await set_to(night.api, manager, "For everybody.", **for_all)
    mine = {"medium": "MAIL", "subject": "shop: {{ alert.title }}", "teamId": str(team.id)}
    made = await set_to(night.api, lead, "Runbook: {{ alert.labels.runbook }} <b>", **mine)
    assert made["template"]["team"] == {"id": str(team.id)}
    await night.alert()
    (mail,) = await mails(night)
    assert (mail.subject, mail.text.splitlines()[0]) == ("all: Payments down", "For everybody.")
    night.now += 2 * MINUTE
    targets = [{"kind": "USER", "id": str(ann.id)}]
    policy = {"name": "Of the shop", "steps": [{"delay": "PT0S", "targets": targets}], "teamId": str(team.id)}
    answer = await night.api.change("createEscalationPolicy", policy, "policy { id }", who=lead)
    assert answer["__typename"] == "CreateEscalationPolicySuccess", answer
    alert_id = await night.alert(title="Cart down", team_id=team.id)
    await night.move(alert_id, labels={"runbook": "https://runbooks.test/cart"})
    (mail,) = await mails(night)
    assert mail.subject == "shop: Cart down"
    assert mail.text.startswith("Runbook: https://runbooks.test/cart <b>\n\nAcknowledge: ")
    assert mail.html is not None
    assert "Runbook: https://runbooks.test/cart &lt;b&gt;" in mail.html
    link = re.search(rf"{PUBLIC}(/answer\?token=\S+)", mail.text)
    assert link is not None
    assert link[0].replace("&", "&amp;") in mail.html
    assert (await night.api.http.get(link[1])).status_code == 200
    answered = await night.api.http.post(link[1])
    assert answered.status_code == 200
    assert (await told(night, alert_id, ann))["status"] == "ACKNOWLEDGED"


async def test_a_template_that_fails_costs_no_message_and_is_on_the_record(night: Night, ann: Person) -> None:
    manager = await night.api.person(Role.MANAGER)
    await paged(night, ann)
    broken = {"medium": "MAIL", "subject": "{{ alert.labels.at | date }}"}
    await set_to(night.api, manager, "ok\n{{ alert.labels.at | date }}", **broken)
    alert_id = await night.alert(title="Disk full")
    await night.move(alert_id, labels={"at": "yesterday"})
    (mail,) = await mails(night)
    assert mail.subject == "[CRITICAL] Disk full (shop)"
    assert mail.text.startswith("CRITICAL: Disk full\n")
    (found,) = await shown(night.api, manager)
    assert found["failures"] == 1
    assert found["problem"].startswith("subject: line 1: date: ")
    await set_to(night.api, manager, "ok", medium="MAIL", expectedVersion=1)
    (found,) = await shown(night.api, manager)
    assert (found["failures"], found["problem"], found["subject"], found["version"]) == (1, None, None, 2)


async def test_what_is_saved_is_checked_by_field_versioned_and_taken_back(night: Night) -> None:
    api = night.api
    manager = await api.person(Role.MANAGER)
    wrong = await set_to(api, manager, "a\n{{ alert.titel }}")
    assert (wrong["code"], wrong["path"]) == ("INVALID_INPUT", ["source"])
    assert wrong["message"].startswith("line 2, column 9: an alert has no titel")
    wrong = await set_to(api, manager, "fine", medium="MAIL", subject="{{ nothing }}")
    assert (wrong["path"], wrong["message"][:17]) == (["subject"], "line 1, column 4:")
    assert (await set_to(api, manager, "fine", subject="x"))["path"] == ["subject"], "a text message has none"
    assert (await set_to(api, manager, "fine", medium="SLACK", kind="DIGEST"))["path"] == ["kind"]
    assert "template" in await set_to(api, manager, "{{ reply }}", expectedVersion=0)
    assert (await set_to(api, manager, "x", expectedVersion=0))["code"] == "STALE_VERSION"
    assert (await set_to(api, manager, None, expectedVersion=1))["template"] is None
    assert await shown(api, manager) == []
    assert (await set_to(api, manager, None))["code"] == "NOT_FOUND"


async def test_templates_are_for_who_manages_the_team_and_seen_by_who_sees_it(night: Night) -> None:
    """Object and function level authorisation. API1:2023, API5:2023."""
    api = night.api
    secret = await api.team("Secret", is_private=True)
    lead = await api.person(Role.MANAGER, teams=(secret,))
    manager, operator = await api.person(Role.MANAGER), await api.person(Role.OPERATOR, teams=(secret,))
    of_team = {"teamId": str(secret.id)}
    assert (await set_to(api, manager, "x", **of_team))["code"] == "NOT_FOUND"
    assert "template" in await set_to(api, lead, "x", **of_team)
    assert (await set_to(api, operator, "x", **of_team))["code"] == "FORBIDDEN"
    assert (await set_to(api, operator, "x"))["code"] == "FORBIDDEN"
    assert len(await shown(api, operator, str(secret.id))) == 1
    assert await shown(api, manager, str(secret.id)) == []
    assert await shown(api, manager, "none") == []


async def test_a_message_is_tried_on_an_alert_or_a_sample(night: Night) -> None:
    api = night.api
    manager = await api.person(Role.MANAGER)

    async def tried(medium: str, source: str | None = None, **more: object) -> dict[str, Any]:
        what = {"medium": medium, "source": source, **more}
        return await api.change("previewPersonMessage", what, PREVIEW, who=manager)

    sms = await tried("SMS", "{{ alert.title }}: {{ reply }}")
    assert sms["text"] == "Checkout answers slowly: Reply A 0000 to acknowledge, R 0000 to resolve"
    assert (sms["encoding"], sms["segments"], sms["places"], sms["wasCut"]) == ("GSM_7", 1, 71, False)
    sms = await tried("SMS", "支払い" * 100)
    assert (sms["encoding"], sms["segments"], sms["wasCut"]) == ("UCS_2", 3, True)
    assert sms["text"].endswith("\nReply A 0000 to acknowledge, R 0000 to resolve")
    assert (await tried("SMS", "over", kind="RESOLVED"))["text"] == "over"
    assert (await tried("SMS"))["text"].startswith("CRITICAL: Checkout answers slowly (checkout)\n")

    alert_id = await night.alert(title="<i>", severity=Severity.LOW)
    mail = await tried("MAIL", "{{ alert.title }}", subject="{{ heading }}", alertId=alert_id)
    assert (mail["subject"], mail["text"].splitlines()[0]) == ("LOW", "<i>")
    assert "&lt;i&gt;" in mail["html"]
    assert f"{PUBLIC}/answer?token=a-preview" in mail["text"]
    digest = await tried("MAIL", "{{ count }} alerts", kind="DIGEST")
    assert digest["text"].startswith("2 alerts\n\nAcknowledge Checkout answers slowly: ")

    slack = await tried("SLACK", "*{{ alert.title }}*", alertId=alert_id)
    assert slack["text"].startswith("*&lt;i&gt;*\n_Why you: a preview_\n")
    assert [one["action_id"] for one in slack["blocks"][1]["elements"]] == ["acknowledge", "resolve", "snooze"]
    assert slack["subject"] is None

    wrong = await tried("MAIL", "{{ x }}", subject="a\n {{ y }}")
    places = [(one["field"], one["line"], one["column"]) for one in wrong["problems"]]
    assert places == [("subject", 2, 5), ("source", 1, 4)]
    assert wrong["text"].startswith("CRITICAL: Checkout"), "as it would be sent"
    (failed,) = (await tried("MAIL", "\n{{ alert.title | date }}"))["problems"]
    assert (failed["field"], failed["line"]) == ("source", 2)

    team = await api.team("Hidden", is_private=True)
    await night.move(alert_id, team_id=team.id)
    assert (await tried("MAIL", "x", alertId=alert_id))["code"] == "NOT_FOUND"
