"""The small rules second factors stand on: recovery codes, waits, challenges, and when a session counts in full."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput, TooManyAttempts
from domain.identity import challenges, guessing, recovery_codes
from domain.identity.challenges import Purpose, new_challenge
from domain.identity.factors import Factors
from domain.identity.guessing import Guesses
from domain.identity.model import Role
from domain.identity.proofs import SECOND_FACTORS, Method, Standing, is_recent, standing
from domain.identity.proving import Offered
from domain.identity.step_up import StepUp

NOW = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
ADA, BOB = UUID(int=1), UUID(int=2)
KEY, OTHER = b"k" * 32, b"o" * 32


# -- recovery codes ----------------------------------------------------------------------------------------------------


def test_ten_codes_that_differ_and_can_be_read_aloud() -> None:
    codes = recovery_codes.new_codes()
    assert len(set(codes)) == recovery_codes.HOW_MANY
    assert all(len(code) == 27 and code.count("-") == 3 for code in codes)
    assert not set("".join(codes)) & set("ilou")


def test_a_code_is_the_same_however_it_is_typed() -> None:
    code = "0abcde-f12345-6789gh-jkmnpq"
    for typed in ("0ABCDE-F12345-6789GH-JKMNPQ", "oabcdefl23456789ghjkmnpq", " OABCDE fi2345—6789gh jkmnpq\n"):
        assert recovery_codes.code_digest(ADA, typed, KEY) == recovery_codes.code_digest(ADA, code, KEY)


def test_a_code_is_one_persons_and_needs_the_key_to_be_tested() -> None:
    (code, *_) = recovery_codes.new_codes()
    digests = {recovery_codes.code_digest(who, code, key) for who in (ADA, BOB) for key in (KEY, OTHER)}
    assert len(digests) == 4


@given(st.text(max_size=80))
def test_what_cannot_be_a_code_has_no_digest(text: str) -> None:
    digests = recovery_codes.code_digests(ADA, text, [KEY, OTHER])
    assert len(digests) in (0, 2)


# -- guessing ----------------------------------------------------------------------------------------------------------


def test_a_few_wrong_codes_are_free_and_then_the_waits_double_up_to_an_hour() -> None:
    guesses, now, waits = Guesses(), NOW, []
    for _ in range(20):
        guesses = guessing.one_more(guesses, now=now)
        wait = timedelta() if guesses.blocked_until is None else guesses.blocked_until - now
        waits.append(int(wait.total_seconds()))
        now += wait
    assert waits[:8] == [0, 0, 0, 0, 30, 60, 120, 240]
    assert waits[-1] == 3600
    assert max(waits) == 3600


def test_before_the_wait_is_over_no_code_is_looked_at() -> None:
    blocked = Guesses(5, NOW + timedelta(seconds=30))
    with pytest.raises(TooManyAttempts) as refused:
        guessing.one_more(blocked, now=NOW + timedelta(seconds=29))
    assert refused.value.retry_after_seconds == 2
    assert guessing.one_more(blocked, now=NOW + timedelta(seconds=30)).failures == 6


def test_guessing_takes_decades() -> None:
    """ASVS 5 V6.5.5, V6.3.1: at the pace the waits allow, an even chance is more than twenty years away."""
    guesses, now, year = Guesses(), NOW, timedelta(days=365)
    attempts = 0
    while now < NOW + year:
        guesses = guessing.one_more(guesses, now=now)
        now = guesses.blocked_until or now
        attempts += 1
    chance_a_year = 1 - (1 - 3e-6) ** attempts
    assert 0.5 / chance_a_year > 19


def test_a_million_failures_break_no_arithmetic() -> None:
    assert guessing.one_more(Guesses(10**6, None), now=NOW).blocked_until == NOW + guessing.LONGEST_WAIT


# -- challenges --------------------------------------------------------------------------------------------------------


def test_a_challenge_is_answered_by_its_own_token_for_its_purpose_in_time() -> None:
    challenge, token = new_challenge(Purpose.SECOND_FACTOR, now=NOW, user_id=ADA)
    other, other_token = new_challenge(Purpose.SECOND_FACTOR, now=NOW, user_id=ADA)
    assert challenges.challenge_id_of(token) == challenge.id
    assert challenge.is_answered_by(token, Purpose.SECOND_FACTOR, now=NOW)
    assert not challenge.is_answered_by(token, Purpose.PASSKEY_SIGN_IN, now=NOW)
    assert not challenge.is_answered_by(other_token, Purpose.SECOND_FACTOR, now=NOW)
    assert not challenge.is_answered_by(token, Purpose.SECOND_FACTOR, now=challenge.expires_at)
    assert challenge.nonce != other.nonce
    assert token.encode() not in challenge.digest


@given(st.text(max_size=120))
def test_made_up_tokens_name_no_challenge(text: str) -> None:
    assert challenges.challenge_id_of(text) is None
    found = challenges.challenge_id_of(challenges.PREFIX + text)
    assert found is None or len(text) == 64


# -- proofs ------------------------------------------------------------------------------------------------------------

REQUIRED = frozenset({"admin", "manager"})


@pytest.mark.parametrize(
    ("role", "has_factor", "proved", "found"),
    [
        (Role.OPERATOR, False, {Method.PASSWORD}, Standing.FULL),
        (Role.OPERATOR, True, {Method.PASSWORD}, Standing.MUST_PROVE),
        (Role.OPERATOR, True, {Method.PASSWORD, Method.TOTP}, Standing.FULL),
        (Role.ADMIN, False, {Method.PASSWORD}, Standing.MUST_ENROL),
        (Role.ADMIN, False, set(), Standing.MUST_ENROL),
        (Role.ADMIN, True, {Method.PASSWORD}, Standing.MUST_PROVE),
        (Role.ADMIN, True, {Method.PASSKEY}, Standing.FULL),
        (Role.ADMIN, False, {Method.FEDERATED}, Standing.MUST_ENROL),
        (Role.ADMIN, False, {Method.FEDERATED_MFA}, Standing.FULL),
        (Role.VIEWER, True, {Method.FEDERATED}, Standing.MUST_PROVE),
        (Role.MANAGER, True, {Method.PASSWORD, Method.RECOVERY_CODE}, Standing.FULL),
    ],
)
def test_when_a_session_counts_in_full(role: Role, has_factor: bool, proved: set[Method], found: Standing) -> None:
    assert standing(role=role, has_factor=has_factor, proved=proved, required_for=REQUIRED) is found


@given(
    st.sampled_from(list(Role)), st.booleans(), st.sets(st.sampled_from(list(Method))), st.sets(st.sampled_from(Role))
)
def test_nobody_who_has_a_factor_goes_without_it(
    role: Role, has_factor: bool, proved: set[Method], required: set[Role]
) -> None:
    found = standing(role=role, has_factor=has_factor, proved=proved, required_for=required)
    if has_factor and not proved & SECOND_FACTORS:
        assert found is Standing.MUST_PROVE
    if found is Standing.FULL:
        assert proved & SECOND_FACTORS or not (has_factor or role in required)


def test_a_proof_is_recent_until_its_window_is_over() -> None:
    window = timedelta(minutes=15)
    assert is_recent(NOW, now=NOW + window, window=window)
    assert not is_recent(NOW, now=NOW + window + timedelta(seconds=1), window=window)


def test_recovery_codes_alone_are_no_factor() -> None:
    assert not Factors(recovery_codes_left=10).any
    assert Factors(recovery_codes_left=10).methods == ()
    assert Factors(has_totp=True, recovery_codes_left=1).methods == (Method.TOTP, Method.RECOVERY_CODE)
    assert Factors(passkeys=1).methods == (Method.PASSKEY,)


def test_one_proof_at_a_time() -> None:
    with pytest.raises(InvalidInput):
        Offered(totp_code="123456", recovery_code="x")
    for what in ({}, {"password": "p", "offered": Offered(totp_code="1")}, {"offered": Offered(passkey={})}):
        with pytest.raises(InvalidInput):
            StepUp(**{"offered": Offered(), **what})  # type: ignore[arg-type] # as the API fills it
