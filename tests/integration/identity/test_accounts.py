"""Accounts over the API and a real database: registration, links, recovery, one's own account (P1).

What each attack test stops is named by OWASP ASVS 5 or API Top 10 2023.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

import jobs.accounts
from domain.identity.admissions import AccountRequest
from domain.identity.answering import answer
from domain.identity.model import Role
from persistence.retention import Retention, purge_expired
from persistence.tables import account_requests, admissions, audit_log, metadata, one_time_tokens, outgoing_mail
from tests.accounts import GOOD, OTHER, Mailboxes, token_in
from tests.api import Api, api_settings, running_api

ADA = "Ada@Example.com"
REGISTRATION = {"email": ADA, "password": GOOD, "firstName": "Ada", "lastName": "Lovelace"}


@pytest.fixture
async def api(application_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    settings = api_settings(application_url, tmp_path, open_registration=True, public_url="https://tocsin.example")
    async with running_api(settings) as opened:
        yield opened


@pytest.fixture
async def ada(api: Api, mail: Mailboxes) -> dict[str, Any]:
    """Somebody who registered and came in."""
    assert (await register(api))["message"]
    answer = await verify(api, await mail.token(), password=GOOD)
    assert answer["email"] == ADA
    signed_in = await login(api)
    return {"id": signed_in["user"]["id"], "token": signed_in["accessToken"]}


async def register(api: Api, **more: str) -> dict[str, Any]:
    return await api.change("register", {**REGISTRATION, **more}, "message", who=None)


async def verify(api: Api, token: str, **more: str) -> dict[str, Any]:
    return await api.change("verifyAddress", {"token": token, **more}, "email", who=None)


async def login(api: Api, email: str = ADA, password: str = GOOD) -> dict[str, Any]:
    shown = "accessToken user { id email role emailVerified version }"
    return await api.change("login", {"email": email, "password": password}, shown, who=None)


async def ask_reset(api: Api, email: str = ADA) -> dict[str, Any]:
    return await api.change("requestPasswordReset", {"email": email}, "message", who=None)


async def reset(api: Api, token: str, password: str = OTHER) -> dict[str, Any]:
    return await api.change("resetPassword", {"token": token, "password": password}, "email", who=None)


async def test_who_registers_comes_in_by_the_mailed_link_and_the_same_password(api: Api, mail: Mailboxes) -> None:
    assert (await register(api))["__typename"] == "RegisterSuccess"
    assert (await login(api))["code"] == "INVALID_CREDENTIALS"
    sent = await mail.one()
    assert (sent.to, sent.subject) == (ADA, "Tocsin: finish your registration")
    assert "https://tocsin.example/account/verify#token=" in sent.text
    assert (await login(api))["code"] == "INVALID_CREDENTIALS"
    needs = await verify(api, token_in(sent))
    assert (needs["code"], needs["path"]) == ("INVALID_INPUT", ["password"])
    assert (await verify(api, token_in(sent), password=OTHER))["code"] == "INVALID_CREDENTIALS"
    assert (await verify(api, token_in(sent), password=GOOD))["email"] == ADA
    user = (await login(api))["user"]
    assert (user["role"], user["emailVerified"]) == ("VIEWER", True)
    assert (await verify(api, token_in(sent), password=GOOD))["code"] == "INVALID_LINK"


async def test_where_registration_is_closed_it_is_refused_and_nothing_is_written(
    application_url: str, tmp_path: Path
) -> None:
    async with running_api(api_settings(application_url, tmp_path)) as closed:
        answer = await register(closed)
        assert answer["code"] == "FORBIDDEN"
        async with closed.engine.connect() as connection:
            assert await connection.scalar(sa.select(sa.func.count()).select_from(account_requests)) == 0


async def statements_of(api: Api, field: str, what: dict[str, str], shown: str) -> tuple[list[str], dict[str, Any]]:
    """The statements an operation ran, and its answer."""
    ran: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        ran.append(statement)

    engine = api.state.engine.sync_engine
    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        answer = await api.change(field, what, shown, who=None)
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
    return ran, answer


@pytest.mark.parametrize(
    ("field", "more"),
    [("register", {"password": GOOD}), ("resendVerification", {}), ("requestPasswordReset", {})],
)
async def test_a_known_address_gets_the_same_answer_by_the_same_work(
    api: Api, ada: dict[str, Any], field: str, more: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """User enumeration (ASVS 6.3.8): neither the answer, nor the statements, nor the hashing tell who is on file."""
    hashed: list[str] = []
    hash_ = api.state.hasher.hash

    async def counted(password: str) -> str:
        hashed.append(password)
        return await hash_(password)

    monkeypatch.setattr(api.state.hasher, "hash", counted)
    seen = []
    for email in (ADA, "nobody@example.com"):
        hashed.clear()
        ran, answer = await statements_of(api, field, {"email": email, **more}, "message")
        seen.append((ran, answer, len(hashed)))
    assert seen[0] == seen[1]
    assert seen[0][1]["message"]
    assert any("account_requests" in statement for statement in seen[0][0])
    assert not any("FROM users" in statement for statement in seen[0][0])


async def test_a_known_address_is_told_by_mail_alone(api: Api, ada: dict[str, Any], mail: Mailboxes) -> None:
    await register(api, email="ADA@example.COM", password=OTHER)
    sent = await mail.one()
    assert (sent.to, sent.subject) == (ADA, "Tocsin: you have an account already")
    assert (await login(api))["user"]["id"] == ada["id"]
    await ask_reset(api, "nobody@example.com")
    assert await mail.new() == []


async def test_a_forgotten_password_is_replaced_and_every_session_ends(
    api: Api, ada: dict[str, Any], mail: Mailboxes
) -> None:
    assert (await ask_reset(api))["message"]
    token = await mail.token()
    weak = await api.change(
        "resetPassword",
        {"token": token, "password": "password1234"},
        "email } ... on WeakPassword { score suggestions",
        who=None,
    )
    assert weak["code"] == "WEAK_PASSWORD"
    assert weak["score"] < 3
    assert weak["suggestions"]
    assert (await reset(api, token))["email"] == ADA
    assert await api.code("{ users { nodes { id } } }", who=ada["token"]) == "UNAUTHENTICATED"
    assert (await login(api))["code"] == "INVALID_CREDENTIALS"
    assert (await login(api, password=OTHER))["user"]["id"] == ada["id"]
    assert (await mail.one()).subject == "Tocsin: your password was changed"
    assert (await reset(api, token))["code"] == "INVALID_LINK"


async def test_a_sign_in_with_the_old_password_that_is_under_way_gets_no_session(
    api: Api, ada: dict[str, Any], mail: Mailboxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Time of check to time of use (ASVS 15.4): the check of a password takes a while, and it may change meanwhile."""
    await ask_reset(api)
    token = await mail.token()
    checked, go_on = asyncio.Event(), asyncio.Event()
    verify_hash = api.state.hasher.verify

    async def slow(password_hash: str | None, password: str) -> bool:
        is_right = await verify_hash(password_hash, password)
        checked.set()
        await go_on.wait()
        return is_right

    monkeypatch.setattr(api.state.hasher, "verify", slow)
    under_way = asyncio.create_task(login(api))
    await checked.wait()
    assert (await reset(api, token))["email"] == ADA
    go_on.set()
    assert (await under_way)["code"] == "INVALID_CREDENTIALS"
    # And the old password has not come back.
    assert (await login(api))["code"] == "INVALID_CREDENTIALS"
    assert (await login(api, password=OTHER))["user"]["id"] == ada["id"]


