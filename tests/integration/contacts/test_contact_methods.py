"""Is a number or address used only once its person proved it, seen by whom it concerns, and gone with them? (N2)."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from domain.contacts.codes import MAX_GUESSES, MOST
from domain.identity.model import Role
from domain.mail.model import MailKind
from jobs.exports import make_data_exports
from persistence.engine import create_engine
from persistence.mail import claim_mail
from persistence.tables import audit_log, contact_codes, contact_methods
from tests.accounts import Mailboxes
from tests.api import Api, Person, api_settings, running_api

METHOD = "contactMethod { id kind address label isAccount isUsable verifiedAt version }"
MINE = "{ me { contactMethods { id kind address label isAccount isUsable } } }"
THEIRS = "query($id: ID!) { user(id: $id) { contactMethods { id kind address label isAccount } } }"
TWILIO = {
    "twilio_account_sid": "AC" + "0" * 32,
    "twilio_auth_token": "the token of an account for tests",
    "twilio_from": "+15005550006",
}


async def add(api: Api, who: Person, address: str = "night@example.org", **more: object) -> dict[str, Any]:
    return await api.change("addContactMethod", {"kind": "EMAIL", "address": address, **more}, METHOD, who=who)


async def newest_code(api: Api, address: str = "night@example.org") -> str:
    mail = [one for one in await Mailboxes(api).new() if one.to == address][-1]
    assert mail.text[:6] in mail.subject
    return mail.text[:6]


async def verify(api: Api, who: Person, method_id: str, code: str) -> dict[str, Any]:
    return await api.change("verifyContactMethod", {"id": method_id, "code": code}, METHOD, who=who)


async def test_it_is_used_once_the_code_that_was_sent_to_it_came_back(api: Api, ann: Person) -> None:
    made = (await add(api, ann, " night@example.org ", label="At night"))["contactMethod"]
    assert made | {"id": ""} == {
        "id": "",
        "kind": "EMAIL",
        "address": "night@example.org",
        "label": "At night",
        "isAccount": False,
        "isUsable": False,
        "verifiedAt": None,
        "version": 1,
    }
    verified = (await verify(api, ann, made["id"], await newest_code(api)))["contactMethod"]
    assert (verified["isUsable"], verified["version"]) == (True, 2)
    account, theirs = (await api.data(MINE, who=ann))["me"]["contactMethods"]
    assert (account["id"], account["address"], account["isAccount"], account["isUsable"]) == (
        str(ann.id),
        "ann@example.com",
        True,
        True,
    )
    assert theirs["id"] == made["id"]


async def test_a_code_is_good_once_in_time_and_for_five_guesses(api: Api, ann: Person) -> None:
    made = (await add(api, ann))["contactMethod"]
    code = await newest_code(api)
    wrong = f"{(int(code) + 1) % 10**6:06}"
    for _ in range(MAX_GUESSES):
        assert (await verify(api, ann, made["id"], wrong))["code"] == "INVALID_CREDENTIALS"
    assert (await verify(api, ann, made["id"], code))["code"] == "INVALID_CREDENTIALS", "guessed at too often"

    api.clock.ahead += timedelta(minutes=2)
    sent = await api.change("sendContactVerification", {"id": made["id"]}, METHOD, who=ann)
    assert sent["__typename"] == "SendContactVerificationSuccess"
    second = await newest_code(api)
    api.clock.ahead += timedelta(minutes=10)
    assert (await verify(api, ann, made["id"], second))["code"] == "INVALID_CREDENTIALS", "too old"

    await api.change("sendContactVerification", {"id": made["id"]}, METHOD, who=ann)
    third = await newest_code(api)
    assert (await verify(api, ann, made["id"], f" {third} "))["contactMethod"]["isUsable"]
    assert (await verify(api, ann, made["id"], third))["code"] == "INVALID_CREDENTIALS", "used"


async def test_codes_are_few_whatever_the_method(api: Api, ann: Person) -> None:
    """Text messages cost money, and mail to strangers is a nuisance."""
    made = (await add(api, ann))["contactMethod"]
    again = await api.change("sendContactVerification", {"id": made["id"]}, METHOD, who=ann)
    assert again["code"] == "TOO_MANY_ATTEMPTS"
    for number in range(MOST - 1):
        other = await add(api, ann, f"night{number}@example.org")
        await api.change("removeContactMethod", {"id": other["contactMethod"]["id"]}, "contactMethodId", who=ann)
    assert (await add(api, ann, "one-more@example.org"))["code"] == "TOO_MANY_ATTEMPTS"
    async with api.engine.connect() as connection:
        assert await connection.scalar(sa.select(sa.func.count()).select_from(contact_methods)) == 1
        assert await connection.scalar(sa.select(sa.func.count()).select_from(contact_codes)) == MOST
    api.clock.ahead += timedelta(hours=1, minutes=1)
    again = await api.change("sendContactVerification", {"id": made["id"]}, METHOD, who=ann)
    assert again["__typename"] == "SendContactVerificationSuccess"


async def test_what_is_no_address_or_is_there_already_is_refused(api: Api, ann: Person) -> None:
    await add(api, ann)
    assert (await add(api, ann, "NIGHT@example.org"))["code"] == "ALREADY_EXISTS"
    assert (await add(api, ann, "Ann@Example.com"))["code"] == "ALREADY_EXISTS", "the account's own"
    assert (await add(api, ann, "no address"))["code"] == "INVALID_INPUT"
    assert (await add(api, ann, "+4915123456789", kind="SMS"))["message"] == "this installation sends no text messages"


async def test_numbers_are_kept_as_the_world_writes_them(application_url: str, tmp_path: Path) -> None:
    async with running_api(api_settings(application_url, tmp_path, **TWILIO)) as api:
        ann = await api.person(Role.OPERATOR)
        made = await add(api, ann, "+49 (151) 234-567 89", kind="SMS")
        assert made["contactMethod"]["address"] == "+4915123456789"
        for wrong in ("0151 23456789", "+0151 23456789", "+49 151 CALLME", "+123", "+1234567890123456"):
            assert (await add(api, ann, wrong, kind="SMS"))["code"] == "INVALID_INPUT", wrong
        assert (await add(api, ann, "+4915123456789", kind="SMS"))["code"] == "ALREADY_EXISTS"


async def test_who_sees_it(api: Api, ann: Person) -> None:
    """Object level authorisation and excessive data. OWASP API1:2023, API3:2023."""
    made = (await add(api, ann, label="At night"))["contactMethod"]
    asked = {"id": str(ann.id)}
    for role, address, label in (
        (Role.ADMIN, "night@example.org", "At night"),
        (Role.MANAGER, "n•••@example.org", ""),
    ):
        shown = (await api.data(THEIRS, asked, who=await api.person(role)))["user"]["contactMethods"]
        assert [(one["address"], one["label"]) for one in shown if not one["isAccount"]] == [(address, label)]
    for role in (Role.OPERATOR, Role.VIEWER):
        assert await api.code(THEIRS, asked, who=await api.person(role)) == "FORBIDDEN"
    other = await api.person(Role.ADMIN)
    for field, more in (
        ("sendContactVerification", {}),
        ("verifyContactMethod", {"code": "000000"}),
        ("updateContactMethod", {"label": "mine"}),
        ("removeContactMethod", {}),
    ):
        answer = await api.change(field, {"id": made["id"], **more}, "__typename", who=other)
        assert answer["code"] == "NOT_FOUND", field


async def test_a_label_changes_and_a_method_goes(api: Api, ann: Person) -> None:
    made = (await add(api, ann))["contactMethod"]
    change = {"id": made["id"], "label": "Upstairs", "expectedVersion": 1}
    assert (await api.change("updateContactMethod", change, METHOD, who=ann))["contactMethod"]["label"] == "Upstairs"
    assert (await api.change("updateContactMethod", change, METHOD, who=ann))["code"] == "STALE_VERSION"
    await api.change("removeContactMethod", {"id": made["id"]}, "contactMethodId", who=ann)
    assert [one["isAccount"] for one in (await api.data(MINE, who=ann))["me"]["contactMethods"]] == [True]
    account = await api.change("removeContactMethod", {"id": str(ann.id)}, "contactMethodId", who=ann)
    assert account["code"] == "NOT_FOUND", "the account's address stays: nobody becomes unreachable"
    assert "requestAddressChange" in account["message"]


async def test_it_is_sealed_exported_and_forgotten_with_its_person(api: Api, ann: Person) -> None:
    """Personal data at rest and its erasure. ASVS 5 V14.2, GDPR Art. 15, 17."""
    await add(api, ann, label="At night")
    async with api.engine.connect() as connection:
        (row,) = await connection.execute(sa.select(contact_methods))
        assert b"night" not in row.address + row.label
        written = await connection.execute(sa.select(audit_log.c.before, audit_log.c.after))
        assert "night" not in str(written.all())
    export = await api.change("exportMyData", {}, "export { id }", who=ann)
    await make_data_exports(api.engine, api.settings, api.clock.now())
    kept = json.loads((await api.http.get(f"/exports/{export['export']['id']}", headers=api.headers(ann))).content)
    assert [(one["address"], one["label"]) for one in kept["contactMethods"]] == [("night@example.org", "At night")]
    admin = await api.person(Role.ADMIN)
    what = {"userId": str(ann.id), "confirmEmail": ann.email}
    assert (await api.change("eraseUser", what, "erasedId", who=admin))["erasedId"] == str(ann.id)
    async with api.engine.connect() as connection:
        for table in (contact_methods, contact_codes):
            assert await connection.scalar(sa.select(sa.func.count()).select_from(table)) == 0


async def test_the_owner_is_told_by_mail_that_a_method_came_or_went(api: Api) -> None:
    """Whoever holds a session of theirs cannot add a number of their own unnoticed."""
    ann = await api.person(Role.OPERATOR, email="ann@example.com")
    what = {"kind": "EMAIL", "address": "other@example.org"}
    made = (await api.change("addContactMethod", what, "contactMethod { id }", who=ann))["contactMethod"]
    await api.change("removeContactMethod", {"id": made["id"]}, "contactMethodId", who=ann)
    engine = create_engine(api.settings, pool_size=1)
    mails = [one.mail for one in await claim_mail(engine, limit=10, now=api.clock.now() + timedelta(hours=1))]
    await engine.dispose()
    told = {mail.subject: mail for mail in mails if mail.kind is MailKind.SECURITY_NOTICE}
    assert set(told) == {"A contact method of yours was added", "A contact method of yours was removed"}
    assert {mail.to for mail in told.values()} == {"ann@example.com"}
    assert all("mail to o•••@example.org" in mail.text for mail in told.values())
    assert [mail.to for mail in mails if mail.kind is MailKind.CONTACT_CODE] == ["other@example.org"]
