"""From where may a key be used? From the networks it names; from everywhere when it names none."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from domain.errors import InvalidInput

MAX_NETWORKS = 20
Network = IPv4Network | IPv6Network


def checked_networks(given: Iterable[str], *path: str) -> tuple[Network, ...]:
    """The networks a list names, in CIDR form; InvalidInput for the first that is none."""
    found: list[Network] = []
    for place, text in enumerate(given):
        try:
            found.append(ip_network(text.strip()))
        except ValueError:
            message = f"{text[:60]!r} is no network: write 192.0.2.0/24, 2001:db8::/32 or one address"
            raise InvalidInput(message, (*path, str(place))) from None
    if len(found) > MAX_NETWORKS:
        raise InvalidInput(f"at most {MAX_NETWORKS} networks", path)
    return tuple(found)


def allows(networks: Iterable[Network], address: str | None) -> bool:
    """Whether the address is in one of the networks. An address nobody knows is in none."""
    wanted = tuple(networks)
    if not wanted:
        return True
    try:
        found = ip_address(address or "")
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(found in network for network in wanted)
