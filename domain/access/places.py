"""Where does a request come from, for whoever counts? One IPv4 address, or one IPv6 network of 64 bits.

A single line is given 2^64 addresses of IPv6 and more: counting them one by one would count nobody.
"""

from functools import lru_cache
from ipaddress import IPv4Address, ip_address

NOWHERE = "-"
_INTERFACE_BITS = 64


@lru_cache(maxsize=4096)
def place_of(address: str | None) -> str:
    """The place an address stands for."""
    try:
        found = ip_address(address or "")
    except ValueError:
        return NOWHERE
    if isinstance(found, IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return f"{type(found)(int(found) >> _INTERFACE_BITS << _INTERFACE_BITS)}/64"
