"""Codes of authenticator apps: the ones of RFC 6238, in time, once (ASVS 5.0 6.5.1, 6.5.5, 6.5.8)."""

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.identity import totp

SECRET = base64.b32encode(b"12345678901234567890").decode()
NOW = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_the_codes_are_those_of_rfc_6238(seconds: int, code: str) -> None:
    moment = datetime.fromtimestamp(seconds, UTC)
    assert totp.code_of(SECRET, totp.step_at(moment)) == code
    assert totp.matching_step(SECRET, code, now=moment, last_step=None) == seconds // 30


@pytest.mark.parametrize(("steps", "counts"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_one_step_off(steps: int, counts: bool) -> None:
    code = totp.code_of(SECRET, totp.step_at(NOW) + steps)
    assert (totp.matching_step(SECRET, code, now=NOW, last_step=None) is not None) is counts


def test_a_code_that_was_taken_is_not_taken_again_nor_is_an_older_one() -> None:
    step = totp.step_at(NOW)
    for used in (step, step + 1):
        assert totp.matching_step(SECRET, totp.code_of(SECRET, step), now=NOW, last_step=used) is None
    assert totp.matching_step(SECRET, totp.code_of(SECRET, step + 1), now=NOW, last_step=step) == step + 1


@given(st.lists(st.tuples(st.integers(0, 90), st.integers(-3, 3)), max_size=60))
def test_whatever_the_order_of_codes_no_step_counts_twice(attempts: list[tuple[int, int]]) -> None:
    """V6.5.1: a code is good once, whoever brings it and whenever."""
    now, last, taken = NOW, None, []
    for seconds, offset in attempts:
        now += timedelta(seconds=seconds)
        code = totp.code_of(SECRET, totp.step_at(now) + offset)
        step = totp.matching_step(SECRET, code, now=now, last_step=last)
        if step is not None:
            assert abs(step - totp.step_at(now)) <= totp.TOLERANCE
            taken.append(step)
            last = step
    assert taken == sorted(set(taken))


@given(st.text(max_size=40))
def test_text_that_is_no_code_counts_for_nothing(text: str) -> None:
    step = totp.matching_step(SECRET, text, now=NOW, last_step=None)
    assert step is None or totp.code_of(SECRET, step) in "".join(text.split())


@pytest.mark.parametrize("shape", ["{0} {1}", " {0}{1}\n", "{0}\u00a0{1}"])
def test_a_code_may_be_typed_as_the_app_shows_it(shape: str) -> None:
    code = totp.code_of(SECRET, totp.step_at(NOW))
    assert totp.matching_step(SECRET, shape.format(code[:3], code[3:]), now=NOW, last_step=None) is not None


@pytest.mark.parametrize("code", ["", "12345", "1234567", "\ud800", "١٢٣٤٥٦", "-12345", "1" * 5000])
def test_what_has_not_six_digits_is_refused(code: str) -> None:
    assert totp.matching_step(SECRET, code, now=NOW, last_step=None) is None


def test_secrets_are_long_and_differ() -> None:
    secrets = {totp.new_secret() for _ in range(50)}
    assert len(secrets) == 50
    assert all(len(base64.b32decode(secret)) == 20 for secret in secrets)


def test_the_address_for_an_app_names_the_account_and_the_issuer() -> None:
    parts = urlsplit(totp.provisioning_uri(SECRET, account="ada+x@example.com", issuer="Tocsin"))
    assert (parts.scheme, parts.netloc, parts.path) == ("otpauth", "totp", "/Tocsin:ada%2Bx%40example.com")
    assert parse_qs(parts.query) == {"secret": [SECRET], "issuer": ["Tocsin"]}
