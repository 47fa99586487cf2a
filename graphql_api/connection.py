"""How are long lists paged? Relay connections over keyset cursors.

They are stable under inserts, and page 10,000 costs what page 1 costs. A cursor holds the sort key of its row and the
name of the order it belongs to; one from another order is InvalidInput, not a wrong page.
"""

import base64
import binascii
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

import msgspec
import strawberry

from domain.errors import InvalidInput

DEFAULT_PAGE = 25
MAX_PAGE = 100
MAX_CURSOR = 1000

# The arguments of every connection.
First = Annotated[int | None, strawberry.argument(description="How many from the front, at most 100; 25 by default.")]
After = Annotated[str | None, strawberry.argument(description="Only what lies after this cursor.")]
Last = Annotated[int | None, strawberry.argument(description="How many from the end, at most 100.")]
Before = Annotated[str | None, strawberry.argument(description="Only what lies before this cursor.")]

Node = TypeVar("Node")
Key = TypeVar("Key", bound=tuple[Any, ...])


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    """Relay's page information."""

    has_next_page: bool = strawberry.field(description="Whether more follows after `endCursor`.")
    has_previous_page: bool = strawberry.field(description="Whether more lies before `startCursor`.")
    start_cursor: str | None = strawberry.field(description="The cursor of the first edge; null on an empty page.")
    end_cursor: str | None = strawberry.field(description="The cursor of the last edge; null on an empty page.")


@strawberry.type(description="One item of a list, with its place.")
class Edge(Generic[Node]):
    """Relay's edge."""

    cursor: str = strawberry.field(description="The item's place in the list; give it as `after` or `before`.")
    node: Node = strawberry.field(description="The item.")


def _edges(root: strawberry.Parent[Any]) -> list[Edge[Any]]:
    return [Edge(cursor=root.cursor_of(node), node=node) for node in root.nodes]


@strawberry.type(description="One page of a list.")
class Connection(Generic[Node]):
    """Relay's connection."""

    # Made only when asked for: a hundred cursors for nobody otherwise.
    edges: list[Edge[Node]] = strawberry.field(
        resolver=_edges, description="The items of this page, each with its cursor."
    )
    nodes: list[Node] = strawberry.field(description="The items of this page.")
    page_info: PageInfo = strawberry.field(description="Where this page lies in the list.")
    cursor_of: strawberry.Private[Callable[[Any], str]]
    count: strawberry.Private[Callable[[], Awaitable[int | None]] | None] = None

    @strawberry.field(
        description="How many items the whole list has; null where counting costs too much. Counted only when asked."
    )
    async def total_count(self) -> int | None:
        """Counted only when asked for."""
        return await self.count() if self.count is not None else None


@dataclass(frozen=True, slots=True)
class Cursors(Generic[Key]):
    """Writes and reads the cursors of one order. `key` is the tuple type of the sort key: `tuple[datetime, UUID]`."""

    order: str
    key: object

    def encode(self, key: Key) -> str:
        """The cursor of a row with this sort key."""
        return base64.urlsafe_b64encode(msgspec.json.encode((self.order, *key))).decode().rstrip("=")

    def decode(self, cursor: str, argument: str) -> Key:
        """The sort key a cursor holds; InvalidInput when it is none of this order."""
        try:
            if len(cursor) > MAX_CURSOR:
                raise _refused(argument)
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            order, *rest = msgspec.json.decode(raw, type=list[Any])
            if order != self.order:
                raise _refused(argument)
            key: Key = msgspec.convert(rest, self.key)
            for part in key:
                _check_storable(part)
        except (binascii.Error, ValueError, OverflowError, msgspec.MsgspecError) as error:
            raise _refused(argument) from error
        return key


def _check_storable(part: object) -> None:
    """ValueError or OverflowError for what no column can be compared with: a forged one would fail in the database."""
    if isinstance(part, datetime):
        if part.tzinfo is None:
            raise ValueError
        part.astimezone(UTC)
    elif (isinstance(part, int) and not -(2**63) <= part < 2**63) or (isinstance(part, str) and "\x00" in part):
        raise ValueError


def _refused(argument: str) -> InvalidInput:
    return InvalidInput("not a cursor of this list in this order", (argument,))


@dataclass(frozen=True, slots=True)
class PageRequest(Generic[Key]):
    """Which page is asked for. Read `limit + 1` rows beyond `after`, or before `before` when `backward`.

    Rows of a backward page are read in reverse order; `connection()` turns them round.
    """

    limit: int
    after: Key | None = None
    before: Key | None = None
    backward: bool = False


def page_request(
    cursors: Cursors[Key],
    *,
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
) -> PageRequest[Key]:
    """Check the four arguments of a connection."""
    if first is not None and last is not None:
        message = "give either `first` or `last`, not both"
        raise InvalidInput(message, ("last",))
    name, size = ("last", last) if last is not None else ("first", DEFAULT_PAGE if first is None else first)
    if not 0 <= size <= MAX_PAGE:
        message = f"`{name}` must be between 0 and {MAX_PAGE}"
        raise InvalidInput(message, (name,))
    return PageRequest(
        limit=size,
        after=None if after is None else cursors.decode(after, "after"),
        before=None if before is None else cursors.decode(before, "before"),
        backward=last is not None,
    )


def connection(
    rows: Sequence[Node],
    request: PageRequest[Key],
    *,
    cursors: Cursors[Key],
    key: Callable[[Node], Key],
    count: Callable[[], Awaitable[int | None]] | None = None,
) -> Connection[Node]:
    """The page made of up to `limit + 1` rows, as they were read."""
    more = len(rows) > request.limit
    page = list(rows[: request.limit])
    if request.backward:
        page.reverse()

    def cursor_of(row: Node) -> str:
        return cursors.encode(key(row))

    return Connection(
        nodes=page,
        cursor_of=cursor_of,
        page_info=PageInfo(
            # On the side we came from, the cursor itself is the row that lies there.
            has_next_page=request.before is not None if request.backward else more,
            has_previous_page=more if request.backward else request.after is not None,
            start_cursor=cursor_of(page[0]) if page else None,
            end_cursor=cursor_of(page[-1]) if page else None,
        ),
        count=count,
    )
