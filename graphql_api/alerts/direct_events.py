"""Which events are told to followers without graphql-core? Those of documents that show attributes alone.

An event is told to every group that follows: for each document, for each set of permissions. Most ask for what an event
and its alert are, which is the same whoever asks, so it is made once for all of them. What a document asks for is
looked at once; as for pages of alerts (graphql_api/alerts/direct.py), whatever is not plain takes graphql-core's way,
which begins anew, and so does whatever is no event. Who may see the event at all was asked before.
"""

from collections import OrderedDict
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from graphql import GraphQLObjectType, GraphQLResolveInfo

from domain.alerts.cursor import Cursor, encode_cursor
from domain.alerts.events import RecordedEvent
from domain.alerts.model import Alert
from graphql_api.alerts.direct import NotPlain, Selections, plain
from graphql_api.alerts.selected import TYPENAME
from graphql_api.context import Info
from graphql_api.fitted import fitted
from graphql_api.http import encode
from graphql_api.shown import Shown, known_shown, reader, typename

if TYPE_CHECKING:
    from uuid import UUID

# Results that are kept, and their bytes: a group makes several in one go before the next comes to them.
MOST_KEPT, MOST_BYTES = 256, 4_000_000
UNION, EVENT, OTHERS = "AlertStreamMessage", "AlertEvent", frozenset({"AlertLeftView", "StreamReset"})
Fields: TypeAlias = tuple[tuple[str, Shown], ...]


class Asked(NamedTuple):
    """What is asked of an event, by names in the answer: `names` has all of them in order."""

    root: str
    names: tuple[str, ...]
    attributes: Fields
    cursors: tuple[str, ...]
    alerts: tuple[tuple[str, Fields], ...]


class Told(NamedTuple):
    """A result as JSON, and what it was made of."""

    event: RecordedEvent
    alert: Alert
    at: Cursor
    body: bytes


class Kept:
    """The newest results, for the groups that come to the same event next; within bounds."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[DirectEvents, UUID], Told] = OrderedDict()
        self._bytes = 0

    def find(self, by: "DirectEvents", event: RecordedEvent, alert: Alert, at: Cursor) -> bytes | None:
        """What was made of this very event and alert."""
        told = self._known.get((by, event.id))
        if told is None or told.event is not event or told.alert is not alert or told.at != at:
            return None
        return told.body

    def keep(self, by: "DirectEvents", told: Told) -> None:
        """Keep one more."""
        key = (by, told.event.id)
        self._drop(self._known.pop(key, None))
        self._known[key] = told
        self._bytes += len(told.body)
        while len(self._known) > MOST_KEPT or self._bytes > MOST_BYTES:
            self._drop(self._known.popitem(last=False)[1])

    def _drop(self, told: Told | None) -> None:
        self._bytes -= 0 if told is None else len(told.body)


_kept = Kept()


class DirectEvents:
    """Tells of events what is asked."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._read, self._alerts = reader(asked.attributes), [(name, reader(shown)) for name, shown in asked.alerts]

    def told(self, event: RecordedEvent, alert: Alert, at: Cursor) -> bytes | None:
        """The result for the event, whose place is `at`, as JSON; None where graphql-core must make it."""
        known = _kept.find(self, event, alert, at)
        if known is not None:
            return known
        try:
            body = fitted(encode({"data": {self._asked.root: self._made(event, alert, at)}}))
        except Exception:  # noqa: BLE001 - graphql-core asks again, and answers for the error
            return None
        _kept.keep(self, Told(event, alert, at, body))
        return body

    def _made(self, event: RecordedEvent, alert: Alert, at: Cursor) -> dict[str, Any]:
        values = self._read([event])[0]
        values |= dict.fromkeys(self._asked.cursors, encode_cursor(at))
        for name, read in self._alerts:
            values[name] = read([alert])[0]
        return {name: values[name] for name in self._asked.names}


def direct_events(info: Info) -> DirectEvents | None:
    """How the events that a subscription's document asks for are told; None where graphql-core must."""
    try:
        return _direct(_asked(info._raw_info))  # noqa: SLF001 - no public way
    except NotPlain:
        return None


# By what is asked: groups whose documents and variables differ, and which show the same, share what is told.
_direct = lru_cache(maxsize=512)(DirectEvents)


def _asked(raw: "GraphQLResolveInfo[Any]") -> Asked:
    """What a valid document asks of an event; NotPlain if that is more than attributes."""
    selections = Selections(raw.fragments)
    plain(not raw.operation.directives and len(raw.field_nodes) == 1 and not raw.field_nodes[0].directives)
    fields = selections.fields(EVENT, raw.field_nodes[0].selection_set, of=UNION, others=OTHERS)
    event, alert = raw.schema.type_map[EVENT], raw.schema.type_map["Alert"]
    assert isinstance(event, GraphQLObjectType)  # noqa: S101 - for the type checker
    assert isinstance(alert, GraphQLObjectType)  # noqa: S101 - for the type checker
    attributes, cursors, alerts = [], [], []
    for name, node in fields.items():
        if node.name.value == "cursor":
            cursors.append(name)
        elif node.name.value == "alert":
            shown = selections.fields("Alert", node.selection_set)
            alerts.append((name, tuple((of, _shown(alert, one.name.value)) for of, one in shown.items())))
        else:
            attributes.append((name, _shown(event, node.name.value)))
    return Asked(str(raw.path.key), tuple(fields), tuple(attributes), tuple(cursors), tuple(alerts))


def _shown(kind: GraphQLObjectType, name: str) -> Shown:
    field = typename(kind) if name == TYPENAME else known_shown(kind.fields[name])
    if field is None:
        raise NotPlain
    return field
