"""What is dangerous asks for a proof of the last minutes, and a session learns how to give one (P4, T5)."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from domain.identity.model import Role
from graphql_api.permissions import ROOT_FIELDS
from graphql_api.step_up import DANGEROUS
from persistence.tables import audit_log
from tests.api import PASSWORD, Api
from tests.authenticator import PRESENT
from tests.schema_operations import operation
from tests.second_factors import PASSKEY, Member, member


async def disable(who: Member) -> dict[str, Any]:
    query = "mutation { disableTotp(input: {}) { __typename ... on StepUpRequired { methods code message } } }"
    answer: dict[str, Any] = (await who.api.data(query, who=who.token))["disableTotp"]
    return answer


def later(api: Api) -> None:
    """The proof is old; the access token is not."""
    api.clock.ahead += api.settings.step_up_window + timedelta(seconds=1)


@pytest.fixture
async def api(api: Api) -> Api:
    """With access tokens that outlive the proof."""
    api.state.access_tokens.lifetime = timedelta(days=1)
    return api


async def test_a_fresh_sign_in_is_proof_and_an_old_one_is_not(api: Api, ada: Member) -> None:
    """ASVS 5 V7.5.1, V7.5.3: before factors change, a proof of who asks."""
    await ada.enrol_app()
    await ada.login(totpCode=ada.code())
    later(api)
    asked = await disable(ada)
    assert (asked["__typename"], asked["code"]) == ("StepUpRequired", "STEP_UP_REQUIRED")
    assert asked["methods"] == ["TOTP", "RECOVERY_CODE"]
    assert "15 minutes" in asked["message"]
    proved = await ada.change("stepUp", "provedAt freshUntil", totpCode=ada.code())
    assert proved["__typename"] == "StepUpSuccess"
    assert (await disable(ada))["__typename"] == "DisableTotpSuccess"


async def test_refreshing_the_session_proves_nothing(api: Api, ada: Member) -> None:
    """ASVS 5 V7.5.3: a stolen refresh token is not a fresh proof."""
    await ada.enrol_app()
    later(api)
    refreshed = await api.change(
        "refreshSession", {"refreshToken": ada.refresh_token}, "accessToken refreshToken", who=None
    )
    ada.keep(refreshed)
    assert (await disable(ada))["__typename"] == "StepUpRequired"


async def test_without_a_factor_the_password_proves_and_with_one_it_does_not(api: Api, ada: Member) -> None:
    later(api)
    asked = await ada.change("beginTotpEnrolment", "secret")
    assert asked["code"] == "STEP_UP_REQUIRED"
    assert (await ada.change("stepUp", password="wrong horse battery"))["code"] == "INVALID_CREDENTIALS"
    assert (await ada.change("stepUp", password=PASSWORD))["__typename"] == "StepUpSuccess"
    await ada.enrol_app()
    later(api)
    refused = await ada.change("stepUp", password=PASSWORD)
    assert (refused["code"], refused["path"]) == ("INVALID_INPUT", ["password"])


async def test_a_recovery_code_proves_once(api: Api, ada: Member) -> None:
    await ada.enrol_app()
    later(api)
    code = ada.recovery_codes[0]
    assert (await ada.change("stepUp", recoveryCode=code))["__typename"] == "StepUpSuccess"
    assert (await ada.change("stepUp", recoveryCode=code))["code"] == "INVALID_CREDENTIALS"


async def test_a_code_that_signed_in_does_not_step_up_as_well(api: Api, ada: Member) -> None:
    """ASVS 5 V6.5.1: a code is good once, whatever for."""
    await ada.enrol_app()
    code = ada.code()
    await ada.login(totpCode=code)
    assert (await ada.change("stepUp", totpCode=code))["code"] == "INVALID_CREDENTIALS"


async def test_a_passkey_proves_in_its_own_session(api: Api, ada: Member) -> None:
    device = await ada.enrol_passkey()
    await ada.sign_in_by_passkey(device)
    later(api)
    begun = (await ada.change("beginPasskeyStepUp", PASSKEY))["passkey"]
    answer = {"challenge": begun["challenge"], "credential": device.prove(begun["options"], flags=PRESENT)}
    first = ada.token
    await ada.sign_in_by_passkey(device)
    elsewhere = await ada.change("stepUp", passkey=answer)
    assert elsewhere["code"] == "INVALID_CREDENTIALS", "the challenge is another session's"
    ada.token = first
    begun = (await ada.change("beginPasskeyStepUp", PASSKEY))["passkey"]
    answer = {"challenge": begun["challenge"], "credential": device.prove(begun["options"], flags=PRESENT)}
    assert (await ada.change("stepUp", passkey=answer))["__typename"] == "StepUpSuccess"
    assert (await ada.change("stepUp", passkey=answer))["code"] == "INVALID_CREDENTIALS"


async def test_a_refused_and_a_failed_proof_are_on_the_audit_log(api: Api, ada: Member) -> None:
    await ada.enrol_app()
    later(api)
    await disable(ada)
    await ada.change("stepUp", totpCode="000000")
    await ada.change("stepUp", totpCode=ada.code())
    async with api.engine.connect() as connection:
        statement = sa.select(audit_log).where(audit_log.c.actor_id == ada.id).order_by(audit_log.c.id)
        found = [(row.action, row.outcome) for row in await connection.execute(statement)]
    assert found[-3:] == [("disableTotp", "refused"), ("stepUp", "failed"), ("stepUp", "done")]


async def test_every_dangerous_mutation_is_known_and_asks(api: Api) -> None:
    """ASVS 5 V7.5.3: walked from the table, so that none is listed in vain."""
    assert set(ROOT_FIELDS["Mutation"]) >= DANGEROUS
    admin = await member(api, Role.ADMIN)
    later(api)
    for name in sorted(DANGEROUS):
        text, variables = operation("Mutation", name)
        answer = (await api.data(text, variables, who=admin.token))[name]
        assert answer["__typename"] == "StepUpRequired", name


async def test_a_missing_person_is_absent_also_to_who_has_proved(api: Api) -> None:
    admin = await member(api, Role.ADMIN)
    assert (await admin.change("resetUserFactors", userId=str(UUID(int=7))))["code"] == "NOT_FOUND"
