"""Where in the log is a reader? A place that survives as an opaque text, and the reasons it may no longer be one.

A cursor names the log's epoch (every restore makes a new one), the place `(xid, seq)` and the time the event there was
written. The time lets the reader leave out old partitions, and tells a cursor that is past what can be replayed.
"""

import base64
import binascii
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.alerts.events import LogPosition
from domain.errors import InvalidInput

_FORM = struct.Struct(">B16sQQq")
_VERSION = 1
_EPOCH_START = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LATEST_MICROS = (datetime(9000, 1, 1, tzinfo=UTC) - _EPOCH_START) // _MICROSECOND
# Both numbers are signed in PostgreSQL's drivers; a forged cursor must not become a database error.
MAX_NUMBER = 2**63 - 1


class StreamResetReason(StrEnum):
    """Why a stream cannot go on from where its reader was."""

    LOG_RESTORED = "log_restored"
    CURSOR_EXPIRED = "cursor_expired"
    SLOW_CONSUMER = "slow_consumer"
    OVERTAKEN = "overtaken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """A place in one life of the log: everything up to and including `position` has been read."""

    epoch: UUID
    position: LogPosition
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamReset:
    """A stream ends here: what its reader knows may be incomplete. Read the lists anew, then follow `resume_after`."""

    reason: StreamResetReason
    resume_after: Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class LogState:
    """The log at one moment. `head` is after all that is finished; transactions from `next_xid` on are to come."""

    head: Cursor
    next_xid: int
    now: datetime


def log_start(epoch: UUID) -> Cursor:
    """The place before the first event."""
    return Cursor(epoch=epoch, position=LogPosition(0, 0), recorded_at=_EPOCH_START)


def encode_cursor(cursor: Cursor) -> str:
    """The opaque text clients keep."""
    micros = (cursor.recorded_at - _EPOCH_START) // _MICROSECOND
    packed = _FORM.pack(_VERSION, cursor.epoch.bytes, cursor.position.xid, cursor.position.seq, micros)
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode("ascii")


def decode_cursor(text: str, *, path: tuple[str, ...] = ("after",)) -> Cursor:
    """The cursor a client sent back. Raises InvalidInput naming the field when it is none of ours."""
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        version, epoch, xid, seq, micros = _FORM.unpack(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, struct.error, binascii.Error):
        raise _not_a_cursor(path) from None
    if version != _VERSION or max(xid, seq) > MAX_NUMBER or not 0 <= micros <= _LATEST_MICROS:
        raise _not_a_cursor(path)
    recorded_at = _EPOCH_START + micros * _MICROSECOND
    return Cursor(epoch=UUID(bytes=epoch), position=LogPosition(xid, seq), recorded_at=recorded_at)


def _not_a_cursor(path: tuple[str, ...]) -> InvalidInput:
    return InvalidInput("not a cursor of this server; use the `cursor` of an event", path)


def is_of_log(cursor: Cursor, log: LogState) -> bool:
    """Whether the place is one of this log.

    One beyond the newest transaction is not: the log's tail was lost (a failover to a standby that lagged), and waiting
    there would be silence for ever.
    """
    return cursor.epoch == log.head.epoch and cursor.position.xid < log.next_xid


def why_reset(cursor: Cursor, log: LogState, *, window: timedelta | None) -> StreamResetReason | None:
    """Why the stream cannot resume at this cursor; None when it can. Without a window none is too old."""
    if not is_of_log(cursor, log):
        return StreamResetReason.LOG_RESTORED
    if window is not None and cursor.recorded_at < log.now - window:
        return StreamResetReason.CURSOR_EXPIRED
    return None
