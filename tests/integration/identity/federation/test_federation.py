"""Signing in through a real, certified OpenID provider over HTTP: who gets in, and who is linked."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from domain.identity.identities import Identity
from domain.ids import new_id
from persistence.tables import audit_log, federation_codes, identities, outgoing_mail, users
from tests.api import Api, running_api
from tests.integration.identity.federation.ways import (
    CHALLENGE,
    IDENTITIES,
    LOGIN,
    TOKENS,
    VERIFIER,
    at_provider,
    failures,
    make_ada,
    rows,
    settings,
    sign_in,
)
from tests.second_factors import Member, member
from tests.services.oidc import OidcProvider
from tests.visitor import OURS, Visitor, visitor

# --- Getting in -----------------------------------------------------------------------------------------------------


async def test_somebody_new_is_let_in_and_comes_back_as_the_same_person(api: Api, browser: Visitor) -> None:
    response = await sign_in(browser, "ada", start="/auth/corp/start?return_to=/console/%3Ftab%3D1")
    assert (response.status_code, response.headers["location"]) == (303, "/console/?tab=1")
    assert browser.cookies() == {"__Host-tocsin_access", "__Host-tocsin_refresh"}
    me = (await browser.data("{ me { id email name role } }"))["me"]
    assert {**me, "id": ""} == {"id": "", "email": "ada@example.com", "name": "Ada Lovelace", "role": "VIEWER"}
    async with visitor(api) as another:
        await sign_in(another, "ada")
        assert (await another.data("{ me { id } }"))["me"]["id"] == me["id"]
    (linked,) = (await browser.data(IDENTITIES))["me"]["identities"]
    assert linked["provider"] == "corp"
    assert linked["lastUsedAt"] >= linked["createdAt"]


async def test_the_page_of_a_console_can_show_the_buttons(api: Api, browser: Visitor) -> None:
    found = await api.data("{ identityProviders { name label startUrl } }")
    assert found["identityProviders"] == [
        {"name": "corp", "label": "Example Corp", "startUrl": f"{OURS}/auth/corp/start"}
    ]


async def test_the_role_of_those_let_in_is_set_by_the_operator_and_never_more(
    provider: OidcProvider, application_url: str, tmp_path: Path
) -> None:
    """API3:2023: nobody makes themselves an administrator by coming through a provider."""
    given = settings(provider, application_url, tmp_path, oidc_sign_up=True, oidc_sign_up_role="operator")
    async with running_api(given) as api, visitor(api) as browser:
        await sign_in(browser, "grace")
        assert (await browser.data("{ me { role } }"))["me"]["role"] == "OPERATOR"
    for role in ("admin", "manager"):
        with pytest.raises(ValueError, match="oidc_sign_up_role"):
            settings(provider, application_url, tmp_path, oidc_sign_up_role=role)


async def test_nobody_is_let_in_where_that_is_not_allowed(closed: Api) -> None:
    async with visitor(closed) as browser:
        page = await sign_in(browser, "grace")
        assert (page.status_code, "You are not known here" in page.text) == (403, True)
        assert browser.cookies() == set()
    assert len(await failures(closed)) == 1
    assert await rows(closed, identities) == 0


async def test_an_address_that_nobody_verified_opens_nothing_and_tells_nothing(api: Api) -> None:
    """API2:2023: a provider where anybody may claim an address. The answer is the same for an address on file."""
    async with visitor(api) as browser:
        before = await sign_in(browser, "mallory")
    await make_ada(api, verified=True)
    async with visitor(api) as browser:
        after = await sign_in(browser, "mallory")
    async with visitor(api) as browser:
        nameless = await sign_in(browser, "nameless")
    assert before.text == after.text == nameless.text
    assert before.status_code == after.status_code == 403
    assert await rows(api, identities) == 0


async def test_a_known_address_is_not_taken_over_but_linked_by_its_owner(closed: Api) -> None:
    """API2:2023: an account is not given away for an address, be it verified, unless the operator says so."""
    await make_ada(closed, verified=True)
    async with visitor(closed) as browser:
        page = await sign_in(browser, "ada")
        assert (page.status_code, "is here already" in page.text) == (409, True)
        assert browser.cookies() == set()
    assert await rows(closed, identities) == 0


@pytest.mark.parametrize("is_proved", [True, False])
async def test_where_it_is_allowed_an_address_proved_on_both_sides_links_by_itself(
    provider: OidcProvider, application_url: str, tmp_path: Path, is_proved: bool
) -> None:
    """API2:2023, pre-hijacking: an account somebody made for another's address is not handed its owner's sign-in."""
    async with running_api(settings(provider, application_url, tmp_path, oidc_link_by_email=True)) as api:
        ada = await make_ada(api, verified=is_proved)
        async with visitor(api) as browser:
            response = await sign_in(browser, "ada")
            assert response.status_code == (303 if is_proved else 409)
            me = (await browser.data("{ me { id } }"))["me"]
            assert me == ({"id": ada} if is_proved else None)


async def test_a_person_who_was_switched_off_stays_out(api: Api, browser: Visitor) -> None:
    await sign_in(browser, "ada")
    async with api.engine.begin() as connection:
        await connection.execute(sa.update(users).values(is_active=False))
    async with visitor(api) as another:
        page = await sign_in(another, "ada")
        assert (page.status_code, another.cookies()) == (403, set())


# --- Linking --------------------------------------------------------------------------------------------------------


async def actions(api: Api) -> list[str]:
    """What is on the audit log, in order."""
    async with api.engine.connect() as connection:
        statement = sa.select(audit_log.c.action).where(audit_log.c.outcome == "done").order_by(audit_log.c.seq)
        return list(await connection.scalars(statement))


async def linked_start(browser: Visitor) -> str:
    started = await browser.change("linkIdentity", {"provider": "corp"}, "startUrl")
    return str(started["startUrl"])


async def test_a_person_links_a_provider_signs_in_by_it_and_unlinks_it(closed: Api) -> None:
    ada = await make_ada(closed)
    async with visitor(closed) as browser:
        await browser.change("login", LOGIN, TOKENS)
        start = f"{await linked_start(browser)}&return_to=/console/"
        response = await sign_in(browser, "grace", start=start)  # another address than the account's: so be it
        assert (response.status_code, response.headers["location"]) == (303, "/console/")
        (linked,) = (await browser.data(IDENTITIES))["me"]["identities"]
        async with visitor(closed) as another:
            await sign_in(another, "grace")
            assert (await another.data("{ me { id } }"))["me"] == {"id": ada}
        answer = await browser.change("unlinkIdentity", {"id": linked["id"]}, "identity { provider }")
        assert answer["identity"]["provider"] == "corp"
        assert set(await actions(closed)) >= {"linkIdentity", "unlinkIdentity"}
        again = await browser.change("unlinkIdentity", {"id": linked["id"]}, "identity { provider }")
        assert again["code"] == "NOT_FOUND"
        async with visitor(closed) as another:
            assert (await sign_in(another, "grace")).status_code == 403


async def test_a_new_way_in_is_told_by_mail(closed: Api) -> None:
    """ASVS 5 6.3.7: whoever did not do it themselves learns of it."""
    await make_ada(closed)
    async with visitor(closed) as browser:
        await browser.change("login", LOGIN, TOKENS)
        await sign_in(browser, "grace", start=await linked_start(browser))
        (linked,) = (await browser.data(IDENTITIES))["me"]["identities"]
        await browser.change("unlinkIdentity", {"id": linked["id"]}, "identity { id }")
    assert await rows(closed, outgoing_mail) == 2


async def test_the_last_way_in_is_not_taken_away(api: Api, browser: Visitor) -> None:
    await sign_in(browser, "ada")  # no password
    (linked,) = (await browser.data(IDENTITIES))["me"]["identities"]
    refused = await browser.change("unlinkIdentity", {"id": linked["id"]}, "identity { id }")
    assert refused["code"] == "FORBIDDEN"
    assert len((await browser.data(IDENTITIES))["me"]["identities"]) == 1


async def test_an_account_of_another_person_is_not_linked_nor_unlinked(api: Api, browser: Visitor) -> None:
    """API1:2023: two people, one provider's account."""
    await sign_in(browser, "grace")
    (theirs,) = (await browser.data(IDENTITIES))["me"]["identities"]
    await make_ada(api)
    async with visitor(api) as other:
        await other.change("login", LOGIN, TOKENS)
        page = await sign_in(other, "grace", start=await linked_start(other))
        assert (page.status_code, "Linked already" in page.text) == (409, True)
        refused = await other.change("unlinkIdentity", {"id": theirs["id"]}, "identity { id }")
        assert refused["code"] == "NOT_FOUND"


