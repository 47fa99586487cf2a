"""Signing in through a real, certified OpenID provider over HTTP: who gets in, who is linked, and what is refused."""

import base64
import hashlib
import re
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest
import sqlalchemy as sa

from domain.identity.identities import Identity
from domain.identity.model import Role
from domain.ids import new_id
from graphql_api.identity.browser_session import COST
from persistence.tables import audit_log, federation_codes, federation_flows, identities, outgoing_mail, users
from tests.api import PASSWORD, Api, api_settings, running_api
from tests.second_factors import Member, member
from tests.services.errors import UnavailableError
from tests.services.oidc import OidcProvider, oidc_provider
from tests.services.ports import free_port
from tests.visitor import OURS, Visitor, visitor

CALLBACK = f"{OURS}/auth/corp/callback"
LOGIN = {"email": "ada@example.com", "password": PASSWORD}
VERIFIER = "a verifier that only the program knows, long enough"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
TOKENS = "accessToken refreshToken user { email role }"
IDENTITIES = "{ me { identities { id provider createdAt lastUsedAt } } }"


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OidcProvider]:
    folder = tmp_path_factory.mktemp("oidc")
    try:
        with oidc_provider(folder, port=free_port(), callbacks=[CALLBACK]) as running:
            yield running
    except UnavailableError as error:
        pytest.skip(f"oidc-provider: {error}")


def settings(provider: OidcProvider, url: str, folder: Path, **more: object) -> Any:  # noqa: ANN401
    given = {"public_url": OURS, "oidc_providers": [provider.setting()], **more}
    return api_settings(url, folder, **given)


@pytest.fixture
async def api(provider: OidcProvider, application_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    """A server where providers let people in."""
    async with running_api(settings(provider, application_url, tmp_path, oidc_sign_up=True)) as opened:
        yield opened


@pytest.fixture
async def closed(provider: OidcProvider, application_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    """A server where they let nobody in and link nobody."""
    async with running_api(settings(provider, application_url, tmp_path)) as opened:
        yield opened


async def at_provider(browser: Visitor, name: str, *, start: str = "/auth/corp/start") -> str:
    """Begin, sign in at the provider and agree; the address it sends the browser back to."""
    page = await browser.follow(await browser.open(start), until=OURS)
    if page.is_redirect:  # who is signed in at the provider is not asked again
        return str(page.extensions["target"])
    assert page.status_code == 200, page.text
    page = await browser.follow(await browser.submit(page, login=name, password="any"), until=OURS)
    if not page.is_redirect:
        page = await browser.follow(await browser.submit(page), until=OURS)
    target: str = page.extensions["target"]
    assert target.startswith(CALLBACK), target
    return target


async def sign_in(browser: Visitor, name: str, *, start: str = "/auth/corp/start") -> httpx2.Response:
    """All the way."""
    return await browser.open(await at_provider(browser, name, start=start), sec_fetch_site="cross-site")


async def make_ada(api: Api, *, verified: bool = False) -> str:
    admin = await api.person(Role.ADMIN)
    made = await api.change("createUser", {**LOGIN, "role": "OPERATOR"}, "user { id }", who=admin)
    if verified:
        async with api.engine.begin() as connection:
            await connection.execute(
                sa.update(users).where(users.c.id == made["user"]["id"]).values(email_verified_at=sa.func.now())
            )
    return str(made["user"]["id"])


async def failures(api: Api) -> list[Any]:
    async with api.engine.connect() as connection:
        statement = sa.select(audit_log).where(audit_log.c.action == "login", audit_log.c.outcome == "failed")
        return list(await connection.execute(statement))


async def rows(api: Api, table: sa.Table) -> int:
    async with api.engine.connect() as connection:
        return int(await connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0)


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
    answer = await take_over(api, code)
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


# --- Attacks on the way ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "place",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/%0d%0aset-cookie:a=b",
        "x",
        "",
    ],
)
async def test_a_browser_is_sent_back_to_this_server_alone(browser: Visitor, place: str) -> None:
    """API8:2023; ASVS 5 3.7.2: open redirect, header injection."""
    encoded = place if "%" in place else urlencode({"r": place})[2:]
    response = await browser.open(f"/auth/corp/start?return_to={encoded}")
    assert response.status_code == 400
    assert "location" not in response.headers


async def test_an_answer_that_another_browser_asked_for_signs_nobody_in(api: Api, browser: Visitor) -> None:
    """API2:2023; ASVS 5 10.2.1: login CSRF. The attacker's own answer, opened by the victim."""
    target = await at_provider(browser, "grace")
    async with visitor(api) as victim:
        assert (await victim.open(target, sec_fetch_site="cross-site")).status_code == 400
        # Nor when the victim has a sign-in of their own under way.
        await victim.open("/auth/corp/start")
        page = await victim.open(target, sec_fetch_site="cross-site")
        assert (page.status_code, victim.cookies()) == (400, set())


async def test_an_answer_counts_once(api: Api, browser: Visitor) -> None:
    """API2:2023; ASVS 5 10.2.1, 10.4.2: state, nonce and code replay, with all cookies put back."""
    target = await at_provider(browser, "ada")
    flow = {cookie.name: cookie.value for cookie in browser.here.cookies.jar}
    assert (await browser.open(target)).status_code == 303
    async with visitor(api) as thief:
        response = await thief.here.get(
            target, headers={"cookie": "; ".join(f"{name}={value}" for name, value in flow.items())}
        )
        assert (response.status_code, thief.cookies()) == (400, set())
    assert await rows(api, federation_flows) == 1