async def test_of_many_who_use_a_link_at_once_one_does(api: Api, ada: dict[str, Any], mail: Mailboxes) -> None:
    """Race on a one-time secret (ASVS 6.5.1, 15.4)."""
    await ask_reset(api)
    token = await mail.token()
    passwords = [f"{word} {OTHER}" for word in ("amber", "birch", "cedar", "dusk", "ember", "fern")]
    answers = await asyncio.gather(*(reset(api, token, password) for password in passwords))
    won = [number for number, answer in enumerate(answers) if "email" in answer]
    assert len(won) == 1
    assert {answer.get("code") for answer in answers} == {None, "INVALID_LINK"}
    assert (await login(api, password=passwords[won[0]]))["user"]["id"] == ada["id"]


async def test_of_many_who_finish_a_registration_at_once_one_comes_in(api: Api, mail: Mailboxes) -> None:
    await register(api)
    token = await mail.token()
    answers = await asyncio.gather(*(verify(api, token, password=GOOD) for _ in range(6)))
    assert sum("email" in answer for answer in answers) == 1
    admin = await api.person(Role.ADMIN)
    found = await api.data('{ users(filter: {search: "ada@example.com"}) { totalCount } }', who=admin)
    assert found["users"]["totalCount"] == 1


@pytest.mark.parametrize("token", ["", "tco_", "tco_" + "A" * 43, "x" * 10_000, "tco_é\u0301"])
async def test_a_link_nobody_mailed_opens_nothing(api: Api, ada: dict[str, Any], token: str) -> None:
    assert (await reset(api, token))["code"] == "INVALID_LINK"
    assert (await verify(api, token, password=GOOD))["code"] == "INVALID_LINK"
    what = {"token": token, "password": OTHER}
    assert (await api.change("acceptInvitation", what, "email", who=None))["code"] == "INVALID_LINK"
    assert (await api.change("confirmAddressChange", {"token": token}, "email", who=None))["code"] == "INVALID_LINK"


