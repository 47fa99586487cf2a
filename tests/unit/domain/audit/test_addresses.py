"""How much of an address is left of it?"""

import pytest

from domain.audit.addresses import AddressForm, kept_address, network_of


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("testclient", None),
        ("192.0.2.0/24", None),
    ],
)
def test_the_network_of_an_address(address: str, network: str | None) -> None:
    assert network_of(address) == network
    assert kept_address(address, AddressForm.NETWORK) == network


def test_all_or_nothing() -> None:
    assert kept_address("192.0.2.77", AddressForm.FULL) == "192.0.2.77"
    assert kept_address("192.0.2.77", AddressForm.NONE) is None
    assert kept_address(None, AddressForm.FULL) is None
