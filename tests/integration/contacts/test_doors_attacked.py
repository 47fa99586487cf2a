"""Do codes, replies and links hold against guessing, flooding and being sent again? (N2, N4, security)."""

import asyncio
from datetime import timedelta
from urllib.parse import quote, urlencode

import pytest

from domain.escalations.answer import Answer, AnswerLinks
from domain.identity.model import Role
from tests.api import Person
from tests.integration.contacts.text_night import METHOD, NUMBER, PUBLIC, REPLY, Night, paged, told, with_phone
from tests.twilio_double import reply_form, signed, status_form

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


async def code_of(night: Night) -> str:
    found = REPLY.search(night.twilio.sent[-1].body)
    assert found is not None
    return found[1]


async def test_the_code_of_a_reply_is_not_guessed(night: Night, ann: Person) -> None:
    """Who forges the sender's number has ten thousand codes to try: ten an hour count. API2:2023, ASVS 5 V6.3.1."""
    await with_phone(night, ann)
    await paged(night, ann)
    alert_id = await night.alert()
    await night.tick()
    code = await code_of(night)
    wrong = [f"{(int(code) + number) % 10_000:04}" for number in range(1, 11)]
    for guess in wrong:
        assert "nothing to answer" in await night.reply(f"A {guess}")
    assert "<Message>" not in await night.reply(f"A {code}"), "the right one neither, after so many"
    assert (await told(night, alert_id, ann))["status"] == "ACTIVE"
    assert "nothing to answer" in await night.reply(f"A {code}", sender="+4915100000000"), "others are heard"
    night.api.clock.ahead += HOUR + MINUTE
    assert "Acknowledged" in await night.reply(f"A {code}")


async def test_a_reply_counts_once(night: Night, ann: Person) -> None:
    """The same call again, signature and all, when the alert needs somebody again. API2:2023."""
    await with_phone(night, ann)
    await paged(night, ann)
    alert_id = await night.alert()
    await night.tick()
    form = reply_form(NUMBER, f"A {await code_of(night)}")
    assert "Acknowledged" in (await night.post("/sms/twilio/reply", form)).text
    await night.move(alert_id, status="active")
    again = await night.post("/sms/twilio/reply", form)
    assert (again.status_code, "<Message>" in again.text) == (200, False)
    assert (await told(night, alert_id, ann))["status"] == "ACTIVE"


async def test_many_accounts_do_not_make_one_phone_ring(night: Night, ann: Person) -> None:
    """Codes cost money and sleep: to one number eight an hour, whoever asks, also all at once. API6:2023, API4:2023."""
    del ann
    people = [await night.api.person(Role.VIEWER) for _ in range(12)]
    what = {"kind": "SMS", "address": NUMBER}
    answers = await asyncio.gather(*(night.api.change("addContactMethod", what, METHOD, who=one) for one in people))
    names = [one["__typename"] for one in answers]
    assert (names.count("AddContactMethodSuccess"), names.count("TooManyAttempts")) == (8, 4)
    assert await night.database.fetchval("SELECT count(*) FROM text_messages") == 8
    assert await night.database.fetchval("SELECT count(*) FROM contact_methods") == 8
    kept = await night.database.fetch("SELECT * FROM contact_codes")
    assert NUMBER not in str(kept)
    await night.database.execute("UPDATE contact_codes SET created_at = created_at - interval '61 minutes'")
    (late,) = [one for one, name in zip(people, names, strict=True) if name == "TooManyAttempts"][:1]
    assert (await night.api.change("addContactMethod", what, METHOD, who=late))["__typename"].endswith("Success")


async def test_removing_a_method_gives_no_further_codes(night: Night, ann: Person) -> None:
    """To add, remove and add again is no way round the limit. API4:2023, ASVS 5 V2.4.1."""
    made = 0
    for number in range(10):
        what = {"kind": "SMS", "address": f"+49151000000{number:02}"}
        answer = await night.api.change("addContactMethod", what, METHOD, who=ann)
        if answer["__typename"] != "AddContactMethodSuccess":
            break
        made += 1
        method_id = answer["contactMethod"]["id"]
        await night.api.change("removeContactMethod", {"id": method_id}, "contactMethodId", who=ann)
    assert made == 6


