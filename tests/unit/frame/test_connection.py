"""Keyset pages: cursors that hold a place, and say no to a place in another list."""

import base64
import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from graphql_api.connection import MAX_PAGE, Cursors, connection, page_request

BY_TIME: Cursors[tuple[datetime, UUID]] = Cursors("by-time", tuple[datetime, UUID])
BY_NUMBER: Cursors[tuple[int]] = Cursors("by-number", tuple[int])
BY_NAME: Cursors[tuple[str]] = Cursors("by-name", tuple[str])


def forged(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


@given(st.datetimes(timezones=st.just(UTC)), st.uuids())
def test_a_cursor_holds_its_key(time: datetime, row: UUID) -> None:
    assert BY_TIME.decode(BY_TIME.encode((time, row)), "after") == (time, row)


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "nonsense",
        "é",
        "W10",
        "bnVsbA",
        "e30",
        "WyJieS10aW1lIl0",
        "x" * 2000,
        BY_TIME.encode((datetime(2026, 11, 24, tzinfo=UTC), UUID(int=1))) + "!",
        forged("by-time", "2026-11-24T12:00:00", str(UUID(int=1))),
        forged("by-time", "9999-12-31T23:59:59-12:00", str(UUID(int=1))),
        forged("by-time", "0001-01-01T00:00:00+12:00", str(UUID(int=1))),
    ],
)
def test_what_is_no_cursor_names_the_argument(cursor: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        BY_TIME.decode(cursor, "before")
    assert refused.value.path == ("before",)


def test_what_no_column_can_be_compared_with_is_no_cursor() -> None:
    for cursors, part in ((BY_NUMBER, 2**63), (BY_NUMBER, -(10**30)), (BY_NAME, "a\x00")):
        with pytest.raises(InvalidInput):
            cursors.decode(forged(cursors.order, part), "after")
    assert BY_NUMBER.decode(forged("by-number", 2**63 - 1), "after") == (2**63 - 1,)


def test_a_cursor_of_another_order_is_refused() -> None:
    with pytest.raises(InvalidInput):
        BY_NUMBER.decode(BY_TIME.encode((datetime.now(tz=UTC), UUID(int=1))), "after")


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ({"first": 1, "last": 1}, ("last",)),
        ({"first": -1}, ("first",)),
        ({"first": MAX_PAGE + 1}, ("first",)),
        ({"last": MAX_PAGE + 1}, ("last",)),
        ({"after": "nonsense"}, ("after",)),
    ],
)
def test_a_bad_argument_is_named(arguments: dict[str, object], path: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput) as refused:
        page_request(BY_NUMBER, **arguments)  # type: ignore[arg-type] # on purpose
    assert refused.value.path == path


@given(st.lists(st.integers(0, 500), unique=True, max_size=40), st.integers(1, 7))
def test_pages_forward_and_backward_cover_the_list_exactly_once(values: list[int], size: int) -> None:
    rows = sorted(values)

    def read(after: int | None, before: int | None, *, backward: bool) -> list[int]:
        found = [n for n in rows if (after is None or n > after) and (before is None or n < before)]
        return (found[::-1] if backward else found)[: size + 1]

    seen: list[int] = []
    cursor = None
    while True:
        request = page_request(BY_NUMBER, first=size, after=cursor)
        after = None if request.after is None else request.after[0]
        page = connection(read(after, None, backward=False), request, cursors=BY_NUMBER, key=lambda n: (n,))
        seen += page.nodes
        assert page.page_info.has_previous_page is (cursor is not None)
        if not page.page_info.has_next_page:
            break
        cursor = page.page_info.end_cursor
    assert seen == rows

    back: list[int] = []
    cursor = None
    while True:
        request = page_request(BY_NUMBER, last=size, before=cursor)
        before = None if request.before is None else request.before[0]
        page = connection(read(None, before, backward=True), request, cursors=BY_NUMBER, key=lambda n: (n,))
        back = [*page.nodes, *back]
        if not page.page_info.has_previous_page:
            break
        cursor = page.page_info.start_cursor
    assert back == rows


def test_an_empty_page_has_no_cursors() -> None:
    rows: list[int] = []
    page = connection(rows, page_request(BY_NUMBER, first=0), cursors=BY_NUMBER, key=lambda n: (n,))
    assert page.page_info.start_cursor is None
    assert page.page_info.end_cursor is None
