"""What travels on the live stream? Runs of events, each saying from where to where in the log it reaches.

`before` is the place before its first event: a reader that is not there yet has missed something and reads the log.
`events` is None for a run too large to carry: its reader goes to the log, too.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from domain.alerts.cursor import Cursor
from domain.alerts.events import LogPosition, RecordedEvent

# Small enough that a thousand of them are no burden for Redis, large enough that a busy minute is a few messages.
MAX_MESSAGE_BYTES = 64 * 1024


class StreamMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A run of events, complete between two places of the log."""

    epoch: UUID
    before: LogPosition
    after: LogPosition
    recorded_at: datetime
    events: list[RecordedEvent] | None

    @property
    def end(self) -> Cursor:
        """Where a reader is who has read it."""
        return Cursor(epoch=self.epoch, position=self.after, recorded_at=self.recorded_at)


class StreamSpan(msgspec.Struct, frozen=True, kw_only=True):
    """From where to where a message reaches, without its events: for a process that nobody follows from."""

    epoch: UUID
    before: LogPosition
    after: LogPosition
    recorded_at: datetime

    @property
    def end(self) -> Cursor:
        """Where a reader is who has read it."""
        return Cursor(epoch=self.epoch, position=self.after, recorded_at=self.recorded_at)


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(StreamMessage)
# It passes over the events without making anything of them.
_span_decoder = msgspec.json.Decoder(StreamSpan)


class _Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """A StreamMessage whose events are encoded already: each once, to know its length and to be sent."""

    epoch: UUID
    before: LogPosition
    after: LogPosition
    recorded_at: datetime
    events: list[msgspec.Raw] | None


def encode_run(before: Cursor, events: Sequence[RecordedEvent]) -> Iterator[str]:
    """The messages for a run of events that follows `before`, each of a bounded size."""
    place, size = before.position, 0
    encoded: list[msgspec.Raw] = []
    last: RecordedEvent | None = None
    for event in events:
        one = _encoder.encode(event)
        if last is not None and encoded and size + len(one) > MAX_MESSAGE_BYTES:
            yield _message(before.epoch, place, last, events=encoded, size=size)
            place, encoded, size = last.position, [], 0
        encoded.append(msgspec.Raw(one))
        size += len(one)
        last = event
    if last is not None:
        yield _message(before.epoch, place, last, events=encoded, size=size)


def _message(epoch: UUID, before: LogPosition, last: RecordedEvent, *, events: list[msgspec.Raw], size: int) -> str:
    message = _Outgoing(
        epoch=epoch,
        before=before,
        after=last.position,
        recorded_at=last.recorded_at,
        events=events if size <= 2 * MAX_MESSAGE_BYTES else None,
    )
    return _encoder.encode(message).decode()


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
