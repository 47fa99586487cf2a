"""Which ways into a group does one rule give an alert? What they have in common is the key, and the title."""

from functools import lru_cache
from hashlib import blake2b
from uuid import UUID

from domain.alerts.normalise import NormalSignal
from domain.correlation.model import GroupField, GroupRule, GroupStrategy, Topology
from domain.correlation.templates import template_of
from domain.correlation.way import Way, WayKind, Ways
from domain.rules.keys import read_key

MAX_REMEMBERED = 4_096
MAX_REMEMBERED_LENGTH = 2_000
MAX_TITLE = 200
# What is shared by another name than people have for it.
_SAID = {GroupField.TITLE_TEMPLATE.value: "title"}


class Maker:
    """Makes the ways of rules. Of what alerts have in common there is little that is new, so it is made once."""

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        # By the rule itself, which lives as long as this does: an id is hashed in Python.
        self._remembered: dict[tuple[object, ...], Ways] = {}

    def ways(self, rule: GroupRule, signal: NormalSignal, integration_id: UUID) -> Ways:
        """The ways by a rule that is for the alert."""
        part, number = "", 0
        if rule.strategy is GroupStrategy.TOPOLOGY:
            service = signal.service_name or ""
            values: tuple[str, ...] = (service,)
            if not (service in self._topology.upstreams or service in self._topology.needed):
                return ()
        else:
            values = _shared(rule, signal, integration_id)
            # Alerts without any of the labels have nothing in common: they would all be one group.
            if rule.strategy is GroupStrategy.LABELS and values and not any(values):
                return ()
        if rule.strategy is GroupStrategy.TOGETHER:
            number = next((n for n, one in enumerate(rule.parts) if one.matches(signal.labels)), -1)
            if number < 0:
                return ()
        elif rule.strategy is GroupStrategy.SIMILARITY:
            part = template_of(signal.title)
        return self._kept(rule, values, part=part, number=number)

    def _kept(self, rule: GroupRule, values: tuple[str, ...], *, part: str, number: int) -> Ways:
        known = id(rule), part, number, values
        found = self._remembered.get(known)
        if found is None:
            found = self._made(rule, values, part=part, number=number)
            if sum(map(len, values)) + len(part) <= MAX_REMEMBERED_LENGTH:
                if len(self._remembered) >= MAX_REMEMBERED:
                    self._remembered.clear()
                self._remembered[known] = found
        return found

    def _made(self, rule: GroupRule, values: tuple[str, ...], *, part: str, number: int) -> Ways:
        if rule.strategy is GroupStrategy.TOPOLOGY:
            return _by_topology(rule, values[0], self._topology)
        names = (*rule.labels, *(name.value for name in rule.fields))
        shared = list(zip(names, values, strict=True))
        said = ", ".join(f"{_SAID.get(name, name)}={value}" for name, value in shared)
        title = (f"{rule.name}: {said}" if said else rule.name)[:MAX_TITLE]
        key = f"{rule.strategy.value}:{rule.id}:{_digest(*(text for pair in shared for text in pair))}"
        if rule.strategy is GroupStrategy.TOGETHER:
            return (Way(kind=WayKind.TOGETHER, key=key, said=said, title=title, rule=rule, number=number),)
        if rule.strategy is GroupStrategy.SIMILARITY:
            return (Way(kind=WayKind.SIMILAR, key=key, said=said, title=part[:MAX_TITLE], rule=rule, part=part),)
        return (Way(kind=WayKind.LABELS, key=key, said=said, title=title, rule=rule),)


@lru_cache(maxsize=MAX_REMEMBERED)
def by_key(group_key: str) -> Way:
    """The way of a key that an alert rule gave."""
    title = read_key(group_key)[:MAX_TITLE]
    return Way(kind=WayKind.KEY, key=f"key:{_digest(group_key)}", said=f"the group key {title}", title=title)


def _shared(rule: GroupRule, signal: NormalSignal, integration_id: UUID) -> tuple[str, ...]:
    """What alerts of one group have in common; a label that is absent counts as empty, as in Alertmanager."""
    labels = signal.labels
    values = tuple([labels.get(name, "") for name in rule.labels])
    return values + tuple([_field(name, signal, integration_id) for name in rule.fields]) if rule.fields else values


def _field(name: GroupField, signal: NormalSignal, integration_id: UUID) -> str:
    if name is GroupField.SERVICE:
        return signal.service_name or ""
    if name is GroupField.SOURCE:
        return signal.source
    if name is GroupField.SEVERITY:
        return signal.severity.value
    return str(integration_id) if name is GroupField.INTEGRATION else template_of(signal.title)


def _by_topology(rule: GroupRule, service: str, topology: Topology) -> Ways:
    def way(kind: WayKind, name: str, said: str) -> Way:
        title = f"{name} and what depends on it"[:MAX_TITLE]
        return Way(kind=kind, key=f"topology:{rule.id}:{_digest(name)}", said=said, title=title, rule=rule)

    ways = [
        way(WayKind.UPSTREAM, upstream, f"{service} depends on {upstream}")
        for upstream in topology.upstreams.get(service, ())
    ]
    if service in topology.needed:
        ways.append(way(WayKind.SERVICE, service, f"other services depend on {service}"))
    return tuple(ways)


def _digest(*texts: str) -> str:
    digest = blake2b(digest_size=12)
    for text in texts:
        digest.update(text.encode("utf-8", "surrogatepass") + b"\xff")
    return digest.hexdigest()