async def test_guesses_at_the_same_time_are_counted_one_by_one(night: Night, ann: Person) -> None:
    """A race of guesses gives no more of them. API2:2023, ASVS 5 V2.3.4."""
    made = await night.api.change("addContactMethod", {"kind": "SMS", "address": NUMBER}, METHOD, who=ann)
    method_id = made["contactMethod"]["id"]
    guesses = [{"id": method_id, "code": f"{number:06}"} for number in range(20)]
    await asyncio.gather(*(night.api.change("verifyContactMethod", one, METHOD, who=ann) for one in guesses))
    assert await night.database.fetchval("SELECT guesses FROM contact_codes") == 5


@pytest.mark.parametrize(
    "code", ["", " ", "0" * 7, "1" * 100_000, "\u0661\u0662\u0663\u0664\u0665\u0666", "\u0000", "é", "🔥" * 6]
)
async def test_a_code_of_any_form_is_just_wrong(night: Night, ann: Person, code: str) -> None:
    """Nothing typed as a code breaks the door. ASVS 5 V2.2.1."""
    made = await night.api.change("addContactMethod", {"kind": "SMS", "address": NUMBER}, METHOD, who=ann)
    tried = {"id": made["contactMethod"]["id"], "code": code}
    answer = await night.api.ask(
        "mutation($input: VerifyContactMethodInput!) { verifyContactMethod(input: $input) { __typename } }",
        {"input": tried},
        who=ann,
    )
    name = (answer.get("data") or {}).get("verifyContactMethod", {}).get("__typename", "refused")
    assert name in {"InvalidCredentials", "InvalidInput", "refused"}
    assert "INTERNAL" not in str(answer)


async def test_the_code_of_another_method_proves_nothing(night: Night, ann: Person) -> None:
    """A code is for the method it was sent to. API2:2023."""
    first = await night.api.change("addContactMethod", {"kind": "SMS", "address": NUMBER}, METHOD, who=ann)
    second = await night.api.change("addContactMethod", {"kind": "SMS", "address": "+4915100000001"}, METHOD, who=ann)
    stored = await night.database.fetch("SELECT contact_method_id, code_digest FROM contact_codes ORDER BY id")
    assert [str(row["contact_method_id"]) for row in stored] == [
        first["contactMethod"]["id"],
        second["contactMethod"]["id"],
    ]
    await night.database.execute(
        "UPDATE contact_codes SET code_digest = $1 WHERE contact_method_id = $2",
        stored[0]["code_digest"],
        stored[1]["contact_method_id"],
    )
    night.now = night.api.clock.now()
    await night.tick()
    code = next(one.body for one in night.twilio.sent if one.to == NUMBER).split()[1]
    tried = {"id": second["contactMethod"]["id"], "code": code}
    assert (await night.api.change("verifyContactMethod", tried, METHOD, who=ann))["__typename"] == "InvalidCredentials"


async def test_a_link_is_worth_nothing_but_what_was_signed(night: Night, ann: Person) -> None:
    """Forged, changed and foreign tokens of the link in a message. API2:2023, ASVS 5 V9.1.1."""
    alert_id = await night.alert()
    links = AnswerLinks(night.api.settings.derived_key("answer-link"))
    alert = await night.database.fetchrow("SELECT id, episode FROM alerts")
    assert alert is not None
    good = Answer(
        alert_id=alert["id"],
        episode=alert["episode"],
        user_id=ann.id,
        expires_at=night.api.clock.now() + HOUR,
    )
    token = links.token(good)
    forged = AnswerLinks(b"another key").token(good)
    other = AnswerLinks(night.api.settings.derived_key("contact-code")).token(good)
    bad = [forged, other, token[:-1], token + "A", token[:10] + ("A" if token[10] != "A" else "B") + token[11:]]
    bad += ["", "=", "\u0000", "é", "A" * 5_000, "../../etc/passwd", token.replace(token[0], "%", 1)]
    for one in bad:
        for method in ("GET", "POST", "HEAD"):
            answer = await night.api.http.request(method, f"/answer?token={quote(one)}")
            assert answer.status_code == 410, one
    for method in ("GET", "HEAD"):
        assert (await night.api.http.request(method, f"/answer?token={token}")).status_code == 200
    assert (await told(night, alert_id, ann))["status"] == "ACTIVE", "a scanner only looks"
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
        assert (await night.api.http.request(method, f"/answer?token={token}")).status_code == 405
    assert (await night.api.http.post(f"/answer?token={token}")).status_code == 200
    assert (await told(night, alert_id, ann))["status"] == "ACKNOWLEDGED"


