"""Times are UTC and durations are ISO 8601, in and out (design: DateTime, Duration)."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
import strawberry
from graphql import GraphQLError
from hypothesis import given
from hypothesis import strategies as st
from strawberry.schema.config import StrawberryConfig

from domain.errors import NotFound
from graphql_api.scalars import (
    MAX_DURATION,
    SCALARS,
    LocalDateTime,
    LocalTime,
    format_duration,
    format_time,
    parse_duration,
    parse_time,
    uuid_of,
    uuid_or_none,
)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2026-11-24T06:14:00Z", datetime(2026, 11, 24, 6, 14, tzinfo=UTC)),
        ("2026-11-24t06:14:00z", datetime(2026, 11, 24, 6, 14, tzinfo=UTC)),
        ("2026-11-24 06:14:00.5+02:00", datetime(2026, 11, 24, 4, 14, 0, 500_000, tzinfo=UTC)),
        ("2026-11-24T06:14:00.123456789-00:30", datetime(2026, 11, 24, 6, 44, 0, 123_456, tzinfo=UTC)),
        ("2024-02-29T00:00:00Z", datetime(2024, 2, 29, tzinfo=UTC)),
    ],
)
def test_a_time_with_an_offset_is_read_as_utc(text: str, read: datetime) -> None:
    assert parse_time(text) == read
    assert parse_time(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-11-24",
        "2026-11-24T06:14:00",
        "2026-W48-2T06:14:00Z",
        "20261124T061400Z",
        "2026-02-30T00:00:00Z",
        "2026-11-24T25:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2026-11-24T06:14:00+99:99",
        "٢٠٢٦-11-24T06:14:00Z",
        7,
        None,
        [],
    ],
)
def test_what_is_no_time_is_the_clients_mistake(text: object) -> None:
    with pytest.raises(GraphQLError):
        parse_time(text)


def test_a_time_goes_out_in_utc_with_a_z() -> None:
    there = timezone(timedelta(hours=5, minutes=30))
    assert format_time(datetime(2026, 11, 24, 6, 14, 0, 120_000, there)) == "2026-11-24T00:44:00.120000Z"


def test_a_time_without_a_zone_is_a_bug_of_ours() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        format_time(datetime(2026, 11, 24))  # noqa: DTZ001 - that is the point


@given(st.datetimes(timezones=st.timezones()))
def test_what_goes_out_comes_back(value: datetime) -> None:
    try:
        expected = value.astimezone(UTC)
    except OverflowError:
        return
    assert parse_time(format_time(value)) == expected


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("PT0S", timedelta()),
        ("PT15M", timedelta(minutes=15)),
        ("P1DT2H", timedelta(days=1, hours=2)),
        ("P2W", timedelta(weeks=2)),
        ("PT1.5S", timedelta(seconds=1.5)),
        ("PT36H", timedelta(hours=36)),
    ],
)
def test_a_duration_is_read(text: str, read: timedelta) -> None:
    assert parse_duration(text) == read


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P",
        "PT",
        "P1DT",
        "15M",
        "PT15",
        "P1Y",
        "P1M",
        "-PT1H",
        "PT1H30",
        "pt1h",
        "PT-1H",
        "P4000D",
        "P1D ",
        900,
        None,
    ],
)
def test_what_is_no_duration_is_the_clients_mistake(text: object) -> None:
    with pytest.raises(GraphQLError):
        parse_duration(text)


@given(st.timedeltas(min_value=timedelta(), max_value=MAX_DURATION))
def test_a_duration_that_goes_out_comes_back(value: timedelta) -> None:
    assert parse_duration(format_duration(value)) == value


def test_a_negative_duration_of_ours_is_still_shown() -> None:
    assert format_duration(timedelta(minutes=-90)) == "-PT1H30M"


def test_an_id_that_is_none_names_nothing() -> None:
    assert uuid_or_none("nonsense") is None
    with pytest.raises(NotFound) as refused:
        uuid_of("nonsense", "team", "teamId")
    assert (refused.value.message, refused.value.path) == ("no such team", ("teamId",))


@pytest.mark.parametrize(
    ("argument", "named"),
    [
        ('at: "yesterday"', "a DateTime is RFC 3339 text"),
        ("day: 5", "a LocalDateTime is a day"),
        ('clock: "25:00"', "a LocalTime is a time of day"),
        ('after: "5 min"', "a Duration is ISO 8601 text"),
    ],
)
def test_a_wrong_value_in_the_document_is_refused_where_it_stands(argument: str, named: str) -> None:
    @strawberry.type
    class Query:
        @strawberry.field
        def ask(
            self,
            at: datetime | None = None,
            day: LocalDateTime | None = None,
            clock: LocalTime | None = None,
            after: timedelta | None = None,
        ) -> bool:
            return (at, day, clock, after) == (None, None, None, None)

    schema = strawberry.Schema(query=Query, config=StrawberryConfig(scalar_map=SCALARS))
    [error] = schema.execute_sync(f"{{\n  ask({argument})\n}}").errors or []
    assert error.message.startswith(named)
    assert [place.line for place in error.locations or ()] == [2]
