"""Is a provider believed only what holds? Each test lets one lie (OWASP API2:2023; ASVS 5 10.5, 9.1, 9.2)."""

import base64
import hashlib
import time
from typing import Any

import httpx2
import pytest
from joserfc.jwk import RSAKey
from pydantic import SecretStr, ValidationError

from domain.identity.identities import Vouched
from graphql_api.identity.providers import Departure, Provider, ProviderAway, ProviderRefused
from tests.hostile_provider import CLIENT, ISSUER, SECRET, HostileProvider, part, query_of
from tocsin.identity_providers import IdentityProvider

CALLBACK = "https://tocsin.test/auth/corp/callback"


def made(hostile: HostileProvider, **more: Any) -> Provider:  # noqa: ANN401
    settings = IdentityProvider.model_validate(
        {"name": "corp", "issuer": ISSUER, "client_id": CLIENT, "client_secret": SECRET, **more}
    )
    return Provider(settings, transport=hostile.transport)


async def arrive(hostile: HostileProvider, provider: Provider | None = None, **parameters: str) -> Vouched:
    provider = provider or made(hostile)
    departure = await provider.depart(CALLBACK)
    hostile.nonce = departure.nonce
    return await provider.arrive(departure, {"code": "c", **parameters}, callback=CALLBACK)


async def refused(hostile: HostileProvider, **parameters: str) -> str:
    with pytest.raises(ProviderRefused) as raised:
        await arrive(hostile, None, **parameters)
    return str(raised.value)


async def test_the_browser_is_sent_with_state_nonce_and_a_challenge() -> None:
    """ASVS 5 10.2.1, 10.4.6, 10.5.1: state, nonce, PKCE by S256."""
    hostile = HostileProvider()
    provider = made(hostile)
    first, second = await provider.depart(CALLBACK), await provider.depart(CALLBACK)
    asked = query_of(first.url)
    assert first.url.startswith(f"{ISSUER}/authorize?")
    assert asked["response_type"] == "code"
    assert asked["client_id"] == CLIENT
    assert asked["redirect_uri"] == CALLBACK
    assert asked["scope"] == "openid email profile"
    assert (asked["state"], asked["nonce"]) == (first.state, first.nonce)
    assert asked["code_challenge_method"] == "S256"
    digest = hashlib.sha256(first.verifier.encode()).digest()
    assert asked["code_challenge"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")
    assert len({first.state, second.state, first.nonce, second.nonce, first.verifier, second.verifier}) == 6
    assert SECRET not in first.url


async def test_what_an_honest_provider_says_is_believed() -> None:
    hostile = HostileProvider(claims={"given_name": "Ada", "family_name": "Lovelace"})
    vouched = await arrive(hostile)
    assert vouched == Vouched(
        provider="corp",
        subject="ada",
        email="ada@example.com",
        is_email_verified=True,
        first_name="Ada",
        last_name="Lovelace",
    )
    sent = hostile.form()
    assert (sent["code"], sent["redirect_uri"]) == ("c", CALLBACK)
    assert len(sent["code_verifier"]) == 48


def unsigned(claims: dict[str, Any]) -> str:
    return f"{part({'alg': 'none'})}.{part(claims)}."


async def test_an_id_token_without_a_signature_is_refused() -> None:
    """ASVS 5 9.1.2: `none`, be it in the provider's own list."""
    hostile = HostileProvider()
    provider = made(hostile)
    departure = await provider.depart(CALLBACK)
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": CLIENT, "sub": "ada", "iat": now, "exp": now + 300, "nonce": departure.nonce}
    hostile.id_token = unsigned(claims)
    with pytest.raises(ProviderRefused):
        await provider.arrive(departure, {"code": "c"}, callback=CALLBACK)


@pytest.mark.parametrize("kind", ["client secret", "public key"])
async def test_an_id_token_signed_by_what_others_know_is_refused(kind: str) -> None:
    """ASVS 5 9.1.2: algorithm confusion, HS256 with the client's secret or with the text of the public key."""
    hostile = HostileProvider(algorithm="HS256")
    hostile.signed_by = SECRET.encode() if kind == "client secret" else hostile.key.as_pem(private=False)
    await refused(hostile)


async def test_an_id_token_of_another_key_is_refused() -> None:
    await refused(HostileProvider(signed_by=RSAKey.generate_key(2048, {"kid": "k1"})))


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "another"},
        {"aud": "another", "azp": CLIENT},
        {"aud": [CLIENT, "another"]},
        {"aud": [CLIENT, "another"], "azp": "another"},
        {"aud": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 300},
        {"exp": 1},
        {"exp": None},
        {"iat": None},
        {"nonce": "of another sign-in"},
        {"nonce": None},
        {"nonce": ""},
        {"at_hash": "of-another-token"},
    ],
    ids=str,
)
async def test_a_claim_that_does_not_hold_is_refused(claims: dict[str, Any]) -> None:
    """ASVS 5 9.2.1, 9.2.3, 10.5.1 to 10.5.4: issuer, audience, subject, times, nonce replay."""
    await refused(HostileProvider(claims=claims))