async def test_an_answer_that_comes_too_late_is_refused(api: Api, browser: Visitor) -> None:
    target = await at_provider(browser, "ada")
    api.clock.ahead = timedelta(minutes=10, seconds=1)
    assert (await browser.open(target)).status_code == 400


@pytest.mark.parametrize("state", ["", "another", "é", "\x00"])
async def test_a_state_that_is_not_ours_is_refused(browser: Visitor, state: str) -> None:
    target = urlsplit(await at_provider(browser, "ada"))
    query = {name: values[0] for name, values in parse_qs(target.query).items()}
    page = await browser.open(f"/auth/corp/callback?{urlencode({**query, 'state': state})}")
    assert (page.status_code, browser.cookies()) == (400, set())


async def test_a_code_of_another_sign_in_does_not_fit(api: Api, browser: Visitor) -> None:
    """ASVS 5 10.4.6: PKCE. A code injected into a sign-in that did not ask for it."""
    stolen = parse_qs(urlsplit(await at_provider(browser, "ada")).query)["code"][0]
    async with visitor(api) as attacker:
        own = urlsplit(await at_provider(attacker, "grace"))
        query = {name: values[0] for name, values in parse_qs(own.query).items()}
        page = await attacker.open(f"/auth/corp/callback?{urlencode({**query, 'code': stolen})}")
        assert (page.status_code, attacker.cookies()) == (403, set())
    assert len(await failures(api)) == 1


async def test_an_answer_of_another_issuer_is_refused(browser: Visitor) -> None:
    """ASVS 5 10.2.2: mix-up."""
    target = urlsplit(await at_provider(browser, "ada"))
    query = {name: values[0] for name, values in parse_qs(target.query).items()}
    assert query["iss"].startswith("http://127.0.0.1:")
    page = await browser.open(f"/auth/corp/callback?{urlencode({**query, 'iss': 'https://evil.example'})}")
    assert (page.status_code, browser.cookies()) == (403, set())


async def test_who_says_no_at_the_provider_sees_a_page(browser: Visitor) -> None:
    response = await browser.open("/auth/corp/start")
    state = parse_qs(urlsplit(response.headers["location"]).query)["state"][0]
    issuer = response.headers["location"].partition("/auth?")[0]
    query = {"error": "access_denied", "error_description": "<script>alert(1)</script>", "state": state, "iss": issuer}
    page = await browser.open(f"/auth/corp/callback?{urlencode(query)}")
    assert page.status_code == 403
    assert "The sign-in was refused" in page.text
    assert "<script>" not in page.text


async def test_a_page_says_nothing_that_somebody_else_put_into_the_address(browser: Visitor) -> None:
    """ASVS 5 1.2.1: reflected scripts."""
    for path in ("/auth/%3Cscript%3E/start", "/auth/corp/callback?state=%3Cscript%3E&error=%3Cscript%3E"):
        page = await browser.open(path)
        assert page.status_code in {400, 404}
        assert "<script>" not in page.text
        assert page.headers["content-security-policy"].startswith("default-src 'none'")
        assert page.headers["cache-control"] == "no-store"


async def test_looking_at_the_answer_without_taking_it_spends_nothing(browser: Visitor) -> None:
    """A scanner of links asks by HEAD first."""
    target = await at_provider(browser, "ada")
    assert (await browser.here.head(target)).status_code == 405
    assert (await browser.open(target)).status_code == 303


async def test_a_provider_that_is_away_is_said_so(application_url: str, tmp_path: Path) -> None:
    nowhere = {
        "name": "corp",
        "issuer": f"http://127.0.0.1:{free_port()}",
        "client_id": "c",
        "client_secret": "s",
    }
    given = api_settings(application_url, tmp_path, public_url=OURS, oidc_providers=[nowhere])
    async with running_api(given) as api, visitor(api) as browser:
        page = await browser.open("/auth/corp/start")
        assert (page.status_code, "does not answer just now" in page.text) == (502, True)
        assert (await browser.open("/auth/unknown/start")).status_code == 404
        assert (await api.change("linkIdentity", {"provider": "x"}, "startUrl", who=await api.person(Role.VIEWER)))[
            "code"
        ] == "NOT_FOUND"


async def test_a_place_that_asks_too_often_is_slowed_down(
    provider: OidcProvider, application_url: str, tmp_path: Path
) -> None:
    """API4:2023: each start asks the provider, each answer writes a row."""
    given = settings(provider, application_url, tmp_path, rate_limit_stranger=4 * COST)
    async with running_api(given) as api, visitor(api) as browser:
        statuses = [(await browser.open("/auth/corp/start")).status_code for _ in range(6)]
        assert statuses == [303] * 4 + [429] * 2
        page = await browser.open("/auth/corp/callback")
        assert page.status_code == 429
        assert int(page.headers["retry-after"]) > 0


async def test_nothing_of_a_sign_in_is_in_the_log(
    api: Api, browser: Visitor, capsys: pytest.CaptureFixture[str]
) -> None:
    """ASVS 5 16.2.5: no code, state, verifier or token is logged."""
    target = await at_provider(browser, "ada")
    await browser.open(target)
    said = "".join(capsys.readouterr())
    for secret in (parse_qs(urlsplit(target).query)["code"][0], parse_qs(urlsplit(target).query)["state"][0]):
        assert secret not in said
