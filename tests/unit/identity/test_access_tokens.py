"""Which access tokens count? Those we signed, by the key they name, in time; whatever their header asks for."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from domain.ids import new_id
from graphql_api.identity.tokens import ALGORITHM, AUDIENCE, ISSUER, AccessTokens, InvalidToken, key_id
from tests.hostile_provider import hmac_token, part

KEY, OLDER, FOREIGN = b"1" * 32, b"2" * 32, b"3" * 32
NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)
TOKENS = AccessTokens(KEY, lifetime=timedelta(minutes=15))


def signed(
    changes: dict[str, object] | None = None, *, key: bytes = KEY, kid: object = None, algorithm: str = ALGORITHM
) -> str:
    """A token as ours, but for what is changed. A claim of None is left out."""
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(new_id()),
        "sid": str(new_id()),
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 900,
        **(changes or {}),
    }
    header: dict[str, Any] = {"alg": algorithm, "kid": key_id(KEY) if kid is None else kid}
    kept = {name: value for name, value in claims.items() if value is not None}
    if algorithm == ALGORITHM:
        return hmac_token(header, kept, key)
    return jwt.encode(header, kept, OctKey.import_key(key), algorithms=[algorithm])


def refusal(token: str, *, tokens: AccessTokens = TOKENS, now: datetime = NOW) -> str:
    with pytest.raises(InvalidToken) as raised:
        tokens.read(token, now=now)
    return str(raised.value)


def test_a_token_of_ours_counts_and_names_its_key() -> None:
    user, session = new_id(), new_id()
    token, expires_at = TOKENS.sign(user_id=user, session_id=session, now=NOW)
    claims = TOKENS.read(token, now=NOW)
    assert (claims.user_id, claims.session_id, claims.expires_at) == (user, session, expires_at)
    assert TOKENS.read(signed(), now=NOW).expires_at == expires_at


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE", ""])
def test_a_token_without_a_signature_is_nobodys(name: str) -> None:
    """API2:2023 Broken Authentication; ASVS 5 9.1.2: `alg: none` in any spelling."""
    _, claims, signature = signed().split(".")
    for tail in ("", signature):
        assert refusal(f"{part({'alg': name, 'kid': key_id(KEY), 'typ': 'JWT'})}.{claims}.{tail}")


@pytest.mark.filterwarnings("ignore")  # joserfc says that they are not recommended
@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_the_token_does_not_choose_the_algorithm(algorithm: str) -> None:
    """API2:2023; ASVS 5 9.1.2: only the algorithm of our list counts, be the key right."""
    assert refusal(signed(algorithm=algorithm))


def test_a_public_key_of_a_pair_is_no_secret_of_ours() -> None:
    """API2:2023; ASVS 5 9.1.2: algorithm confusion, the text of a public key used as an HMAC key, and RS256 itself."""
    pair = RSAKey.generate_key(2048)
    by_public_key = signed(key=pair.as_pem(private=False))
    by_private_key = jwt.encode(
        {"alg": "RS256", "kid": key_id(KEY)}, {"sub": str(new_id())}, pair, algorithms=["RS256"]
    )
    assert refusal(by_public_key)
    assert refusal(by_private_key)


@pytest.mark.parametrize("kid", ["", "unknown", "../../dev/null", "' OR 1=1 --", 7, ["x"], {"x": 1}, key_id(FOREIGN)])
def test_a_key_that_is_not_ours_is_not_looked_for(kid: object) -> None:
    """API2:2023; ASVS 5 9.1.3: `kid` picks from our keys and reaches nothing else."""
    _, claims, signature = signed().split(".")
    assert refusal(f"{part({'alg': ALGORITHM, 'kid': kid})}.{claims}.{signature}")


def test_a_token_that_names_no_key_is_refused() -> None:
    """API2:2023; ASVS 5 9.1.3: our tokens name their key."""
    _, claims, signature = signed().split(".")
    assert refusal(f"{part({'alg': ALGORITHM})}.{claims}.{signature}")


@pytest.mark.parametrize("header", ["jwk", "jku", "x5u", "x5c"])
def test_a_key_that_comes_with_the_token_is_not_used(header: str) -> None:
    """API2:2023; ASVS 5 9.1.3: keys, and addresses of keys, in the header are not believed."""
    own = OctKey.import_key(FOREIGN)
    value = own.as_dict(private=True) if header == "jwk" else "https://evil.example/keys"
    head = {"alg": ALGORITHM, "kid": "mine", header: [value] if header == "x5c" else value}
    _, claims, signature = signed(key=FOREIGN).split(".")
    assert refusal(f"{part(head)}.{claims}.{signature}")


def test_another_key_under_our_name_does_not_pass() -> None:
    """API2:2023: a forged signature."""
    assert refusal(signed(key=FOREIGN))


@pytest.mark.parametrize("claim", ["sub", "sid", "exp", "iss", "aud"])
def test_a_changed_claim_breaks_the_signature(claim: str) -> None:
    """API2:2023; ASVS 5 9.1.1: tampered claims."""
    head, claims, signature = signed().split(".")
    values = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    values[claim] = values["exp"] + 10**6 if claim == "exp" else str(new_id())
    assert refusal(f"{head}.{part(values)}.{signature}")


@pytest.mark.parametrize("claim", ["sub", "sid", "exp", "iss", "aud"])
def test_a_token_without_a_claim_is_refused(claim: str) -> None:
    """API2:2023; ASVS 5 9.2.1: nothing is taken for granted that is not said."""
    assert refusal(signed({claim: None}))


@pytest.mark.parametrize(("claim", "value"), [("iss", "another"), ("aud", "another"), ("aud", ["tocsin-api", "x"])])
def test_a_token_for_another_service_is_refused(claim: str, value: object) -> None:
    """API2:2023; ASVS 5 9.2.3: issuer and audience."""
    assert "another service" in refusal(signed({claim: value}))


@pytest.mark.parametrize("value", ["soon", True, -1, 10**20, 1e308])
def test_an_end_that_is_no_time_is_refused(value: object) -> None:
    """API2:2023; ASVS 5 9.2.1."""
    assert refusal(signed({"exp": value}))


def test_an_expired_token_says_what_to_do() -> None:
    """API2:2023; ASVS 5 9.2.1: to the second."""
    token, expires_at = TOKENS.sign(user_id=new_id(), session_id=new_id(), now=NOW)
    assert TOKENS.read(token, now=expires_at - timedelta(seconds=1)).expires_at == expires_at
    assert "has expired" in refusal(token, now=expires_at)


@pytest.mark.parametrize("token", ["", ".", "..", "a.b", "a.b.c", "a.b.c.d.e", "\x00", "é.é.é", "x" * 2001])
def test_what_is_no_token_is_refused(token: str) -> None:
    assert refusal(token)


def test_tokens_of_a_former_key_count_until_they_expire() -> None:
    """ASVS 5 11.2.2: keys are replaced without signing everybody out."""
    before = AccessTokens(OLDER, lifetime=timedelta(minutes=15))
    after = AccessTokens(KEY, lifetime=timedelta(minutes=15), older_keys=[OLDER])
    token, expires_at = before.sign(user_id=new_id(), session_id=new_id(), now=NOW)
    assert after.read(token, now=NOW).expires_at == expires_at
    assert "has expired" in refusal(token, tokens=after, now=expires_at)


def test_new_tokens_are_signed_with_the_current_key_alone() -> None:
    after = AccessTokens(KEY, lifetime=timedelta(minutes=15), older_keys=[OLDER])
    token, expires_at = after.sign(user_id=new_id(), session_id=new_id(), now=NOW)
    assert TOKENS.read(token, now=NOW).expires_at == expires_at
    assert refusal(token, tokens=AccessTokens(OLDER, lifetime=timedelta(minutes=15)))


def test_a_key_that_is_no_longer_listed_counts_no_more() -> None:
    token, _ = AccessTokens(OLDER, lifetime=timedelta(minutes=15)).sign(user_id=new_id(), session_id=new_id(), now=NOW)
    assert refusal(token)


def test_a_former_key_cannot_sign_under_the_current_name() -> None:
    after = AccessTokens(KEY, lifetime=timedelta(minutes=15), older_keys=[OLDER])
    assert refusal(signed(key=OLDER, kid=key_id(KEY)), tokens=after)