async def test_a_token_answer_without_an_id_token_is_refused() -> None:
    await refused(HostileProvider(token={"access_token": "at", "token_type": "Bearer"}))


async def test_an_answer_of_another_issuer_is_refused() -> None:
    """ASVS 5 10.2.2: mix-up. A provider that says it names itself must do so."""
    assert "issuer" in await refused(HostileProvider(), iss="https://evil.example")
    always = HostileProvider(metadata={"authorization_response_iss_parameter_supported": True})
    assert "issuer" in await refused(always)
    assert not [request for request in always.asked if request.url.path == "/token"]
    assert (await arrive(always, iss=ISSUER)).subject == "ada"


async def test_userinfo_of_somebody_else_is_refused() -> None:
    """OpenID Connect Core 5.3.2: token substitution."""
    hostile = HostileProvider(claims={"email": None}, userinfo={"sub": "eve", "email": "ada@example.com"})
    assert "another subject" in await refused(hostile)


async def test_an_address_may_come_with_userinfo() -> None:
    told = {"email": "ada@example.com", "email_verified": True}
    hostile = HostileProvider(claims={"email": None, "email_verified": None}, userinfo=told)
    vouched = await arrive(hostile)
    assert (vouched.email, vouched.is_email_verified) == ("ada@example.com", True)


@pytest.mark.parametrize("said", [None, False, "false", 1, "yes", [True], {}])
async def test_an_address_is_verified_only_when_it_is_said_so(said: object) -> None:
    """API2:2023: account takeover by an address that nobody checked."""
    hostile = HostileProvider(claims={"email_verified": said})
    assert not (await arrive(hostile)).is_email_verified
    hostile = HostileProvider(claims={"email_verified": said})
    assert (await arrive(hostile, made(hostile, trust_email=True))).is_email_verified


async def test_a_second_factor_is_the_providers_word_only_where_it_is_trusted() -> None:
    for trust, amr, expected in ((False, ["mfa"], False), (True, ["pwd"], False), (True, ["pwd", "mfa"], True)):
        hostile = HostileProvider(claims={"amr": amr})
        assert (await arrive(hostile, made(hostile, trust_mfa=trust))).has_second_factor is expected


async def test_a_no_of_the_provider_is_a_refusal() -> None:
    assert "access_denied" in await refused(HostileProvider(), error="access_denied", code="")
    assert "no code" in await refused(HostileProvider(), code="")
    spent = HostileProvider(token={"error": "invalid_grant", "error_description": "used"}, status=400)
    assert "invalid_grant" in await refused(spent)


@pytest.mark.parametrize(
    "hostile",
    [
        HostileProvider(is_down=True),
        HostileProvider(metadata={"issuer": "https://evil.example"}),
        HostileProvider(metadata={"issuer": None}),
        HostileProvider(metadata={"authorization_endpoint": None}),
    ],
    ids=["down", "another issuer", "no issuer", "no endpoint"],
)
async def test_a_provider_that_is_away_or_another_is_said_so(hostile: HostileProvider) -> None:
    with pytest.raises(ProviderAway):
        await made(hostile).depart(CALLBACK)


@pytest.mark.parametrize(
    "changes", [{"token": "<html>oops</html>"}, {"token": "<html>oops</html>", "status": 502}, {"token": [1]}]
)
async def test_an_answer_that_is_none_is_no_error_of_ours(changes: dict[str, Any]) -> None:
    hostile = HostileProvider(**changes)
    with pytest.raises((ProviderAway, ProviderRefused)):
        await arrive(hostile)


async def test_a_provider_that_comes_back_is_asked_again() -> None:
    hostile = HostileProvider(is_down=True)
    provider = made(hostile)
    with pytest.raises(ProviderAway):
        await provider.depart(CALLBACK)
    hostile.is_down = False
    assert (await provider.depart(CALLBACK)).url


async def test_keys_that_were_replaced_are_fetched_anew() -> None:
    hostile = HostileProvider()
    provider = made(hostile)
    await arrive(hostile, provider)
    hostile.key = RSAKey.generate_key(2048, {"kid": "k2"})
    departure = await provider.depart(CALLBACK)
    hostile.nonce = departure.nonce
    hostile.key_id = "k2"
    assert (await provider.arrive(departure, {"code": "c"}, callback=CALLBACK)).subject == "ada"


# --- GitHub: OAuth 2 without OpenID ---------------------------------------------------------------------------------

