"""Recovery codes: each stands in for a second factor once (P4)."""

import asyncio

from tests.api import Api
from tests.second_factors import FACTORS, Member, member


async def left(api: Api, who: Member) -> int:
    shown = await api.data("{ mySecondFactors { recoveryCodesLeft } }", who=who.token)
    number: int = shown["mySecondFactors"]["recoveryCodesLeft"]
    return number


async def test_each_code_signs_in_once_and_what_is_left_is_shown(api: Api, ada: Member) -> None:
    """ASVS 5 V6.5.1: a lookup secret is good once."""
    await ada.enrol_app()
    code = ada.recovery_codes[0]
    assert (await ada.login(recoveryCode=code.upper().replace("-", " ")))["__typename"] == "LoginSuccess"
    assert (await ada.login(recoveryCode=code))["code"] == "INVALID_CREDENTIALS"
    assert await left(api, ada) == 9


async def test_of_many_who_bring_one_code_at_once_one_gets_in(api: Api, ada: Member) -> None:
    await ada.enrol_app()
    code = ada.recovery_codes[0]
    answers = await asyncio.gather(*(ada.login(recoveryCode=code) for _ in range(4)))
    assert [answer["__typename"] for answer in answers].count("LoginSuccess") == 1


async def test_another_persons_code_is_none(api: Api, ada: Member) -> None:
    """OWASP API1:2023: a code is bound to its person."""
    eve = await member(api)
    await ada.enrol_app()
    await eve.enrol_app()
    assert (await ada.login(recoveryCode=eve.recovery_codes[0]))["code"] == "INVALID_CREDENTIALS"
    assert await left(api, eve) == 10


async def test_fresh_codes_end_those_of_before(api: Api, ada: Member) -> None:
    await ada.enrol_app()
    old = ada.recovery_codes
    fresh = (await ada.change("regenerateRecoveryCodes", "recoveryCodes"))["recoveryCodes"]
    assert len(fresh) == 10
    assert not set(fresh) & set(old)
    assert (await ada.login(recoveryCode=old[0]))["code"] == "INVALID_CREDENTIALS"
    assert (await ada.login(recoveryCode=fresh[0]))["__typename"] == "LoginSuccess"


async def test_there_are_none_without_a_second_factor(api: Api, ada: Member) -> None:
    assert (await ada.change("regenerateRecoveryCodes"))["code"] == "INVALID_INPUT"
    assert await left(api, ada) == 0


async def test_a_first_passkey_brings_codes_and_an_app_beside_it_keeps_them(api: Api, ada: Member) -> None:
    await ada.enrol_passkey()
    codes = ada.recovery_codes
    assert len(codes) == 10
    await ada.enrol_app()
    assert ada.recovery_codes == codes
    await ada.change("disableTotp", FACTORS)
    assert await left(api, ada) == 10, "the passkey is still there"
