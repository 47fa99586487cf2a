"""Who gets a session, who a challenge, and what that uses up: the desks over a store in memory, time moved by hand."""

from dataclasses import dataclass, field
from uuid import UUID

import pytest

from domain.alerts.events import ActorKind
from domain.audit.model import AuditEntry, AuditOutcome
from domain.errors import Forbidden, InvalidCredentials, InvalidInput, TooManyAttempts
from domain.identity import guessing, totp
from domain.identity.addresses import address_digest
from domain.identity.challenges import LIFETIME, MAX_ATTEMPTS
from domain.identity.enrolment import FactorDesk, Who
from domain.identity.factor_notices import News
from domain.identity.factors import Passkey
from domain.identity.letters import Letters
from domain.identity.model import Role, User
from domain.identity.proofs import Method
from domain.identity.proving import Offered, Prover
from domain.identity.second_step import SecondStep
from domain.identity.sessions import RefreshTokens, SessionPolicy
from domain.identity.sign_in import Challenged, Origin, SignedIn, SignInDesk
from domain.identity.step_up import StepUp, StepUpDesk
from domain.ids import new_id
from tests.unit.identity.identity_fakes import Clock, Hasher, PlainSealer, SimpleCeremonies, Store, Throttle

EMAIL, PASSWORD = "ada@example.com", "a password"
KEY = b"k" * 32
HERE = Origin(ip_address="192.0.2.1")


def entry(action: str = "test") -> AuditEntry:
    return AuditEntry(id=new_id(), occurred_at=Clock().now(), actor_kind=ActorKind.USER, action=action)


@dataclass
class House:
    """The desks, over one store."""

    store: Store = field(default_factory=Store)
    clock: Clock = field(default_factory=Clock)
    hasher: Hasher = field(default_factory=Hasher)
    throttle: Throttle = field(default_factory=Throttle)
    secret: str = ""
    codes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        prover = Prover(
            units=self.store,  # type: ignore[arg-type] # a fake of it
            sealer=PlainSealer(),
            recovery_keys=(KEY, b"o" * 32),
            ceremonies=SimpleCeremonies(),  # type: ignore[arg-type] # the same
            letters=Letters("https://tocsin.example"),
            clock=self.clock,
        )
        self.desk = SignInDesk(
            units=self.store,  # type: ignore[arg-type] # the same
            hasher=self.hasher,
            throttle=self.throttle,
            tokens=RefreshTokens(KEY),
            policy=SessionPolicy(LIFETIME * 100, LIFETIME * 1000),
            clock=self.clock,
            prover=prover,
            address_key=KEY,
        )
        self.factors = FactorDesk(units=self.store, prover=prover, clock=self.clock)  # type: ignore[arg-type] # the same
        self.second, self.step_up = SecondStep(self.desk), StepUpDesk(self.desk)
        self.ada = User(
            id=new_id(),
            email=EMAIL,
            role=Role.OPERATOR,
            created_at=self.clock.now(),
            password_hash=f"hash of {PASSWORD}",
        )
        self.store.rows.users[self.ada.id] = self.ada
        self.store.rows.digests[address_digest(EMAIL, KEY)] = self.ada.id

    async def sign_in(self, *, totp_code: str | None = None, recovery_code: str | None = None) -> SignedIn | Challenged:
        offered = Offered(totp_code=totp_code, recovery_code=recovery_code)
        return await self.desk.sign_in(email=EMAIL, password=PASSWORD, origin=HERE, offered=offered)

    async def in_full(self) -> SignedIn:
        outcome = await self.sign_in()
        assert isinstance(outcome, SignedIn)
        return outcome

    async def challenged(self) -> Challenged:
        outcome = await self.sign_in()
        assert isinstance(outcome, Challenged)
        return outcome

    def who(self, session_id: UUID, *, must_have_one: bool = False) -> Who:
        return Who(user_id=self.ada.id, session_id=session_id, must_have_one=must_have_one)

    async def enrol(self) -> Who:
        who = self.who((await self.in_full()).session.id)
        self.secret = (await self.factors.begin_totp(who, entry=entry())).secret
        self.codes = await self.factors.confirm_totp(who, self.code(), entry=entry()) or []
        self.clock.wait(seconds=totp.STEP_SECONDS)
        return who

    def code(self) -> str:
        return totp.code_of(self.secret, totp.step_at(self.clock.now()))

    def add_passkey(self) -> Passkey:
        passkey = Passkey(
            id=new_id(),
            user_id=self.ada.id,
            credential_id=b"c",
            public_key=b"p",
            sign_count=3,
            name="Laptop",
            created_at=self.clock.now(),
        )
        self.store.rows.passkeys[passkey.id] = passkey
        return passkey