GITHUB = IdentityProvider(name="github", preset="github", client_id="gh", client_secret=SecretStr("s"))


def github(user: Any, emails: Any, asked: list[httpx2.Request]) -> Provider:  # noqa: ANN401
    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        answers = {
            "https://github.com/login/oauth/access_token": {"access_token": "gho", "token_type": "bearer", "scope": ""},
            "https://api.github.com/user": user,
            "https://api.github.com/user/emails": emails,
        }
        return httpx2.Response(200, json=answers[str(request.url)])

    return Provider(GITHUB, transport=httpx2.MockTransport(answer))


EMAILS = [
    {"email": "old@example.com", "primary": False, "verified": True},
    {"email": "ada@example.com", "primary": True, "verified": True},
]


async def by_github(user: Any, emails: Any) -> Vouched:  # noqa: ANN401
    asked: list[httpx2.Request] = []
    provider = github(user, emails, asked)
    departure = await provider.depart(CALLBACK)
    assert departure.url.startswith("https://github.com/login/oauth/authorize?")
    assert query_of(departure.url)["code_challenge_method"] == "S256"
    vouched = await provider.arrive(departure, {"code": "c"}, callback=CALLBACK)
    assert [request.headers["authorization"] for request in asked[1:]] == ["Bearer gho"] * 2
    return vouched


async def test_github_is_asked_for_its_number_and_the_verified_primary_address() -> None:
    vouched = await by_github({"id": 42, "login": "ada", "name": "Ada King Lovelace", "email": "x@y.z"}, EMAILS)
    assert vouched == Vouched(
        provider="github",
        subject="42",
        email="ada@example.com",
        is_email_verified=True,
        first_name="Ada",
        last_name="King Lovelace",
    )


@pytest.mark.parametrize(
    "emails",
    [
        [],
        [{"email": "ada@example.com", "primary": True, "verified": False}],
        [{"email": "ada@example.com", "primary": False, "verified": True}],
        [{"email": "ada@example.com", "primary": True, "verified": "true"}],
    ],
)
async def test_any_other_address_of_github_is_none(emails: list[dict[str, Any]]) -> None:
    """API2:2023: the public profile's address and unverified ones prove nothing."""
    vouched = await by_github({"id": 42, "email": "ada@example.com"}, emails)
    assert (vouched.email, vouched.is_email_verified) == (None, False)


@pytest.mark.parametrize("user", [{}, {"id": None}, [], {"id": "x"}])
async def test_an_answer_of_github_that_names_nobody_is_not_believed(user: Any) -> None:  # noqa: ANN401
    with pytest.raises((ProviderAway, ProviderRefused)):
        await by_github(user, EMAILS)


async def test_a_callback_that_lost_its_sign_in_cannot_finish() -> None:
    hostile = HostileProvider()
    provider = made(hostile)
    lost = Departure(url="", state="s", verifier="v", nonce=None)
    with pytest.raises(ProviderRefused):
        await provider.arrive(lost, {"code": "c"}, callback=CALLBACK)


# --- What may be set up ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [
        {"name": "X"},
        {"name": "a/b"},
        {"issuer": "http://id.example.com"},
        {"issuer": "ftp://id.example.com"},
        {"issuer": ""},
        {"preset": "microsoft"},
        {"preset": "microsoft", "tenant": "common"},
        {"preset": "microsoft", "tenant": "example.com"},
        {"preset": "facebook"},
        {"preset": "github", "url": "http://github.internal"},
        {"unknown": 1},
        {"client_id": ""},
    ],
    ids=str,
)
def test_a_provider_that_cannot_be_trusted_is_not_set_up(given: dict[str, Any]) -> None:
    """ASVS 5 12.3.1: only https, and a directory of one's own."""
    whole = {"name": "corp", "issuer": ISSUER, "client_id": CLIENT, "client_secret": SECRET}
    with pytest.raises(ValidationError) as raised:
        IdentityProvider.model_validate({**whole, **({"issuer": ""} if "preset" in given else {}), **given})
    assert SECRET not in str(raised.value)


def test_presets_know_their_addresses() -> None:
    def preset(**given: str) -> IdentityProvider:
        return IdentityProvider.model_validate({"client_id": "c", "client_secret": "s", **given})

    assert preset(name="google", preset="google").issuer == "https://accounts.google.com"
    assert preset(name="google", preset="google").label == "Google"
    assert preset(name="gh", preset="github").label == "GitHub"
    tenant = "9188040d-6c67-4c5b-b112-36a304b66dad"
    issuer = preset(name="ms", preset="microsoft", tenant=tenant).issuer
    assert issuer == f"https://login.microsoftonline.com/{tenant}/v2.0"
    assert preset(name="here", issuer="http://127.0.0.1:9000").label == "Here"
