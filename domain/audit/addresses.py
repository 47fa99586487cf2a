"""How much of an address on the network does the log keep? All of it, the network it is in, or nothing: a setting.

A row that is sealed cannot be shortened afterwards, so it is decided before it is written.
"""

from enum import StrEnum
from ipaddress import ip_address, ip_network

# The rest tells apart the households of a provider's network, or a company's desks.
KEPT_BITS = {4: 24, 6: 48}


class AddressForm(StrEnum):
    """What is kept: the address, the network of 256 addresses (IPv6: the /48) it is in, or none."""

    FULL = "full"
    NETWORK = "network"
    NONE = "none"


def kept_address(address: str | None, form: AddressForm) -> str | None:
    """What the log keeps of an address."""
    if address is None or form is AddressForm.NONE:
        return None
    return address if form is AddressForm.FULL else network_of(address)


def network_of(address: str) -> str | None:
    """The network an address is in; None for what is none, such as the name of a socket."""
    try:
        found = ip_address(address)
    except ValueError:
        return None
    mapped = getattr(found, "ipv4_mapped", None)
    found = mapped or found
    return str(ip_network(f"{found}/{KEPT_BITS[found.version]}", strict=False))
