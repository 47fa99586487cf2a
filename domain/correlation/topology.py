"""What does a service need to work, near and far? Walked outwards, the nearest first, and never without end."""

from collections.abc import Iterable, Mapping

from domain.correlation.model import Topology

# How far a fault is looked for upstream, and among how many services: each of them is a lock and a look-up an alert.
MAX_DISTANCE = 3
MAX_UPSTREAMS = 20


def topology_of(dependencies: Iterable[tuple[str, str]]) -> Topology:
    """From (service, what it depends on), by name. A circle is walked once."""
    direct: dict[str, list[str]] = {}
    needed = set()
    for service, upstream in sorted(dependencies):
        direct.setdefault(service, []).append(upstream)
        needed.add(upstream)
    return Topology({service: _outwards(service, direct) for service in direct}, frozenset(needed))


def _outwards(service: str, direct: Mapping[str, list[str]]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    ring = [service]
    for _ in range(MAX_DISTANCE):
        ring = [
            upstream
            for name in ring
            for upstream in direct.get(name, ())
            if upstream != service and upstream not in found
        ]
        found.update(dict.fromkeys(ring))
    return tuple(found)[:MAX_UPSTREAMS]
