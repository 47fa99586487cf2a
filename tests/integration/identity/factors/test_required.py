"""A role that must have a second factor: who has none may add one and nothing else, whatever way they come (P4, T5)."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from graphql import GraphQLNonNull, GraphQLObjectType, get_named_type, is_leaf_type

from domain.identity.model import Role
from graphql_api.fields_below import FIELDS
from graphql_api.needs import Access
from graphql_api.permissions import ROOT_FIELDS
from graphql_api.standing import ENROLLING, PROVING
from persistence.tables import sessions
from tests.api import Api, Person, api_settings, running_api
from tests.authenticator import ORIGIN
from tests.schema_operations import SCHEMA, operation
from tests.second_factors import FACTORS, TOKENS, Member, member
from tests.sockets import connected, listening

ME = "{ me { id } }"
ALERTS = "{ alerts { nodes { id } } }"
EVENTS = "subscription { alertEvents { ... on AlertEvent { id } } }"


@pytest.fixture
async def api(application_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    settings = api_settings(application_url, tmp_path, public_url=ORIGIN, second_factor_required_for="admin, manager")
    async with running_api(settings) as opened:
        yield opened


@pytest.fixture
async def boss(api: Api) -> Member:
    """An administrator without a second factor."""
    return await member(api, Role.ADMIN)


def walk(root: str) -> list[tuple[str, str, dict[str, Any]]]:
    return [(name, *operation(root, name)) for name in ROOT_FIELDS[root]]


async def test_no_other_field_is_answered_before_a_factor_is_there(api: Api, boss: Member) -> None:
    """ASVS 5 V6.3.3, OWASP API5:2023: every query and mutation, walked from the schema."""
    answered = set()
    for root in ("Query", "Mutation"):
        for name, text, variables in walk(root):
            if ROOT_FIELDS[root][name].access is Access.ANYONE or name == "logout":
                continue
            answer = await api.ask(text, variables, who=boss.token)
            codes = [error["extensions"]["code"] for error in answer.get("errors", [])]
            if codes != ["ENROLMENT_REQUIRED"]:
                answered.add(name)
    assert answered == {name for name in ENROLLING if "." not in name} - {"logout"}


async def test_the_refusal_says_what_to_do(api: Api, boss: Member) -> None:
    (error,) = (await api.ask(ALERTS, who=boss.token))["errors"]
    assert error["extensions"]["code"] == "ENROLMENT_REQUIRED"
    assert "beginTotpEnrolment" in error["message"]
    assert (await api.data("{ me { id email role } }", who=boss.token))["me"]["role"] == "ADMIN"


async def test_what_hangs_on_me_leads_to_nobody_else(api: Api, boss: Member) -> None:
    """OWASP API3:2023: the one open field is no side door."""
    team = await api.team("Payments")
    async with api.engine.begin() as connection:
        values = {"team": team.id, "user": boss.id}
        await connection.execute(sa.text("UPDATE users SET team_id = :team WHERE id = :user"), values)
    answer = await api.ask("{ me { id team { name members { user { email } } } } }", who=boss.token)
    assert "Payments" not in json.dumps(answer)
    assert answer["errors"][0]["extensions"]["code"] == "ENROLMENT_REQUIRED"


async def test_with_a_factor_all_is_answered(api: Api, boss: Member) -> None:
    await boss.enrol_app()
    assert await api.data(ALERTS, who=boss.token) == {"alerts": {"nodes": []}}
    assert (await boss.login(totpCode=boss.code()))["__typename"] == "LoginSuccess"
    assert "alerts" in await api.data(ALERTS, who=boss.token)


async def test_a_role_that_need_not_is_not_asked(api: Api) -> None:
    operator = await member(api, Role.OPERATOR)
    assert "alerts" in await api.data(ALERTS, who=operator.token)


async def test_who_is_promoted_is_asked_from_the_next_request_on(api: Api) -> None:
    operator = await member(api, Role.OPERATOR)
    async with api.engine.begin() as connection:
        await connection.execute(sa.text("UPDATE users SET role = 'manager' WHERE id = :id"), {"id": operator.id})
    assert await api.code(ALERTS, who=operator.token) == "ENROLMENT_REQUIRED"


async def test_a_session_that_never_proved_the_factor_gains_nothing_by_it(api: Api, boss: Member) -> None:
    """OWASP API2:2023: who stole the password before the owner enrolled must not be let in by that."""
    thief = Member(api=api, id=boss.id, email=boss.email, role=boss.role)
    await thief.login()
    await boss.enrol_app()
    assert await api.code(ALERTS, who=thief.token) == "SECOND_FACTOR_REQUIRED"
    for field in sorted(ENROLLING - PROVING):
        name, text, variables = next(one for one in walk("Mutation") if one[0] == field)
        assert await api.code(text, variables, who=thief.token) == "SECOND_FACTOR_REQUIRED", name


async def test_neither_a_refresh_nor_another_token_of_the_session_gets_around_it(api: Api, boss: Member) -> None:
    """OWASP API2:2023: factor bypass by refresh."""
    thief = Member(api=api, id=boss.id, email=boss.email, role=boss.role)
    await thief.login()
    await boss.enrol_app()
    refreshed = await api.change("refreshSession", {"refreshToken": thief.refresh_token}, TOKENS, who=None)
    thief.keep(refreshed)
    assert await api.code(ALERTS, who=thief.token) == "SECOND_FACTOR_REQUIRED"


async def test_a_session_of_before_goes_on_once_it_proves_the_factor(api: Api) -> None:
    """In any role: what a session must prove is decided by what its person has today."""
    ada = await member(api, Role.OPERATOR)
    phone = Member(api=api, id=ada.id, email=ada.email, role=ada.role)
    await phone.login()
    await ada.enrol_app()
    assert await api.code(ALERTS, who=phone.token) == "SECOND_FACTOR_REQUIRED"
    phone.secret = ada.secret
    assert (await phone.change("stepUp", totpCode=phone.code()))["__typename"] == "StepUpSuccess"
    assert "alerts" in await api.data(ALERTS, who=phone.token)


async def test_server_sent_events_are_refused_as_well(api: Api, boss: Member) -> None:
    headers = {**api.headers(boss.token), "accept": "text/event-stream"}
    response = await api.http.post("/graphql", json={"query": EVENTS}, headers=headers)
    assert "ENROLMENT_REQUIRED" in response.text
    assert "complete" in response.text


async def test_a_socket_is_refused_each_operation(api: Api, boss: Member) -> None:
    """OWASP API2:2023: factor bypass by socket."""
    who = await person_of(api, boss)
    async with listening(api) as address, connected(address, who) as socket:
        for query in (EVENTS, ALERTS):
            await socket.subscribe(query)
            told = await socket.receive()
            assert "ENROLMENT_REQUIRED" in json.dumps(told), told
            while told["type"] != "complete" and told["type"] != "error":
                told = await socket.receive()


async def test_a_stream_ends_when_its_session_no_longer_counts_in_full(api: Api) -> None:
    """A follower of before the person enrolled elsewhere is told, not fed."""
    ada = await member(api, Role.OPERATOR)
    who = await person_of(api, ada)
    desk = Member(api=api, id=ada.id, email=ada.email, role=ada.role)
    await desk.login()
    async with listening(api) as address, connected(address, who) as socket:
        await socket.subscribe(EVENTS)
        await asyncio.sleep(0.5)
        await desk.enrol_app()
        assert "SECOND_FACTOR_REQUIRED" in json.dumps(await socket.receive())


async def test_files_are_refused_as_well(api: Api, boss: Member) -> None:
    response = await api.http.get(f"/attachments/{boss.id}/{boss.id}", headers=api.headers(boss.token))
    assert (response.status_code, response.json()["code"]) == (403, "ENROLMENT_REQUIRED")


async def test_the_last_factor_of_such_a_role_stays(api: Api, boss: Member) -> None:
    await boss.enrol_app()
    assert (await boss.change("disableTotp"))["code"] == "FORBIDDEN"
    await boss.enrol_passkey()
    gone = await boss.change("disableTotp", FACTORS)
    assert gone["secondFactors"]["hasTotp"] is False
    (passkey,) = gone["secondFactors"]["passkeys"]
    assert (await boss.change("removePasskey", id=passkey["id"]))["code"] == "FORBIDDEN"


async def test_an_administrator_lets_somebody_in_again_who_lost_everything(api: Api, boss: Member) -> None:
    await boss.enrol_app()
    lost = await member(api, Role.MANAGER)
    await lost.enrol_app()
    await lost.enrol_passkey()
    before = lost.token
    done = await boss.change("resetUserFactors", "user { id }", userId=str(lost.id))
    assert done["user"]["id"] == str(lost.id)
    assert await api.code(ALERTS, who=before) == "UNAUTHENTICATED", "its sessions ended"
    assert (await lost.login())["__typename"] == "LoginSuccess"
    assert await api.code(ALERTS, who=lost.token) == "ENROLMENT_REQUIRED"
    assert (await lost.login(recoveryCode=lost.recovery_codes[0]))["__typename"] == "LoginSuccess"


async def test_nobody_but_an_administrator_resets_factors(api: Api, boss: Member) -> None:
    """OWASP API5:2023."""
    manager = await member(api, Role.MANAGER)
    await manager.enrol_app()
    assert (await manager.change("resetUserFactors", userId=str(boss.id)))["code"] == "FORBIDDEN"


async def test_a_session_of_before_this_was_kept_proved_a_password_when_it_began(api: Api) -> None:
    person = await api.person(Role.OPERATOR)
    assert "alerts" in await api.data(ALERTS, who=person)
    admin = await api.person(Role.ADMIN)
    assert await api.code(ALERTS, who=admin) == "ENROLMENT_REQUIRED"
    assert (await api.change("beginTotpEnrolment", {}, "secret", who=admin))["secret"]
    api.state.access_tokens.lifetime = timedelta(days=1)
    async with api.engine.begin() as connection:
        await connection.execute(
            sa.update(sessions)
            .where(sessions.c.id == admin.session_id)
            .values(created_at=api.clock.now() - timedelta(hours=1))
        )
    assert (await api.change("beginTotpEnrolment", {}, "secret", who=admin))["code"] == "STEP_UP_REQUIRED"


async def person_of(api: Api, who: Member) -> Person:
    claims = api.state.access_tokens.read(who.token, now=api.clock.now())
    return Person(who.id, claims.session_id, who.email, who.role, who.token)


async def test_administrators_see_who_has_no_second_factor_and_nobody_else_does(api: Api, boss: Member) -> None:
    """OWASP API3:2023: whom to phish first is nobody's business."""
    await boss.enrol_app()
    ada = await member(api, Role.OPERATOR)
    query = "{ users { nodes { id hasSecondFactor } } }"
    seen = {one["id"]: one["hasSecondFactor"] for one in (await api.data(query, who=boss.token))["users"]["nodes"]}
    assert (seen[str(boss.id)], seen[str(ada.id)]) == (True, False)
    seen = {one["id"]: one["hasSecondFactor"] for one in (await api.data(query, who=ada.token))["users"]["nodes"]}
    assert set(seen.values()) == {None}


def test_who_is_signed_in_can_always_be_shown() -> None:
    """A sign-in's answer shows the person: a plain field that failed would take the tokens along."""
    kind = SCHEMA.type_map["User"]
    assert isinstance(kind, GraphQLObjectType)
    guarded = {place for place in FIELDS if place.startswith("User.")}
    plain = {f"User.{name}" for name, field in kind.fields.items() if isinstance(field.type, GraphQLNonNull)}
    plain = {place for place in plain if is_leaf_type(get_named_type(kind.fields[place.split(".")[1]].type))}
    assert guarded & plain <= PROVING
