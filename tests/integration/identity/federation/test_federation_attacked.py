"""What is refused on the way to an OpenID provider and back, and what does a page say of it?"""

from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from domain.identity.model import Role
from graphql_api.identity.browser_session import COST
from persistence.tables import federation_flows
from tests.api import Api, api_settings, running_api
from tests.integration.identity.federation.ways import at_provider, failures, rows, settings
from tests.services.oidc import OidcProvider
from tests.services.ports import free_port
from tests.visitor import OURS, Visitor, visitor


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
    nowhere = {"name": "corp", "issuer": f"http://127.0.0.1:{free_port()}", "client_id": "c", "client_secret": "s"}
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
