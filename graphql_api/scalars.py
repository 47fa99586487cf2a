"""Which scalars does the schema add? Times in UTC, durations in ISO 8601, raw JSON; and how ids are read."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import NewType
from uuid import UUID

import strawberry
from graphql import GraphQLError, ValueNode, value_from_ast_untyped
from strawberry.scalars import JSON
from strawberry.types.scalar import ScalarDefinition

from domain.errors import NotFound

_RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
_FRACTION = re.compile(r"(\.\d{6})\d+")
_DURATION = re.compile(
    r"P(?:(?P<weeks>\d{1,4})W)?(?:(?P<days>\d{1,5})D)?"
    r"(?:T(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,8})M)?(?:(?P<seconds>\d{1,9}(?:\.\d{1,6})?)S)?)?",
    re.ASCII,
)
MAX_DURATION = timedelta(days=3660)
SECONDS_PER_HOUR, SECONDS_PER_MINUTE = 3_600, 60


def parse_time(value: object) -> datetime:
    """An RFC 3339 time with its offset, as UTC."""
    if not isinstance(value, str) or not _RFC3339.fullmatch(value):
        raise _refusal("a DateTime is RFC 3339 text with an offset, such as 2026-11-24T06:14:00Z")
    # The seventh digit of a second is beyond what PostgreSQL keeps.
    try:
        return datetime.fromisoformat(_FRACTION.sub(r"\1", value.upper().replace(" ", "T"))).astimezone(UTC)
    except (OverflowError, ValueError) as error:
        raise _refusal("the DateTime is out of range") from error


def _refusal(message: str) -> GraphQLError:
    # Any other exception from here would be taken for a bug of ours, and masked.
    return GraphQLError(message)


def _in_text(parse: Callable[[object], object]) -> Callable[[ValueNode, dict[str, object] | None], object]:
    """The same for a value written into the document itself: the refusal says where in it."""

    def parse_literal(node: ValueNode, variables: dict[str, object] | None = None) -> object:
        try:
            return parse(value_from_ast_untyped(node, variables))
        except GraphQLError as error:
            raise GraphQLError(error.message, node) from error

    return parse_literal


def format_time(value: datetime) -> str:
    """UTC, with a Z. A time without a zone is a bug of ours, so it raises."""
    if value.tzinfo is None:
        message = "a time without a zone reached the API"
        raise ValueError(message)
    if value.tzinfo is not UTC:
        value = value.astimezone(UTC)
    return value.isoformat()[:-6] + "Z"  # without +00:00


def parse_duration(value: object) -> timedelta:
    """An ISO 8601 duration of weeks, days, hours, minutes and seconds. Months and years have no fixed length."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if not match or not any(match.groupdict().values()) or str(value).endswith("T"):
        raise _refusal(
            "a Duration is ISO 8601 text of weeks, days, hours, minutes and seconds, such as PT15M or P1DT2H"
        )
    duration = timedelta(**{unit: float(number) for unit, number in match.groupdict().items() if number})
    if duration > MAX_DURATION:
        raise _refusal("a Duration is at most P3660D")
    return duration


def format_duration(value: timedelta) -> str:
    """The shortest ISO 8601 form; zero is PT0S."""
    sign = "-" if value < timedelta(0) else ""
    value = abs(value)
    hours, rest = divmod(value.seconds, SECONDS_PER_HOUR)
    minutes, seconds = divmod(rest, SECONDS_PER_MINUTE)
    fraction = f".{value.microseconds:06d}".rstrip("0") if value.microseconds else ""
    clock = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    clock += f"{seconds}{fraction}S" if seconds or fraction else ""
    days = f"{value.days}D" if value.days else ""
    return f"{sign}P{days}{'T' + clock if clock else ''}" if days or clock else "PT0S"


# A time of day, and a day with one, on the clock of a zone that is said beside them.
LocalTime = NewType("LocalTime", time)
LocalDateTime = NewType("LocalDateTime", datetime)
_CLOCK = re.compile(r"\d{2}:\d{2}(:\d{2})?", re.ASCII)
_WALL = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?", re.ASCII)


def parse_local_time(value: object) -> time:
    """`09:00` or `09:00:30`."""
    try:
        if isinstance(value, str) and _CLOCK.fullmatch(value):
            return time.fromisoformat(value)
    except ValueError:
        pass
    raise _refusal("a LocalTime is a time of day without a zone, such as 09:00")


def parse_local_date_time(value: object) -> datetime:
    """`2026-11-24T09:00`, without a zone."""
    try:
        if isinstance(value, str) and _WALL.fullmatch(value):
            return datetime.fromisoformat(value)
    except ValueError:
        pass
    raise _refusal("a LocalDateTime is a day and a time of day without a zone, such as 2026-11-24T09:00")


def _on_the_clock(value: time | datetime) -> str:
    return value.isoformat(timespec="seconds" if value.second else "minutes")


def _as_is(value: object) -> object:
    return value


SCALARS: dict[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="A time in UTC, RFC 3339: `2026-11-24T06:14:00.123Z`. Input may carry any offset.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
        serialize=format_time,
        parse_value=parse_time,
        parse_literal=_in_text(parse_time),
    ),
    timedelta: strawberry.scalar(
        name="Duration",
        description="A length of time, ISO 8601: `PT15M`, `P1DT2H`. Weeks, days, hours, minutes and seconds.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339#appendix-A",
        serialize=format_duration,
        parse_value=parse_duration,
        parse_literal=_in_text(parse_duration),
    ),
    LocalTime: strawberry.scalar(
        name="LocalTime",
        description="A time of day on the clock of a zone that is said beside it: `09:00`, `23:59:30`.",
        serialize=_on_the_clock,
        parse_value=parse_local_time,
        parse_literal=_in_text(parse_local_time),
    ),
    LocalDateTime: strawberry.scalar(
        name="LocalDateTime",
        description="A day and a time of day on the clock of a zone that is said beside it: `2026-11-24T09:00`.",
        serialize=_on_the_clock,
        parse_value=parse_local_date_time,
        parse_literal=_in_text(parse_local_date_time),
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="Any JSON value: what a monitoring tool sent, as it was sent.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc8259",
        serialize=_as_is,
        parse_value=_as_is,
    ),
}


def uuid_or_none(value: str) -> UUID | None:
    """The UUID an id names; None for text that is none, which therefore names nothing."""
    try:
        return UUID(value)
    except ValueError:
        return None


def uuid_of(value: str, what: str, *path: str) -> UUID:
    """The UUID an id in an input names. Text that is no UUID names nothing: NotFound, as for an absent row."""
    found = uuid_or_none(value)
    if found is None:
        message = f"no such {what}"
        raise NotFound(message, path)
    return found
