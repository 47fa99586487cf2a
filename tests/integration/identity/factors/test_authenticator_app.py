"""An authenticator app: set up, asked for, and no code of it good twice (P4)."""

import asyncio
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from domain.identity.factors import ENROLMENT_TIME
from domain.identity.sign_in import WRONG
from persistence.tables import audit_log, recovery_codes, totp_secrets
from persistence.unit_of_work import UnitOfWork
from tests.api import PASSWORD, Api
from tests.second_factors import FACTORS, TOKENS, Member, member


async def rows(api: Api, table: sa.Table) -> list[Any]:
    async with api.engine.connect() as connection:
        return list((await connection.execute(sa.select(table))).mappings())


async def complete(api: Api, challenge: str, **proof: object) -> dict[str, Any]:
    return await api.change("completeLogin", {"challenge": challenge, **proof}, TOKENS, who=None)


async def test_an_app_is_set_up_by_its_first_code_and_asked_for_from_then_on(api: Api, ada: Member) -> None:
    begun = await ada.change("beginTotpEnrolment", "secret otpauthUri qrCode expiresAt")
    assert begun["otpauthUri"].startswith("otpauth://totp/Tocsin:")
    assert begun["secret"] in begun["otpauthUri"]
    assert begun["qrCode"].startswith("<svg xmlns=")
    assert "<script" not in begun["qrCode"]
    assert (await ada.login())["__typename"] == "LoginSuccess", "it does not count yet"

    ada.secret = begun["secret"]
    done = await ada.change("confirmTotpEnrolment", f"recoveryCodes {FACTORS}", code=ada.code())
    assert len(done["recoveryCodes"]) == 10
    assert done["secondFactors"]["hasTotp"] is True
    assert done["secondFactors"]["recoveryCodesLeft"] == 10
    assert "TOTP" in done["secondFactors"]["provedBy"]

    asked = await ada.login()
    assert (asked["__typename"], asked["code"]) == ("SecondFactorRequired", "SECOND_FACTOR_REQUIRED")
    assert asked["methods"] == ["TOTP", "RECOVERY_CODE"]
    assert asked["passkeyOptions"] is None


async def test_with_the_code_one_request_signs_in(api: Api, ada: Member) -> None:
    await ada.enrol_app()
    assert (await ada.login(totpCode=ada.code()))["__typename"] == "LoginSuccess"
    shown = await api.data("{ mySecondFactors { hasTotp provedBy } me { id } }", who=ada.token)
    assert shown["mySecondFactors"] == {"hasTotp": True, "provedBy": ["PASSWORD", "TOTP"]}
    assert shown["me"]["id"] == str(ada.id)


async def test_a_challenge_and_a_code_sign_in_once(api: Api, ada: Member) -> None:
    """ASVS 5 V6.5.1: neither the code nor the challenge is good twice."""
    await ada.enrol_app()
    challenge = (await ada.login())["challenge"]
    assert (await complete(api, challenge, totpCode=ada.code()))["__typename"] == "CompleteLoginSuccess"
    ada.next_step()
    assert (await complete(api, challenge, totpCode=ada.code()))["code"] == "INVALID_CREDENTIALS"


async def test_a_wrong_code_is_told_as_a_wrong_password_is(api: Api, ada: Member) -> None:
    """ASVS 5 V6.3.8: which of the three was wrong is not said."""
    await ada.enrol_app()
    wrong = "000000" if ada.code() != "000000" else "111111"
    expected = {"__typename": "InvalidCredentials", "message": WRONG, "code": "INVALID_CREDENTIALS", "path": None}
    assert await ada.login(totpCode=wrong) == expected
    assert await ada.login(totpCode=ada.code(), password="wrong horse battery") == expected
    assert await ada.login(totpCode="") == expected
    assert await ada.login(recoveryCode="no such code") == expected


async def test_of_two_who_bring_the_same_code_at_once_one_gets_in(api: Api, ada: Member) -> None:
    """ASVS 5 V6.5.1, OWASP API2:2023: a code that was read over a shoulder and sent at the same moment."""
    await ada.enrol_app()
    code = ada.code()
    answers = await asyncio.gather(*(ada.login(totpCode=code) for _ in range(4)))
    assert sorted(answer["__typename"] for answer in answers) == ["InvalidCredentials"] * 3 + ["LoginSuccess"]


async def test_of_two_who_bring_one_challenge_at_once_one_gets_in(api: Api, ada: Member) -> None:
    await ada.enrol_app()
    challenge = (await ada.login())["challenge"]
    codes = ada.recovery_codes[:3]
    answers = await asyncio.gather(*(complete(api, challenge, recoveryCode=code) for code in codes))
    assert [answer["__typename"] for answer in answers].count("CompleteLoginSuccess") == 1
    left = await api.data("{ mySecondFactors { recoveryCodesLeft } }", who=(await signed_in(ada)).token)
    assert left["mySecondFactors"]["recoveryCodesLeft"] == 9, "what did not sign in is not used up"


async def signed_in(who: Member) -> Member:
    who.next_step()
    assert (await who.login(totpCode=who.code()))["__typename"] == "LoginSuccess"
    return who


async def test_the_code_that_set_the_app_up_signs_nobody_in(api: Api, ada: Member) -> None:
    begun = await ada.change("beginTotpEnrolment", "secret")
    ada.secret = begun["secret"]
    code = ada.code()
    await ada.change("confirmTotpEnrolment", code=code)
    assert (await ada.login(totpCode=code))["code"] == "INVALID_CREDENTIALS"