async def test_a_ticket_is_of_use_in_its_own_browser_alone(closed: Api) -> None:
    """API2:2023: nobody is made to link their account at a provider to somebody else's account here."""
    await make_ada(closed)
    async with visitor(closed) as attacker, visitor(closed) as victim:
        await attacker.change("login", LOGIN, TOKENS)
        start = await linked_start(attacker)
        assert (await victim.open(start)).status_code == 403
        # Nor does a link on another site start it in the browser it is for.
        assert (await attacker.open(start, sec_fetch_site="cross-site")).status_code == 403
        assert (await attacker.open(f"{start}x")).status_code == 403
        closed.clock.ahead = timedelta(minutes=5, seconds=1)
        assert (await attacker.open(start)).status_code == 403


async def test_nothing_is_linked_to_a_session_that_has_ended_meanwhile(closed: Api) -> None:
    await make_ada(closed)
    async with visitor(closed) as browser:
        await browser.change("login", LOGIN, TOKENS)
        target = await at_provider(browser, "grace", start=await linked_start(browser))
        await browser.change("logout", {}, "clientMutationId")
        assert (await browser.open(target, sec_fetch_site="cross-site")).status_code == 403
    assert await rows(closed, identities) == 0


# --- Second factors -------------------------------------------------------------------------------------------------


