"""Attacks on second factors, each named after what it tries (T13)."""

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa

from domain.identity import guessing
from domain.identity.challenges import MAX_ATTEMPTS
from domain.identity.model import Role
from domain.identity.sign_in import WRONG
from graphql_api.identity.factors.mutations import FactorMutations
from persistence.tables import code_guesses
from tests.api import PASSWORD, Api
from tests.second_factors import LOGIN, TOKENS, Member, member


def wrong_codes(who: Member, number: int) -> list[str]:
    near = {who.code(steps=steps) for steps in range(-3, 4)}
    return [code for code in (f"{start:06d}" for start in range(100, 200)) if code not in near][:number]


async def complete(api: Api, challenge: str, **proof: object) -> dict[str, Any]:
    return await api.change("completeLogin", {"challenge": challenge, **proof}, TOKENS, who=None)


async def forget_places(api: Api) -> None:
    """As if each attempt came from elsewhere: what is left is the person's own limit."""
    assert api.state.redis is None
    api.state.limiter._here.clear()  # noqa: SLF001 - there is no other way to be elsewhere


async def test_guessing_codes_is_slowed_per_person_from_wherever_it_comes(api: Api, ada: Member) -> None:
    """ASVS 5 V6.3.1, V6.6.3: brute force of a code by who has the password."""
    await ada.enrol_app()
    for code in wrong_codes(ada, guessing.FREE):
        challenge = (await ada.login())["challenge"]
        assert (await complete(api, challenge, totpCode=code))["code"] == "INVALID_CREDENTIALS"
        await forget_places(api)
    challenge = (await ada.login())["challenge"]
    refused = await complete(api, challenge, totpCode=ada.code())
    assert refused["code"] == "TOO_MANY_ATTEMPTS", "the right code has to wait as well"
    api.clock.ahead += guessing.FIRST_WAIT
    challenge = (await ada.login())["challenge"]
    assert (await complete(api, challenge, totpCode=ada.code()))["__typename"] == "CompleteLoginSuccess"
    async with api.engine.connect() as connection:
        row = (await connection.execute(sa.select(code_guesses).where(code_guesses.c.user_id == ada.id))).one()
    assert (row.failures, row.blocked_until) == (0, None)


async def test_a_hundred_guesses_at_once_are_a_hundred_guesses(api: Api, ada: Member) -> None:
    """ASVS 5 V6.3.1, V15.4: guesses that race the counter."""
    await ada.enrol_app()
    challenges = []
    for _ in range(12):
        challenges.append((await ada.login())["challenge"])
        await forget_places(api)
    codes = wrong_codes(ada, 12)
    answers = await asyncio.gather(
        *(complete(api, challenge, totpCode=code) for challenge, code in zip(challenges, codes, strict=True))
    )
    looked_at = [answer for answer in answers if answer["code"] == "INVALID_CREDENTIALS"]
    assert len(looked_at) == guessing.FREE
    assert {answer["code"] for answer in answers} == {"INVALID_CREDENTIALS", "TOO_MANY_ATTEMPTS"}


async def test_guesses_of_others_shut_nobody_out(api: Api, ada: Member) -> None:
    """OWASP API4:2023: lock-out as an attack. The owner's recovery codes and passkeys go on at any time."""
    await ada.enrol_app()
    device = await ada.enrol_passkey()
    for code in wrong_codes(ada, guessing.FREE + 1):
        await ada.login(totpCode=code)
        await forget_places(api)
    assert (await ada.login(totpCode=ada.code()))["code"] == "TOO_MANY_ATTEMPTS"
    assert (await ada.login(recoveryCode=ada.recovery_codes[0]))["__typename"] == "LoginSuccess"
    assert (await ada.sign_in_by_passkey(device))["__typename"] == "FinishPasskeySignInSuccess"


async def test_a_challenge_bears_a_few_wrong_proofs(api: Api, ada: Member) -> None:
    """ASVS 5 V6.3.1: one password check is not worth endless tries."""
    await ada.enrol_app()
    challenge = (await ada.login())["challenge"]
    for number in range(MAX_ATTEMPTS):
        assert (await complete(api, challenge, recoveryCode=f"guess {number}"))["message"] == WRONG
    over = await complete(api, challenge, recoveryCode=ada.recovery_codes[0])
    assert over["code"] == "INVALID_CREDENTIALS"
    assert "anew" in over["message"]


