"""What does a client see when a stream cannot go on? The reason, and where to begin again."""

from typing import TypeAlias

import strawberry

from domain.alerts.cursor import StreamReset as DomainStreamReset
from domain.alerts.cursor import StreamResetReason, encode_cursor
from graphql_api.exposes import expose_enum, exposes

expose_enum(
    StreamResetReason,
    description="Why a stream of events cannot go on from where its reader was.",
    values={
        StreamResetReason.LOG_RESTORED: "The server's log is another one now: it was restored from a backup, or "
        "lost its end.",
        StreamResetReason.CURSOR_EXPIRED: "The cursor is of more than seven days ago.",
        StreamResetReason.SLOW_CONSUMER: "The reader took events more slowly than they came; none is lost in the log.",
        StreamResetReason.OVERTAKEN: "More happened than this server could tell all who follow: you were a minute "
        "behind and came no nearer. Begin anew with what is now; timelines have the rest.",
    },
)


_Reset: TypeAlias = strawberry.Parent[DomainStreamReset]


def _resume_after(root: _Reset) -> str:
    return encode_cursor(root.resume_after)


@exposes(
    DomainStreamReset,
    description="The stream ends here. Read the lists anew, then follow again from `resumeAfter`. After SLOW_CONSUMER "
    "alone the lists need not be read: nothing is missing.",
)
class StreamReset:
    """Given as the last message of a stream."""

    reason: StreamResetReason = strawberry.field(description="Why the stream cannot go on.")
    resume_after: str = strawberry.field(resolver=_resume_after, description="Give this as `after` to follow again.")
