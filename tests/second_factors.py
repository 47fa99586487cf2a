"""Somebody with a password and second factors, and the ways they sign in: for tests of what those factors guard."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from domain.identity import totp
from domain.identity.addresses import address_digest
from domain.identity.model import Role, User
from domain.ids import new_id
from persistence.unit_of_work import UnitOfWork
from tests.api import PASSWORD, Api
from tests.authenticator import Authenticator, Wrong

TOKENS = "accessToken refreshToken user { id }"
FACTORS = "secondFactors { hasTotp recoveryCodesLeft passkeys { id name lastUsedAt } provedBy }"
PASSKEY = "passkey { challenge options expiresAt }"
LOGIN = """mutation($input: LoginInput!) { login(input: $input) { __typename
  ... on LoginSuccess { accessToken refreshToken user { id } }
  ... on SecondFactorRequired { challenge methods expiresAt passkeyOptions }
  ... on TooManyAttempts { retryAfterSeconds }
  ... on UserError { message code path } } }"""
STEP = timedelta(seconds=totp.STEP_SECONDS)


@dataclass
class Member:
    """A person, how they sign in, and the last token they got."""

    api: Api
    id: UUID
    email: str
    role: Role
    token: str = ""
    refresh_token: str = ""
    secret: str = ""
    recovery_codes: list[str] = field(default_factory=list)

    async def login(self, **more: Wrong) -> dict[str, Any]:
        """Sign in; `more` is what to send besides address and password, or instead."""
        what = {"email": self.email, "password": PASSWORD, **more}
        answer: dict[str, Any] = (await self.api.data(LOGIN, {"input": what}))["login"]
        return self.keep(answer)

    def keep(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Use the tokens of an answer from now on, where it has any."""
        self.token = answer.get("accessToken") or self.token
        self.refresh_token = answer.get("refreshToken") or self.refresh_token
        return answer

    async def change(self, field_name: str, shown: str = "__typename", **what: Wrong) -> dict[str, Any]:
        """Call a mutation as the member."""
        return await self.api.change(field_name, what, shown, who=self.token)

    def code(self, *, steps: int = 0) -> str:
        """The code the app shows now, or so many steps from now."""
        return totp.code_of(self.secret, totp.step_at(self.api.clock.now()) + steps)

    def next_step(self) -> None:
        """Let time pass until the app shows another code."""
        self.api.clock.ahead += STEP

    async def enrol_app(self) -> None:
        """Set up an authenticator app; its first code is used up."""
        begun = await self.change("beginTotpEnrolment", "secret")
        self.secret = begun["secret"]
        done = await self.change("confirmTotpEnrolment", f"recoveryCodes {FACTORS}", code=self.code())
        assert done["__typename"] == "ConfirmTotpEnrolmentSuccess", done
        self.recovery_codes = done["recoveryCodes"] or self.recovery_codes
        self.next_step()

    async def enrol_passkey(self, device: Authenticator | None = None, *, name: str = "Laptop") -> Authenticator:
        """Register a passkey."""
        device = device or Authenticator()
        begun = (await self.change("beginPasskeyRegistration", PASSKEY))["passkey"]
        done = await self.change(
            "finishPasskeyRegistration",
            "recoveryCodes passkey { id name }",
            challenge=begun["challenge"],
            credential=device.register(begun["options"]),
            name=name,
        )
        assert done["__typename"] == "FinishPasskeyRegistrationSuccess", done
        self.recovery_codes = done["recoveryCodes"] or self.recovery_codes
        return device

    async def sign_in_by_passkey(self, device: Authenticator, **wrong: Wrong) -> dict[str, Any]:
        """Sign in by a passkey alone."""
        begun = (await self.api.change("beginPasskeySignIn", {}, PASSKEY, who=None))["passkey"]
        what = {"challenge": begun["challenge"], "credential": device.prove(begun["options"], **wrong)}
        return self.keep(await self.api.change("finishPasskeySignIn", what, TOKENS, who=None))


async def member(api: Api, role: Role = Role.OPERATOR, *, email: str | None = None) -> Member:
    """A new person with a password, signed in by it."""
    user = User(
        id=new_id(),
        email=email or f"{new_id()}@example.com",
        role=role,
        created_at=api.clock.now(),
        password_hash=await api.state.hasher.hash(PASSWORD),
    )
    async with UnitOfWork(api.engine) as uow:
        assert await uow.users.add(
            user, email_digest=address_digest(user.email, api.settings.derived_key("email-hash"))
        )
        await uow.commit()
    made = Member(api=api, id=user.id, email=user.email, role=role)
    answer = await made.login()
    assert answer["__typename"] == "LoginSuccess", answer
    return made