async def linked_member(api: Api, subject: str) -> Member:
    """Somebody with an authenticator app, who signs in by the provider."""
    someone = await member(api)
    await someone.enrol_app()
    now = api.clock.now()
    identity = Identity(id=new_id(), user_id=someone.id, provider="corp", subject=subject, created_at=now)
    async with api.state.uow() as uow:
        assert await uow.identities.add(identity)
        await uow.commit()
    return someone


async def test_a_provider_does_not_stand_in_for_the_second_factor(closed: Api) -> None:
    """API2:2023; ASVS 5 6.3.3: the form asks for it, and takes it once."""
    someone = await linked_member(closed, "ada")
    async with visitor(closed) as browser:
        page = await sign_in(browser, "ada", start="/auth/corp/start?return_to=/console/")
        assert (page.status_code, browser.cookies()) == (200, set())
        assert "form-action 'self'" in page.headers["content-security-policy"]
        wrong = await browser.submit(page, code="000000")
        assert (wrong.status_code, browser.cookies()) == (403, set())
        code = someone.code()
        response = await browser.submit(wrong, code=code)
        assert (response.status_code, response.headers["location"]) == (303, "/console/")
        assert await browser.me() == someone.email
    async with visitor(closed) as again:
        page = await sign_in(again, "ada")
        assert (await again.submit(page, code=code)).status_code == 403
        assert (await again.submit(page, code=someone.recovery_codes[0])).status_code == 303
        assert await again.me() == someone.email


