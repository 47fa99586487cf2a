"""What does a key look like, from where may it be used, and how long does it live?"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.access import keys
from domain.access.issuing import KeyDesk, NewKey
from domain.access.networks import MAX_NETWORKS, allows, checked_networks
from domain.access.places import NOWHERE, place_of
from domain.access.scopes import Scope
from domain.errors import InvalidInput

NOW = datetime(2026, 11, 26, tzinfo=UTC)
DESK = KeyDesk(digest_key=b"k" * 32, max_lifetime=timedelta(days=365))


def test_a_key_is_recognisable_and_carries_a_checksum() -> None:
    made = [keys.new_secret() for _ in range(100)]
    assert len(set(made)) == 100
    for secret in made:
        assert re.fullmatch(keys.PATTERN, secret)
        assert keys.is_key(secret)
        assert keys.shown_prefix(secret) == secret[:10]


def test_a_slip_of_the_hand_is_no_key() -> None:
    secret = keys.new_secret()
    for place in range(len(secret)):
        other = secret[:place] + ("A" if secret[place] != "A" else "B") + secret[place + 1 :]
        assert not keys.is_key(other), place
    for wrong in ("", "tck_", secret[:-1], secret + "a", secret.upper(), "tcs" + secret[3:], f" {secret}"):
        assert not keys.is_key(wrong), wrong


def test_the_checksum_stays_what_scanners_were_told() -> None:
    """docs/api-keys.md: CRC-32 of all before it, in base 62, six characters."""
    assert keys.checksum("tck_" + "0" * 43) == "04Odag"


def test_a_digest_is_keyed() -> None:
    secret = keys.new_secret()
    assert keys.key_digest(secret, b"a" * 32) != keys.key_digest(secret, b"b" * 32)
    assert secret.encode() not in keys.key_digest(secret, b"a" * 32)


@pytest.mark.parametrize(
    ("networks", "address", "allowed"),
    [
        ([], "203.0.113.9", True),
        ([], None, True),
        (["192.0.2.0/24"], "192.0.2.77", True),
        (["192.0.2.0/24"], "::ffff:192.0.2.77", True),
        (["192.0.2.0/24"], "192.0.3.1", False),
        (["192.0.2.0/24"], None, False),
        (["192.0.2.0/24"], "not an address", False),
        (["2001:db8::/32"], "2001:db8:1::1", True),
        (["2001:db8::/32"], "2001:db9::1", False),
        (["198.51.100.1", "192.0.2.0/24"], "198.51.100.1", True),
    ],
)
def test_a_key_is_used_from_its_networks_alone(networks: Sequence[str], address: str | None, allowed: bool) -> None:
    assert allows(checked_networks(networks), address) is allowed


@pytest.mark.parametrize("wrong", ["", "192.0.2.0/33", "192.0.2.1/24", "example.com", "192.0.2", "::/129"])
def test_what_is_no_network_is_refused_by_its_place(wrong: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        checked_networks(["192.0.2.0/24", wrong], "allowedNetworks")
    assert refused.value.path == ("allowedNetworks", "1")


def test_networks_are_bounded() -> None:
    with pytest.raises(InvalidInput):
        checked_networks(["192.0.2.0/24"] * (MAX_NETWORKS + 1))


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        (None, NOWHERE),
        ("testclient", NOWHERE),
    ],
)
def test_one_line_of_the_internet_is_one_place(address: str | None, place: str) -> None:
    assert place_of(address) == place


def _draft(**more: object) -> None:
    given = {"name": "x", "scopes": frozenset({Scope.ALERTS_READ}), **more}
    DESK.draft(NewKey(**given), created_by=UUID(int=1), now=NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ({"scopes": frozenset()}, ("scopes",)),
        ({"expires_at": NOW}, ("expiresAt",)),
        ({"expires_at": NOW + timedelta(days=366)}, ("expiresAt",)),
        ({"name": " "}, ("name",)),
        ({"name": "x" * 101}, ("name",)),
        ({"document_hash": "A" * 64}, ("documentHash",)),
        ({"networks": ("here",)}, ("allowedNetworks", "0")),
    ],
)
def test_a_key_that_cannot_be_is_refused_by_the_field(more: dict[str, object], path: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput) as refused:
        _draft(**more)
    assert refused.value.path == path


def test_a_key_without_an_end_ends_when_it_must() -> None:
    key, secret = DESK.draft(NewKey(name=" x ", scopes=frozenset({Scope.ALERTS_READ})), created_by=None, now=NOW)
    assert key.expires_at == NOW + timedelta(days=365)
    assert key.name == "x"
    assert key.prefix == secret[:10]
    assert key.is_live(NOW)
    assert not key.is_live(key.expires_at)