@pytest.fixture
def house() -> House:
    return House()


async def test_who_proved_all_they_must_gets_a_session_that_says_how(house: House) -> None:
    signed_in = await house.in_full()
    assert signed_in.session.proved_by == ("password",)
    assert signed_in.session.proved_at == house.clock.now()
    assert house.throttle.forgiven == [address_digest(EMAIL, KEY)]


@pytest.mark.parametrize(
    ("proved", "gets_in"),
    [({Method.FEDERATED}, False), ({Method.FEDERATED_MFA}, True), ({Method.PASSKEY}, True), ({Method.PASSWORD}, False)],
)
async def test_every_way_in_is_asked_for_what_is_missing(house: House, proved: set[Method], gets_in: bool) -> None:
    """ASVS 5 V6.3.4: no way in is weaker than the others."""
    await house.enrol()
    outcome = await house.desk.admit(house.ada, proved=frozenset(proved), origin=HERE)
    assert isinstance(outcome, SignedIn) is gets_in
    before = len(house.store.rows.sessions)
    if isinstance(outcome, Challenged):
        signed_in = await house.second.complete(
            token=outcome.token, offered=Offered(totp_code=house.code()), origin=HERE
        )
        assert set(signed_in.session.proved_by) == {*proved, Method.TOTP}
        assert len(house.store.rows.sessions) == before + 1


async def test_a_challenge_opens_no_session_and_forgives_nobody(house: House) -> None:
    await house.enrol()
    forgiven, sessions = len(house.throttle.forgiven), len(house.store.rows.sessions)
    challenge = await house.challenged()
    assert challenge.methods == (Method.TOTP, Method.RECOVERY_CODE)
    assert challenge.passkey_options is None
    assert (len(house.throttle.forgiven), len(house.store.rows.sessions)) == (forgiven, sessions)


async def test_a_wrong_proof_uses_nothing_up_but_an_attempt(house: House) -> None:
    await house.enrol()
    challenge = await house.challenged()
    with pytest.raises(InvalidCredentials):
        await house.second.complete(token=challenge.token, offered=Offered(totp_code="000000"), origin=HERE)
    assert house.store.rows.guesses[house.ada.id].failures == 1
    assert house.store.rows.log[-1].outcome is AuditOutcome.FAILED
    await house.second.complete(token=challenge.token, offered=Offered(totp_code=house.code()), origin=HERE)
    assert house.store.rows.guesses[house.ada.id] == guessing.Guesses()


async def test_a_challenge_ends_by_time_by_use_and_by_wrong_proofs(house: House) -> None:
    await house.enrol()
    late, used, tried = [await house.challenged() for _ in range(3)]
    await house.second.complete(token=used.token, offered=Offered(recovery_code=house.codes[0]), origin=HERE)
    for _ in range(MAX_ATTEMPTS):
        with pytest.raises(InvalidCredentials, match="not right"):
            await house.second.complete(token=tried.token, offered=Offered(recovery_code="no"), origin=HERE)
    for challenge in (used, tried):
        with pytest.raises(InvalidCredentials, match="anew"):
            await house.second.complete(
                token=challenge.token, offered=Offered(recovery_code=house.codes[1]), origin=HERE
            )
    house.clock.wait(seconds=LIFETIME.total_seconds())
    with pytest.raises(InvalidCredentials, match="anew"):
        await house.second.complete(token=late.token, offered=Offered(totp_code=house.code()), origin=HERE)
    assert len(house.store.rows.codes[house.ada.id]) == 9


async def test_the_wait_is_for_codes_alone(house: House) -> None:
    await house.enrol()
    for _ in range(guessing.FREE):
        with pytest.raises(InvalidCredentials):
            await house.sign_in(totp_code="000000")
    with pytest.raises(TooManyAttempts):
        await house.sign_in(totp_code=house.code())
    assert isinstance(await house.sign_in(recovery_code=house.codes[0]), SignedIn)
    house.clock.wait(seconds=guessing.FIRST_WAIT.total_seconds())
    assert isinstance(await house.sign_in(totp_code=house.code()), SignedIn)