async def test_aliases_do_not_multiply_guesses(api: Api, ada: Member) -> None:
    """OWASP API4:2023, GraphQL batching: thirty sign-ins in one request."""
    await ada.enrol_app()
    await ada.login()
    fields = " ".join(
        f'a{number}: login(input: {{email: "{ada.email}", password: "{PASSWORD}", totpCode: "{code}"}}) '
        "{ __typename }"
        for number, code in enumerate(wrong_codes(ada, 20))
    )
    answer = await api.ask(f"mutation {{ {fields} }}")
    looked_at = [found for found in (answer.get("data") or {}).values() if found["__typename"] == "InvalidCredentials"]
    assert len(looked_at) <= guessing.FREE
    async with api.engine.connect() as connection:
        failures = await connection.scalar(sa.select(code_guesses.c.failures).where(code_guesses.c.user_id == ada.id))
    assert (failures or 0) <= guessing.FREE


async def test_whether_somebody_has_a_second_factor_is_told_after_the_password_alone(api: Api, ada: Member) -> None:
    """ASVS 5 V6.3.8: enumeration of accounts and of their factors."""
    await ada.enrol_app()
    expected = {"__typename": "InvalidCredentials", "message": WRONG, "code": "INVALID_CREDENTIALS", "path": None}
    for email in (ada.email, "nobody@example.com"):
        for more in ({}, {"totpCode": "123456"}, {"recoveryCode": "0" * 24}):
            what = {"email": email, "password": "wrong horse battery", **more}
            assert (await api.data(LOGIN, {"input": what}))["login"] == expected
            await forget_places(api)


async def test_a_wrong_password_takes_as_long_with_a_second_factor_as_without(
    api: Api, ada: Member, argon2_comparisons: list[str]
) -> None:
    """ASVS 5 V6.3.8: enumeration by time. The work is one hash each, and the rest is small beside it."""
    await ada.enrol_app()
    bob = await member(api)

    async def compared(email: str) -> list[str]:
        before = len(argon2_comparisons)
        what = {"email": email, "password": "wrong horse battery", "totpCode": "123456"}
        await api.data(LOGIN, {"input": what})
        await forget_places(api)
        return [value.rsplit("$", 2)[0] for value in argon2_comparisons[before:]]

    found = [await compared(email) for email in (ada.email, bob.email, "nobody@example.com")]
    assert found == [found[0]] * 3
    assert len(found[0]) == 1


@pytest.mark.parametrize("token", ["", "tcc_", "tcc_" + "A" * 64, "tcc_é", "x" * 5000, "tcr_" + "A" * 70])
async def test_a_challenge_nobody_gave_is_none(api: Api, ada: Member, token: str) -> None:
    await ada.enrol_app()
    assert (await complete(api, token, totpCode=ada.code()))["code"] == "INVALID_CREDENTIALS"
    what = {"challenge": token, "credential": {}}
    assert (await api.change("finishPasskeySignIn", what, TOKENS, who=None))["code"] == "INVALID_CREDENTIALS"


async def test_a_challenge_gives_no_access_by_itself(api: Api, ada: Member) -> None:
    """OWASP API2:2023: half a sign-in is none."""
    await ada.enrol_app()
    challenge = (await ada.login())["challenge"]
    assert await api.code("{ alerts { nodes { id } } }", who=challenge) == "UNAUTHENTICATED"
    refreshed = await api.change("refreshSession", {"refreshToken": challenge}, TOKENS, who=None)
    assert refreshed["code"] == "INVALID_CREDENTIALS"
    assert (await complete(api, challenge))["code"] == "INVALID_INPUT"


async def test_factors_of_others_are_out_of_reach(api: Api, ada: Member) -> None:
    """OWASP API1:2023: none of one's own mutations takes a person's id."""
    for field in FactorMutations.__strawberry_definition__.fields:  # type: ignore[attr-defined] # strawberry's own
        names = {one.python_name for one in field.arguments[0].type.__strawberry_definition__.fields}
        assert ("user_id" in names) is (field.python_name == "reset_user_factors"), field.python_name


async def test_a_deactivated_person_completes_no_sign_in(api: Api, ada: Member) -> None:
    await ada.enrol_app()
    challenge = (await ada.login())["challenge"]
    async with api.engine.begin() as connection:
        await connection.execute(sa.text("UPDATE users SET is_active = false WHERE id = :id"), {"id": ada.id})
    assert (await complete(api, challenge, totpCode=ada.code()))["code"] == "INVALID_CREDENTIALS"


async def test_secrets_are_shown_over_plain_http_alone(api: Api) -> None:
    """ASVS 5 V14.2: what is told once is not told to a stream that tools keep."""
    admin = await member(api, Role.ADMIN)
    headers = {**api.headers(admin.token), "accept": "text/event-stream"}
    query = "mutation { beginTotpEnrolment(input: {}) { __typename } }"
    response = await api.http.post("/graphql", json={"query": query}, headers=headers)
    assert "WrongTransport" in response.text