async def test_the_form_of_another_site_signs_nobody_in(closed: Api) -> None:
    """API8:2023, login CSRF: an attacker's challenge and code, sent by the victim's browser."""
    someone = await linked_member(closed, "ada")
    async with visitor(closed) as attacker, visitor(closed) as victim:
        page = await sign_in(attacker, "ada")
        fields = dict(part.split('" value="') for part in re.findall(r'name="(\w+" value="[^"]*)"', page.text))
        sent = {**fields, "code": someone.code()}
        for headers in ({"origin": "https://evil.example"}, {"origin": "null"}, {}, {"sec-fetch-site": "cross-site"}):
            response = await victim.here.post("/auth/second-factor", data=sent, headers=headers)
            assert (response.status_code, victim.cookies()) == (403, set())
        ours = {"origin": OURS, "sec-fetch-site": "same-origin"}
        outside = await victim.here.post(
            "/auth/second-factor", data={**sent, "return_to": "//evil.example"}, headers=ours
        )
        assert outside.status_code == 400
        for body in (b"", b"\xff\xfe", b"a=b&" * 2000):
            nonsense = await victim.here.post("/auth/second-factor", content=body, headers=ours)
            assert nonsense.status_code == 400


async def test_a_program_is_asked_for_the_second_factor_as_well(closed: Api) -> None:
    someone = await linked_member(closed, "ada")
    async with visitor(closed) as browser:
        code = await code_of(browser)
    query = """mutation($input: CompleteFederatedSignInInput!) { completeFederatedSignIn(input: $input) {
      __typename ... on SecondFactorRequired { challenge methods } } }"""
    answer = await closed.data(query, {"input": {"code": code, "verifier": VERIFIER}})
    asked = answer["completeFederatedSignIn"]
    assert asked["__typename"] == "SecondFactorRequired"
    what = {"challenge": asked["challenge"], "totpCode": someone.code()}
    done = await closed.change("completeLogin", what, "user { id }", who=None)
    assert done["user"]["id"] == str(someone.id)


# --- Programs -------------------------------------------------------------------------------------------------------


async def code_of(browser: Visitor) -> str:
    page = await sign_in(browser, "ada", start=f"/auth/corp/start?challenge={CHALLENGE}")
    assert page.status_code == 200
    return page.text.partition("<code>")[2].partition("</code>")[0]


async def take_over(api: Api, code: str, verifier: str = VERIFIER) -> dict[str, Any]:
    return await api.change("completeFederatedSignIn", {"code": code, "verifier": verifier}, TOKENS, who=None)


async def test_a_program_takes_the_sign_in_over_by_a_code(api: Api, browser: Visitor) -> None:
    code = await code_of(browser)
    assert browser.cookies() == set()  # the browser is not signed in
    before = await actions(api)
    answer = await take_over(api, code)
    assert (await actions(api))[len(before) :] == ["login"]
    assert answer["user"]["email"] == "ada@example.com"
    assert (await api.data("{ me { email } }", who=answer["accessToken"]))["me"]["email"] == "ada@example.com"


async def test_a_code_is_good_once_in_time_and_with_its_verifier(api: Api, browser: Visitor) -> None:
    """API2:2023; ASVS 5 10.4.2: code replay, and a code that was seen by others."""
    code = await code_of(browser)
    assert (await take_over(api, code))["__typename"] == "CompleteFederatedSignInSuccess"
    refused = await take_over(api, code)
    assert refused["code"] == "INVALID_CREDENTIALS"
    stolen = await code_of(browser)
    assert (await take_over(api, stolen, "what the thief guesses")) == refused
    assert (await take_over(api, stolen)) == refused  # spent by the wrong one
    late = await code_of(browser)
    api.clock.ahead = timedelta(minutes=2, seconds=1)
    assert (await take_over(api, late)) == refused
    for nonsense in ("", "x", "é" * 100):
        assert (await take_over(api, nonsense)) == refused
    assert await rows(api, federation_codes) == 0


@pytest.mark.parametrize("challenge", ["", "short", "x" * 44, "é" * 43, CHALLENGE[:-1] + "%0a"])
async def test_a_challenge_that_is_none_is_refused(browser: Visitor, challenge: str) -> None:
    assert (await browser.open(f"/auth/corp/start?challenge={challenge}")).status_code == 400