async def test_the_work_is_the_same_for_whoever_is_not_there(house: House) -> None:
    """ASVS 5 V6.3.8: one hash, one attempt, one entry; with a second factor, without one, without an account."""
    await house.enrol()
    costs = []
    for email in (EMAIL, "nobody@example.com"):
        before = (house.hasher.verified, house.throttle.attempts, len(house.store.rows.log))
        with pytest.raises(InvalidCredentials) as refused:
            await house.desk.sign_in(
                email=email, password="wrong", origin=HERE, offered=Offered(totp_code=house.code())
            )
        after = (house.hasher.verified, house.throttle.attempts, len(house.store.rows.log))
        costs.append((*(end - begin for begin, end in zip(before, after, strict=True)), refused.value.message))
    assert costs[0] == costs[1]
    assert costs[0][:3] == (1, 1, 1)


async def test_a_passkey_that_did_not_count_up_is_refused_as_a_copy(house: House) -> None:
    house.add_passkey()
    for count, gets_in in ((3, False), (2, False), (0, False), (4, True), (4, False)):
        asked = await house.second.begin_passkey()
        answer = {"id": b"c", "nonce": asked.options["nonce"], "count": count}
        if gets_in:
            signed_in = await house.second.by_passkey(token=asked.token, credential=answer, origin=HERE)
            assert signed_in.session.proved_by == ("passkey",)
        else:
            with pytest.raises(InvalidCredentials):
                await house.second.by_passkey(token=asked.token, credential=answer, origin=HERE)
            reason = house.store.rows.log[-1].after
            assert reason is not None
            assert "copy" in reason["reason"]


async def test_step_up_marks_the_session_and_says_how(house: House) -> None:
    who = await house.enrol()
    house.clock.wait(hours=1)
    what = StepUp(offered=Offered(totp_code=house.code()))
    proved_at = await house.step_up.prove(
        what, user_id=who.user_id, session_id=who.session_id, entry=entry("stepUp"), ip_address=None
    )
    session = house.store.rows.sessions[who.session_id]
    assert (session.proved_at, proved_at) == (house.clock.now(), house.clock.now())
    assert session.proved_by == ("password", "totp")


async def test_the_password_is_no_proof_for_who_has_a_factor(house: House) -> None:
    who = await house.enrol()
    before = house.hasher.verified
    with pytest.raises(InvalidInput, match="second factor"):
        await house.step_up.prove(
            StepUp(offered=Offered(), password=PASSWORD),
            user_id=who.user_id,
            session_id=who.session_id,
            entry=entry(),
            ip_address=None,
        )
    assert house.hasher.verified == before
    assert await house.step_up.methods(who.user_id) == (Method.TOTP, Method.RECOVERY_CODE)


async def test_the_last_factor_stays_where_the_role_needs_one(house: House) -> None:
    who = await house.enrol()
    with pytest.raises(Forbidden):
        await house.factors.disable_totp(house.who(who.session_id, must_have_one=True), entry=entry())
    assert house.ada.id in house.store.rows.apps
    left = await house.factors.disable_totp(who, entry=entry())
    assert not left.any
    assert house.ada.id not in house.store.rows.codes


async def test_each_change_is_told_by_mail_without_a_secret(house: House) -> None:
    who = await house.enrol()
    await house.sign_in(recovery_code=house.codes[0])
    codes = await house.factors.renew_recovery_codes(who, entry=entry())
    await house.factors.disable_totp(who, entry=entry())
    await house.factors.reset(who.user_id, entry=entry())
    told = [mail.text for mail in house.store.rows.mails]
    expected = [News.APP_ADDED, News.CODE_USED, News.CODES_RENEWED, News.APP_REMOVED, News.RESET]
    assert [news for text, news in zip(told, expected, strict=True) if news.value in text] == expected
    assert not [secret for secret in (house.secret, *codes, *house.codes) if secret in "".join(told)]


async def test_an_address_no_mail_can_go_to_stops_no_change(house: House) -> None:
    house.ada = User(id=house.ada.id, email="a;b@example.com", role=Role.VIEWER, created_at=house.clock.now())
    house.store.rows.users[house.ada.id] = house.ada
    await house.factors.reset(house.ada.id, entry=entry())
    assert house.store.rows.mails == []