async def test_a_link_ends_by_time_and_by_a_newer_one(api: Api, ada: dict[str, Any], mail: Mailboxes) -> None:
    await ask_reset(api)
    first = await mail.token()
    api.clock.ahead = timedelta(minutes=2)
    await ask_reset(api)
    second = await mail.token()
    assert (await reset(api, first))["code"] == "INVALID_LINK"
    api.clock.ahead += timedelta(hours=1)
    assert (await reset(api, second))["code"] == "INVALID_LINK"


async def test_nobodys_mailbox_is_filled_by_asking(api: Api, ada: dict[str, Any], mail: Mailboxes) -> None:
    """Unrestricted access to sensitive business flows (API6:2023)."""
    codes = [(await ask_reset(api)).get("code") for _ in range(8)]
    assert codes[0] is None
    assert codes[-1] == "TOO_MANY_ATTEMPTS"
    assert len(await mail.new()) == 1


async def test_a_changed_password_keeps_this_session_alone(api: Api, ada: dict[str, Any], mail: Mailboxes) -> None:
    other = (await login(api))["accessToken"]
    what = {"currentPassword": GOOD, "newPassword": OTHER}
    wrong = {**what, "currentPassword": OTHER}
    shown = "user { id version }"
    assert (await api.change("changePassword", wrong, shown, who=ada["token"]))["code"] == "INVALID_CREDENTIALS"
    assert (await api.change("changePassword", what, shown, who=ada["token"]))["user"]["version"] == 2
    assert (await api.data("{ me { id } }", who=ada["token"]))["me"]["id"] == ada["id"]
    assert await api.code("{ users { nodes { id } } }", who=other) == "UNAUTHENTICATED"
    assert (await login(api, password=OTHER))["user"]["id"] == ada["id"]
    assert (await mail.one()).subject == "Tocsin: your password was changed"


async def test_an_address_changes_by_the_link_in_the_new_mailbox(
    api: Api, ada: dict[str, Any], mail: Mailboxes
) -> None:
    what = {"email": "countess@example.com", "password": GOOD}
    assert (await api.change("requestAddressChange", what, "message", who=ada["token"]))["message"]
    confirm, warning = await mail.new()
    assert (confirm.to, warning.to) == ("countess@example.com", ADA)
    assert (await login(api))["user"]["email"] == ADA
    answer = await api.change("confirmAddressChange", {"token": token_in(confirm)}, "email", who=None)
    assert answer["email"] == "countess@example.com"
    assert (await mail.one()).to == ADA
    assert (await login(api))["code"] == "INVALID_CREDENTIALS"
    assert (await login(api, email="countess@example.com"))["user"]["id"] == ada["id"]
    # The address is free again.
    await register(api)
    assert (await mail.one()).subject == "Tocsin: finish your registration"


async def test_two_who_confirm_one_address_at_once_do_not_both_get_it(
    api: Api, ada: dict[str, Any], mail: Mailboxes
) -> None:
    await register(api, email="grace@example.com")
    await verify(api, await mail.token(), password=GOOD)
    grace = (await login(api, email="grace@example.com"))["accessToken"]
    what, tokens = {"email": "shared@example.com", "password": GOOD}, []
    for who in (ada["token"], grace):
        await api.change("requestAddressChange", what, "message", who=who)
        tokens.append(token_in(next(one for one in await mail.new() if one.to == "shared@example.com")))
    answers = await asyncio.gather(
        *(api.change("confirmAddressChange", {"token": token}, "email", who=None) for token in tokens)
    )
    assert sorted(answer["__typename"] for answer in answers) == ["AlreadyExists", "ConfirmAddressChangeSuccess"]


async def test_a_name_is_changed_and_a_role_cannot_be(api: Api, ada: dict[str, Any]) -> None:
    """Mass assignment (API3:2023)."""
    what = {"firstName": "Augusta Ada", "expectedVersion": 1}
    named = await api.change("updateMe", what, "user { name version }", who=ada["token"])
    assert named["user"] == {"name": "Augusta Ada Lovelace", "version": 2}
    stale = await api.change("updateMe", what, "user { name }", who=ada["token"])
    assert stale["code"] == "STALE_VERSION"
    answer = await api.ask(
        "mutation($input: UpdateMeInput!) { updateMe(input: $input) { __typename } }",
        {"input": {"role": "ADMIN", "isActive": True}},
        who=ada["token"],
    )
    assert "data" not in answer or answer["data"] is None