async def test_a_secret_that_was_not_confirmed_in_time_is_none(api: Api, ada: Member) -> None:
    begun = await ada.change("beginTotpEnrolment", "secret")
    ada.secret = begun["secret"]
    api.clock.ahead += ENROLMENT_TIME - timedelta(minutes=2)
    assert (await ada.change("confirmTotpEnrolment", code="000000"))["path"] == ["code"]
    api.clock.ahead += timedelta(minutes=2)
    await ada.login()
    refused = await ada.change("confirmTotpEnrolment", code=ada.code())
    assert refused["code"] == "INVALID_INPUT"
    assert "anew" in refused["message"]


async def test_another_app_takes_the_place_of_the_first_only_once_it_works(api: Api, ada: Member) -> None:
    await ada.enrol_app()
    first, codes = ada.secret, ada.recovery_codes
    second = (await ada.change("beginTotpEnrolment", "secret"))["secret"]
    assert second != first
    assert (await ada.login(totpCode=ada.code()))["__typename"] == "LoginSuccess"
    ada.secret = second
    ada.next_step()
    done = await ada.change("confirmTotpEnrolment", "recoveryCodes", code=ada.code())
    assert done["recoveryCodes"] is None, "those of before still count"
    ada.next_step()
    assert (await ada.login(totpCode=ada.code()))["__typename"] == "LoginSuccess"
    ada.secret = first
    ada.next_step()
    assert (await ada.login(totpCode=ada.code()))["code"] == "INVALID_CREDENTIALS"
    assert (await ada.login(recoveryCode=codes[0]))["__typename"] == "LoginSuccess"


async def test_without_the_app_only_the_password_is_asked_and_the_codes_are_gone(api: Api, ada: Member) -> None:
    await ada.enrol_app()
    gone = await ada.change("disableTotp", FACTORS)
    assert gone["secondFactors"]["hasTotp"] is False
    assert gone["secondFactors"]["recoveryCodesLeft"] == 0
    assert (await ada.login(totpCode="000000"))["__typename"] == "LoginSuccess"
    assert (await ada.change("disableTotp"))["code"] == "NOT_FOUND"
    assert await rows(api, totp_secrets) == []
    assert await rows(api, recovery_codes) == []


async def test_what_the_database_holds_shows_no_secret_and_makes_no_code(api: Api, ada: Member) -> None:
    """ASVS 5 V6.5.2, V13.3: sealed secrets, keyed digests."""
    await ada.enrol_app()
    held = (
        repr(await rows(api, totp_secrets)) + repr(await rows(api, recovery_codes)) + repr(await rows(api, audit_log))
    )
    assert ada.secret not in held
    assert not [code for code in ada.recovery_codes if code in held or code.replace("-", "") in held]


async def test_a_secret_moved_to_another_person_opens_nothing(api: Api, ada: Member) -> None:
    """OWASP API3:2023: who can write the table cannot hand out a secret they know."""
    mallory = await member(api)
    await ada.enrol_app()
    await mallory.enrol_app()
    async with api.engine.begin() as connection:
        known = sa.select(totp_secrets.c.sealed_secret).where(totp_secrets.c.user_id == mallory.id).scalar_subquery()
        await connection.execute(
            sa.update(totp_secrets).where(totp_secrets.c.user_id == ada.id).values(sealed_secret=known)
        )
    ada.secret = mallory.secret
    answer = await api.ask(
        "mutation($input: LoginInput!) { login(input: $input) { __typename } }",
        {"input": {"email": ada.email, "password": PASSWORD, "totpCode": ada.code()}},
    )
    assert answer["errors"][0]["extensions"]["code"] == "INTERNAL"


async def test_every_change_is_on_the_audit_log(api: Api, ada: Member) -> None:
    await ada.enrol_app()
    await ada.login(totpCode="000000")
    await ada.login(totpCode=ada.code())
    await ada.change("disableTotp")
    found = [(row["action"], row["outcome"]) for row in await rows(api, audit_log) if row["actor_id"] == ada.id]
    expected = [
        ("login", "done"),
        ("beginTotpEnrolment", "done"),
        ("confirmTotpEnrolment", "done"),
        ("login", "failed"),
        ("login", "done"),
        ("disableTotp", "done"),
    ]
    assert [entry for entry in found if entry in expected] == expected
    last = [row for row in await rows(api, audit_log) if (row["action"], row["outcome"]) == ("login", "done")][-1]
    assert last["after"] == {"provedBy": ["password", "totp"]}


async def test_who_signs_in_waits_for_who_changes_factors_and_neither_for_ever(api: Api, ada: Member) -> None:
    """Both lock the person before a factor. In the other order each would hold what the other waits for."""
    await ada.enrol_app()
    async with UnitOfWork(api.engine) as changing:
        await changing.factors.lock(ada.id)
        signing_in = asyncio.create_task(ada.login(recoveryCode=ada.recovery_codes[0]))
        async with api.engine.connect() as looking:
            waiting = sa.text(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            while not await looking.scalar(waiting):
                await asyncio.sleep(0.05)
                await looking.rollback()
        await changing.factors.remove_recovery_codes(ada.id)
        await changing.commit()
    assert (await signing_in)["code"] == "INVALID_CREDENTIALS"