async def test_a_link_ends_with_its_person_its_sight_and_its_day(night: Night, ann: Person) -> None:
    """What was signed for somebody gives what they may today. API1:2023, API5:2023, ASVS 5 V7.4.2."""
    team = await night.api.team("Hidden", is_private=True)
    await night.alert(team_id=team.id)
    alert = await night.database.fetchrow("SELECT id, episode FROM alerts")
    assert alert is not None
    links = AnswerLinks(night.api.settings.derived_key("answer-link"))
    expires_at = night.api.clock.now() + HOUR

    async def answered(who: Person, *, later: timedelta = timedelta(0)) -> int:
        answer = Answer(alert_id=alert["id"], episode=alert["episode"], user_id=who.id, expires_at=expires_at - later)
        return (await night.api.http.post(f"/answer?token={links.token(answer)}")).status_code

    assert await answered(ann) == 410, "an alert of a team that is not theirs"
    viewer = await night.api.person(Role.VIEWER, teams=(team,))
    assert await answered(viewer) == 403, "a role that gives nothing"
    member = await night.api.person(Role.OPERATOR, teams=(team,))
    assert await answered(member, later=2 * HOUR) == 410, "a link that is over"
    await night.database.execute("UPDATE users SET is_active = false WHERE id = $1", member.id)
    assert await answered(member) == 410, "an account that ended"
    await night.database.execute("UPDATE users SET is_active = true WHERE id = $1", member.id)
    assert await answered(member) == 200


async def test_the_page_of_a_link_shows_text_as_text(night: Night, ann: Person) -> None:
    """What a monitoring tool calls its alert is no HTML, and the page runs nothing. ASVS 5 V1.2.1, V3.4.3."""
    await night.alert(title="<script>alert(1)</script>", service_name='"><img src=x onerror=y>')
    alert = await night.database.fetchrow("SELECT id, episode FROM alerts")
    assert alert is not None
    links = AnswerLinks(night.api.settings.derived_key("answer-link"))
    expires_at = night.api.clock.now() + HOUR
    token = links.token(Answer(alert_id=alert["id"], episode=alert["episode"], user_id=ann.id, expires_at=expires_at))
    page = await night.api.http.get(f"/answer?token={token}")
    assert "<script" not in page.text
    assert "<img" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert (page.headers["cache-control"], page.headers["referrer-policy"]) == ("no-store", "no-referrer")


async def test_strangers_noise_keeps_no_signed_call_out(night: Night, ann: Person) -> None:
    """API4:2023: calls of providers have no limit that others could use up; what is not signed is refused at once."""
    await with_phone(night, ann)
    await paged(night, ann)
    await night.alert()
    await night.tick()
    path = (night.twilio.sent[0].status_callback or "").removeprefix(PUBLIC)
    form = status_form(night.twilio.sent[0], "delivered", None)
    forged = {**signed(f"{PUBLIC}{path}", form), "x-twilio-signature": "AAAA"}
    noise = await asyncio.gather(
        *(night.api.http.post(path, content=urlencode(form), headers=forged) for _ in range(300))
    )
    assert {one.status_code for one in noise} == {403}
    assert await night.calls_back("delivered") == 204