async def test_nothing_that_is_kept_opens_anything_or_tells_who_asked(api: Api, mail: Mailboxes) -> None:
    """Secrets at rest (ASVS 11.4, 14.2): no token, password or address of a stranger is readable in any table."""
    await register(api)
    async with api.engine.connect() as connection:
        row = (await connection.execute(sa.select(account_requests))).one()
        assert b"xample" not in row.details
    await mail.answer()
    everything = await whole_database(api)
    for secret in (ADA, ADA.lower(), GOOD, "Lovelace", "#token="):
        assert secret not in everything
    token = await mail.token()
    await ask_reset(api)
    await mail.answer()
    assert token.removeprefix("tco_") not in await whole_database(api)
    async with api.engine.connect() as connection:
        assert await connection.scalar(sa.select(sa.func.count()).select_from(account_requests)) == 0
        assert await connection.scalar(sa.select(sa.func.count()).select_from(admissions)) == 1


async def whole_database(api: Api) -> str:
    """Every row of every table, as text; bytes as Latin-1, so that text within them shows."""
    parts = []
    async with api.engine.connect() as connection:
        for table in metadata.sorted_tables:
            for row in await connection.execute(sa.select(table)):
                parts += [value.decode("latin-1") if isinstance(value, bytes) else repr(value) for value in row]
    return "\n".join(parts)


async def test_every_change_of_an_account_is_on_the_audit_log_without_what_it_says(
    api: Api, ada: dict[str, Any], mail: Mailboxes
) -> None:
    await ask_reset(api)
    await reset(api, await mail.token())
    async with api.engine.connect() as connection:
        entries = (await connection.execute(sa.select(audit_log).order_by(audit_log.c.id))).all()
    actions = [(entry.action, str(entry.target_id or "")) for entry in entries]
    assert ("register", "") in actions
    assert ("verifyAddress", ada["id"]) in actions
    assert ("requestPasswordReset", "") in actions
    assert ("answerAccountRequest", ada["id"]) in actions
    assert ("resetPassword", ada["id"]) in actions
    shown = repr([(entry.before, entry.after) for entry in entries])
    assert not any(secret in shown for secret in (GOOD, OTHER, "xample.com", "tco_"))


async def test_a_forged_host_is_in_no_link(api: Api, ada: dict[str, Any], mail: Mailboxes) -> None:
    """Host header poisoning of reset links (ASVS 4.1)."""
    query = "mutation($input: RequestPasswordResetInput!) { requestPasswordReset(input: $input) { __typename } }"
    headers = {"host": "evil.example", "x-forwarded-host": "evil.example"}
    body = {"query": query, "variables": {"input": {"email": ADA}}}
    assert (await api.http.post("/graphql", json=body, headers=headers)).status_code == 200
    sent = await mail.one()
    assert "evil" not in sent.text + str(sent.html)
    assert "https://tocsin.example/account/reset#token=" in sent.text


async def test_a_request_that_cannot_be_answered_stands_in_nobodys_way(
    api: Api, ada: dict[str, Any], mail: Mailboxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ask_reset(api, "first@example.com")
    async with api.engine.begin() as connection:
        await connection.execute(sa.update(account_requests).values(details=b"moved here from elsewhere"))
    await ask_reset(api, "second@example.com")
    await ask_reset(api)

    async def faulty(request: AccountRequest, **more: Any) -> None:  # noqa: ANN401 - handed on
        if request.email == "second@example.com":
            raise KeyError(request.email)
        await answer(request, **more)

    monkeypatch.setattr(jobs.accounts, "answer", faulty)
    with capture_logs() as logs:
        assert (await mail.one()).to == ADA
    assert [entry["log_level"] for entry in logs if "dropped" in entry["event"]] == ["warning", "error"]
    assert "second@" not in str([{**entry, "exc_info": None} for entry in logs])
    async with api.engine.connect() as connection:
        assert await connection.scalar(sa.select(sa.func.count()).select_from(account_requests)) == 0


async def test_old_links_and_settled_mail_leave(api: Api, ada: dict[str, Any], mail: Mailboxes) -> None:
    await ask_reset(api)
    await mail.new()
    kept = Retention.of(api.settings)
    assert await purge_expired(api.engine, kept=kept, now=api.clock.now()) == 0
    await purge_expired(api.engine, kept=kept, now=api.clock.now() + kept.settled_mail + timedelta(days=1))
    async with api.engine.connect() as connection:
        assert await connection.scalar(sa.select(sa.func.count()).select_from(one_time_tokens)) == 0
        assert await connection.scalar(sa.select(sa.func.count()).select_from(outgoing_mail)) == 0
