"""Does a text message leave that waited, the provider away, until its alert was over? Over real HTTP (N1, N4)."""

from tests.api import Person
from tests.integration.contacts.text_night import HOUR, MINUTE, REPLY, Night, paged, told, with_phone


async def texts(night: Night, alert_id: str, who: Person) -> list[tuple[str, str, str | None]]:
    found = (await told(night, alert_id, who))["notifications"]
    return [(one["kind"], one["state"], one["problem"]) for one in found if one["contactKind"] == "SMS"]


async def test_a_text_message_about_what_is_over_does_not_leave(night: Night, ann: Person) -> None:
    await with_phone(night, ann)
    await paged(night, ann)
    alert_id = await night.alert()
    night.twilio.refusals.append((503, 20503, {}))
    await night.tick()
    assert night.twilio.sent == []
    await night.move(alert_id, status="acknowledged")
    await night.tick(HOUR)
    assert night.twilio.sent == []
    assert await texts(night, alert_id, ann) == [("PAGE", "DROPPED", "somebody has answered; it had not left yet")]
    await night.move(alert_id, status="active")
    await night.tick(MINUTE)
    (sms,) = night.twilio.sent
    assert sms.body.startswith("CRITICAL: Payments down (shop)\n")


async def test_what_waited_says_what_is_so_and_is_answered_by_its_code(night: Night, ann: Person) -> None:
    await with_phone(night, ann)
    await paged(night, ann)
    first, second = await night.alert(title="Disk full"), await night.alert(title="Payments slow")
    night.twilio.refusals.append((503, 20503, {}))
    await night.tick()
    await night.move(first, status="resolved")
    await night.move(second, title="Payments down")
    await night.tick(HOUR)
    sms = night.twilio.sent[0]
    assert sms.body.startswith("CRITICAL: Payments down (shop)\n")
    assert "Disk full" not in sms.body
    code = REPLY.search(sms.body)
    assert code is not None
    assert "Acknowledged: Payments down" in await night.reply(f"A {code[1]}")
