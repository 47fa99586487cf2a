"""What travels on the live stream? Runs of events, each saying from where to where in the log it reaches.

`before` is the place before its first event: a reader that is not there yet has missed something and reads the log.
`events` is None for a run too large to carry: its reader goes to the log, too. `known` tells of the alert of each
event, and `possible` of all of them together, so that who follows by a filter need not look at other alerts' events.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import msgspec
import orjson

from domain.alerts.cursor import Cursor
from domain.alerts.events import LogPosition, RecordedEvent
from domain.alerts.sieve import ANYTHING, MOVING, Known, Possible

# Small enough that a thousand of them are no burden for Redis, large enough that a busy minute is a few messages.
MAX_MESSAGE_BYTES = 64 * 1024


class Line(Protocol):
    """A row of the log, as LogReader.lines_after gives it."""

    def __getitem__(self, name: str, /) -> Any:  # noqa: ANN401 - the column's
        """The value of a column."""
        ...


class StreamSpan(msgspec.Struct, frozen=True, kw_only=True):
    """From where to where a message reaches, without its events: for a process in which nobody can want them."""

    epoch: UUID
    before: LogPosition
    after: LogPosition
    recorded_at: datetime
    # A relay of an older version does not tell.
    possible: Possible = ANYTHING

    @property
    def end(self) -> Cursor:
        """Where a reader is who has read it."""
        return Cursor(epoch=self.epoch, position=self.after, recorded_at=self.recorded_at)


class StreamMessage(StreamSpan, frozen=True, kw_only=True):
    """A run of events, complete between two places of the log."""

    events: list[RecordedEvent] | None
    known: list[Known | None] | None = None


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(StreamMessage)
# It passes over the events without making anything of them.
_span_decoder = msgspec.json.Decoder(StreamSpan)


class _Actor(msgspec.Struct):
    kind: str
    id: UUID | None


class _Position(msgspec.Struct):
    xid: int
    seq: int


class _Event(msgspec.Struct):
    """An AlertEvent whose data is JSON already."""

    id: UUID
    alert_id: UUID
    kind: str
    occurred_at: datetime
    actor: _Actor
    version: int
    severity: str
    status: str
    data: msgspec.Raw


class _Recorded(msgspec.Struct):
    """A RecordedEvent."""

    event: _Event
    position: _Position
    recorded_at: datetime


class _Known(msgspec.Struct):
    """A Known."""

    service_name: str | None
    source: str
    team_id: UUID | None
    integration_id: UUID


class _Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """A StreamMessage whose events are encoded already: each once, to know its length and to be sent."""

    epoch: UUID
    before: _Position
    after: _Position
    recorded_at: datetime
    possible: Possible
    events: list[msgspec.Raw] | None
    known: list[_Known | None]


class _Run:
    """The events of one message, as they are added."""

    def __init__(self, before: _Position) -> None:
        self.size = 0
        self._before = before
        self._last: Line | None = None
        self._events: list[msgspec.Raw] = []
        self._known: list[_Known | None] = []
        self._is_anything = False
        # Severity, status, service, source, team and integration of each event; and what else some were.
        self._seen: set[tuple[Any, ...]] = set()
        self._severities: set[Any] = set()
        self._statuses: set[Any] = set()

    def add(self, row: Line, encoded: bytes) -> None:
        """One more event."""
        self._events.append(msgspec.Raw(encoded))
        self.size += len(encoded)
        self._last = row
        known = _known_of(row)
        self._known.append(known)
        data = row["data"]
        changes = (orjson.loads(data).get("changes") or {}) if '"changes"' in data else {}
        if known is None or not MOVING.isdisjoint(changes):
            self._is_anything = True
            return
        self._seen.add(
            (row["severity"], row["status"], known.service_name, known.source, known.team_id, known.integration_id)
        )
        if changes:
            self._severities.update(changes.get("severity", ()))
            self._statuses.update(changes.get("status", ()))

    def message(self, epoch: UUID) -> tuple[str, _Position]:
        """The message, and where it ends."""
        assert self._last is not None  # noqa: S101 - for the type checker: it has an event
        after = _Position(self._last["xid"], self._last["seq"])
        possible = ANYTHING
        if not self._is_anything:
            severities, statuses, services, sources, teams, integrations = map(frozenset, zip(*self._seen, strict=True))
            possible = Possible(
                severities=severities.union(self._severities),
                statuses=statuses.union(self._statuses),
                service_names=services,
                sources=sources,
                team_ids=teams,
                integration_ids=integrations,
            )
        message = _Outgoing(
            epoch=epoch,
            before=self._before,
            after=after,
            recorded_at=self._last["recorded_at"],
            possible=possible,
            events=self._events if self.size <= 2 * MAX_MESSAGE_BYTES else None,
            known=self._known,
        )
        return _encoder.encode(message).decode(), after


def encode_run(before: Cursor, lines: Sequence[Line]) -> Iterator[str]:
    """The messages for the lines of the log that follow `before`, each of a bounded size.

    A line is a row of LogReader.lines_after. Its `data` goes as it is: to open and close it costs more than the rest.
    """
    place = _Position(before.position.xid, before.position.seq)
    run = _Run(place)
    for row in lines:
        encoded = _encoder.encode(_recorded_of(row))
        if run.size and run.size + len(encoded) > MAX_MESSAGE_BYTES:
            text, place = run.message(before.epoch)
            yield text
            run = _Run(place)
        run.add(row, encoded)
    if run.size:
        yield run.message(before.epoch)[0]


def _recorded_of(row: Line) -> _Recorded:
    return _Recorded(
        _Event(
            row["id"],
            row["alert_id"],
            row["kind"],
            row["occurred_at"],
            _Actor(row["actor_kind"], row["actor_id"]),
            row["version"],
            row["severity"],
            row["status"],
            msgspec.Raw(row["data"]),
        ),
        _Position(row["xid"], row["seq"]),
        row["recorded_at"],
    )


def _known_of(row: Line) -> _Known | None:
    """What the row tells of its alert; None when there is none."""
    if row["integration_id"] is None:
        return None
    return _Known(row["service_name"], row["source"], row["team_id"], row["integration_id"])


def decode_message(text: str) -> StreamMessage | None:
    """The message, or None when it is none this version can read: a newer relay may be running during an upgrade."""
    try:
        return _decoder.decode(text)
    except msgspec.MsgspecError:
        return None


def decode_span(text: str) -> StreamSpan | None:
    """The places alone, at a fraction of the cost; None as above."""
    try:
        return _span_decoder.decode(text)
    except msgspec.MsgspecError:
        return None
