"""Addresses, roles, tokens and sealing: the small rules identity stands on."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.identity.addresses import address_digest, checked_address, normalised
from domain.identity.model import Role, User
from domain.identity.sessions import GRACE, Refresh, RefreshTokens, Session, SessionPolicy, digest, judge, rotated
from graphql_api.identity.tokens import AccessTokens, InvalidToken
from persistence.sealing import CannotUnseal, Sealer

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
POLICY = SessionPolicy(idle=timedelta(hours=1), absolute=timedelta(days=1))
KEY = b"k" * 32


@pytest.mark.parametrize(
    ("one", "other"),
    [("Ada@Example.com", " ada@EXAMPLE.COM "), ("STRASSE@x.de", "straße@x.de"), ("\uff41da@x", "ada@x")],
)
def test_addresses_that_mean_one_mailbox_are_the_same(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)
    assert address_digest(one, KEY) == address_digest(other, KEY)
    assert address_digest(one, KEY) != address_digest(one, b"another key")


@pytest.mark.parametrize("text", ["a@b", "first.last+tag@example.co.uk", "ünï@bücher.example"])
def test_an_address_is_taken_as_written(text: str) -> None:
    assert checked_address(f" {text} ") == text


@pytest.mark.parametrize(
    "text", ["", "a", "@b", "a@", "a@b@c", "a b@c", "a@b..c", "a@.b", "a\x00@b", "a@b\n", "x" * 65 + "@b"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    if text.strip() == "a@b":
        assert checked_address(text) == "a@b"
        return
    with pytest.raises(InvalidInput):
        checked_address(text, "email")


def test_each_role_includes_the_ones_below() -> None:
    order = [Role.VIEWER, Role.OPERATOR, Role.MANAGER, Role.ADMIN]
    for position, role in enumerate(order):
        assert [role.includes(other) for other in order] == [at <= position for at in range(4)]


def session(token: str, **more: object) -> Session:
    values: dict[str, object] = {
        "id": UUID(int=1),
        "user_id": UUID(int=2),
        "refresh_digest": digest(token),
        "created_at": NOW,
        "last_used_at": NOW,
        "idle_expires_at": NOW + POLICY.idle,
        "expires_at": NOW + POLICY.absolute,
    }
    return Session(**{**values, **more})  # type: ignore[arg-type] # names and types of the fields above


@given(st.uuids(), st.integers(0, 2**32 - 1))
def test_a_refresh_token_names_its_session_and_generation(session_id: UUID, generation: int) -> None:
    tokens = RefreshTokens(KEY)
    token = tokens.token(session_id, generation)
    assert tokens.read(token) == (session_id, generation)
    assert RefreshTokens(b"another key").read(token) is None


@given(st.text(max_size=120))
def test_made_up_refresh_tokens_name_nothing(text: str) -> None:
    tokens = RefreshTokens(KEY)
    assert tokens.read(text) is None
    assert tokens.read("tcr_" + text) is None


def test_what_a_refresh_token_buys() -> None:
    tokens = RefreshTokens(KEY)
    first, second, third = (tokens.token(UUID(int=1), generation) for generation in range(3))
    start = session(first)
    assert judge(start, first, now=NOW) is Refresh.ROTATE
    after = rotated(start, second, now=NOW + timedelta(minutes=30), policy=POLICY)
    used = after.last_used_at
    assert after.idle_expires_at == used + POLICY.idle
    assert judge(after, second, now=used) is Refresh.ROTATE
    assert judge(after, first, now=used + GRACE) is Refresh.REPEAT
    assert judge(after, first, now=used + GRACE + timedelta(seconds=1)) is Refresh.REUSED
    again = rotated(after, third, now=used, policy=POLICY)
    assert judge(again, first, now=used) is Refresh.REUSED
    assert judge(start, first, now=NOW + POLICY.idle) is Refresh.ENDED
    assert judge(session(first, revoked_at=NOW), first, now=NOW) is Refresh.ENDED


def test_an_idle_limit_never_outlives_the_absolute_one() -> None:
    assert POLICY.idle_expiry(NOW, NOW + timedelta(minutes=5)) == NOW + timedelta(minutes=5)


def test_an_access_token_names_its_person_until_it_ends() -> None:
    tokens = AccessTokens(KEY, lifetime=timedelta(minutes=15))
    text, ends = tokens.sign(user_id=UUID(int=1), session_id=UUID(int=2), now=NOW)
    claims = tokens.read(text, now=ends - timedelta(seconds=1))
    assert (claims.user_id, claims.session_id, claims.expires_at) == (UUID(int=1), UUID(int=2), ends)
    with pytest.raises(InvalidToken, match="expired"):
        tokens.read(text, now=ends)
    with pytest.raises(InvalidToken, match="not one of ours"):
        AccessTokens(b"j" * 32, lifetime=timedelta(minutes=15)).read(text, now=NOW)


@given(st.text(max_size=300))
def test_made_up_access_tokens_are_refused_and_nothing_else(text: str) -> None:
    with pytest.raises(InvalidToken):
        AccessTokens(KEY, lifetime=timedelta(minutes=15)).read(text, now=NOW)


@given(st.text(max_size=200))
def test_what_is_sealed_opens_in_its_place_alone(secret: str) -> None:
    sealer, row = Sealer(KEY), UUID(int=1)
    try:
        secret.encode()
    except UnicodeEncodeError:
        return
    sealed = sealer.seal(secret, column="a.b", row=row)
    assert sealer.unseal(sealed, column="a.b", row=row) == secret
    for column, other in (("a.c", row), ("a.b", UUID(int=2))):
        with pytest.raises(CannotUnseal):
            sealer.unseal(sealed, column=column, row=other)


def test_two_seals_of_one_secret_differ() -> None:
    sealer = Sealer(KEY)
    assert sealer.seal("s", column="a.b", row=UUID(int=1)) != sealer.seal("s", column="a.b", row=UUID(int=1))


def test_an_older_key_still_opens_and_a_missing_one_says_so() -> None:
    sealed = Sealer(KEY).seal("s", column="a.b", row=UUID(int=1))
    newer = Sealer(b"n" * 32, older_keys=[KEY])
    assert newer.unseal(sealed, column="a.b", row=UUID(int=1)) == "s"
    with pytest.raises(CannotUnseal, match="TOCSIN_OLDER_SECRET_KEYS"):
        Sealer(b"n" * 32).unseal(sealed, column="a.b", row=UUID(int=1))


@given(st.integers(0, 60))
def test_a_changed_byte_does_not_open(position: int) -> None:
    sealer = Sealer(KEY)
    sealed = bytearray(sealer.seal("a secret of some length here", column="a.b", row=UUID(int=1)))
    sealed[position % len(sealed)] ^= 1
    with pytest.raises(CannotUnseal):
        sealer.unseal(bytes(sealed), column="a.b", row=UUID(int=1))
    with pytest.raises(CannotUnseal):
        sealer.unseal(os.urandom(3), column="a.b", row=UUID(int=1))


def test_a_name_is_never_the_address() -> None:
    """API3:2023: a name goes with whatever a person did, also to a key that may read no address."""
    unnamed = User(id=UUID(int=0xBEEF), email="ada@example.com", role=Role.VIEWER, created_at=NOW)
    assert unnamed.name == "Unnamed person beef"
    assert replace(unnamed, last_name="Lovelace").name == "Lovelace"
