"""How is a field of a foreign payload read? Text, times, labels, links: the rules all sources share."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.alerts.signal import SignalStatus
from graphql_api.webhooks.decode import scalar_text
from graphql_api.webhooks.diagnosis import ItemError, Path

# JSON encoders behind us stop at about 250 levels; nobody reads twenty.
MAX_METADATA_DEPTH = 20
MAX_WARNINGS = 20
_INT64 = 2**63

# Schemes that run or carry content when a person clicks them. Browsers skip white space and control characters.
_UNSAFE_SCHEME = re.compile(r"(?:javascript|vbscript):|data:[\w.+-]+/", re.IGNORECASE)
_SKIPPED = "".join(map(chr, range(33)))
_UNSAFE_FIRST = frozenset("jJvVdD" + _SKIPPED)
_WITHOUT_SKIPPED = str.maketrans("", "", _SKIPPED)

_STATUS_WORDS: dict[SignalStatus, tuple[str, ...]] = {
    SignalStatus.FIRING: (
        "firing", "alerting", "alert", "alarm", "open", "opened", "new", "created", "trigger", "triggered",
        "retriggered", "active", "activated", "problem", "failing", "failed", "down", "no_data", "nodata", "error",
        "unresolved",
    ),
    SignalStatus.ACKNOWLEDGED: ("acknowledge", "acknowledged", "ack", "acked"),
    SignalStatus.RESOLVED: (
        "resolve", "resolved", "ok", "okay", "close", "closed", "recover", "recovered", "recovery", "clear", "cleared",
        "normal", "up", "inactive", "healthy", "success", "fixed", "done",
    ),
}  # fmt: skip
_STATUS_BY_WORD = {word: status for status, words in _STATUS_WORDS.items() for word in words}


def text(value: object) -> str | None:
    """A scalar as text; None when it is absent, blank, or no scalar at all."""
    if isinstance(value, str):
        return value if value and not value.isspace() else None
    if isinstance(value, bool | int | float):
        return scalar_text(value)
    return None


def required_text(value: object, path: Path) -> str:
    """A scalar as text; ItemError naming the field when there is none."""
    found = text(value)
    if found is None:
        missing = value is None or value == ""
        raise ItemError("is missing" if missing else "must be text that is not blank", path)
    return found


def optional_text(value: object, path: Path) -> str | None:
    """A scalar as text, None when absent or blank; ItemError naming the field for a list or an object."""
    if value is None:
        return None
    if isinstance(value, dict | list):
        raise ItemError("must be text", path)
    return text(value)


def first_text(*values: object) -> str | None:
    """The first of several fields that says something."""
    for value in values:
        found = text(value)
        if found is not None:
            return found
    return None


def first_of(texts: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    """The first of several entries of a map of texts that says something."""
    for name in names:
        found = texts.get(name)
        if found and not found.isspace():
            return found
    return None


def status_of(value: object, path: Path) -> SignalStatus:
    """The status a source's word means; a source that names none reports a problem. ItemError for an unknown word."""
    known = _STATUS_BY_WORD.get(value) if isinstance(value, str) else None
    if known is not None:
        return known
    if value is None or value == "":
        return SignalStatus.FIRING
    word = value.strip().lower().replace(" ", "_").replace("-", "_") if isinstance(value, str) else ""
    status = _STATUS_BY_WORD.get(word) or _STATUS_BY_WORD.get(word.replace("_", ""))
    if status is None:
        raise ItemError(f"must be firing, acknowledged or resolved (or a synonym), not {str(value)[:60]!r}", path)
    return status


def utc(time: datetime | None) -> datetime | None:
    """A source's time in UTC. Go's zero time (year 1) means "not given"; a time without zone is taken as UTC."""
    if time is None or time.year <= 1:
        return None
    if time.tzinfo is UTC:
        return time
    if time.tzinfo is None:
        return time.replace(tzinfo=UTC)
    try:
        return time.astimezone(UTC)
    except OverflowError:
        return None  # the last hours of the year 9999: no time at all


_DIGITS = re.compile(r"-?\d{1,19}(?:\.\d{1,9})?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Seconds, milliseconds, microseconds and nanoseconds since 1970 differ in size by far more than any plausible date.
_EPOCH_UNITS = ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6), (1e20, 1e9))


def moment(value: object, path: Path) -> datetime | None:
    """A time: ISO 8601, or a number (also as text) of seconds, milli-, micro- or nanoseconds since 1970.

    None when it is absent, blank or Go's zero time; ItemError naming the field when it is no time.
    """
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return utc(value)
    if isinstance(value, str):
        trimmed = value.strip()
        if ":" not in trimmed and _DIGITS.fullmatch(trimmed):
            return _from_epoch(float(trimmed), path)
        try:
            return utc(datetime.fromisoformat(trimmed)) if trimmed else None
        except ValueError as error:
            raise ItemError(f"is not an ISO 8601 time: {trimmed[:60]!r}", path) from error
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _from_epoch(value, path)
    raise ItemError("must be an ISO 8601 time", path)


def _from_epoch(number: float, path: Path) -> datetime | None:
    if number == 0:
        return None
    for bound, unit in _EPOCH_UNITS:
        if abs(number) < bound:
            return _EPOCH + timedelta(seconds=number / unit)
    raise ItemError("is out of the range of times", path)


def without_empty(labels: dict[str, str]) -> dict[str, str]:
    """Labels without those of empty value: an empty label is the same as none (Prometheus' data model)."""
    return {name: value for name, value in labels.items() if value} if "" in labels.values() else labels


def is_link(value: object) -> bool:
    """Whether a value may be shown as a link: only http and https."""
    return isinstance(value, str) and (
        value.startswith(("https://", "http://")) or value[:8].lower().startswith(("https://", "http://"))
    )


def put_link(metadata: dict[str, Any], warnings: list[str], *, name: str, value: object) -> None:
    """Keep a link in the metadata; one that is not http(s) is left out with a warning, never shown as a link."""
    if not value:
        return
    if is_link(value):
        metadata[name] = value
    else:
        _warn_of_link(warnings, name, str(value))


def is_unsafe_text(value: str) -> bool:
    """Whether a text would run as a script if something made it a link."""
    if value[:1] not in _UNSAFE_FIRST:
        return False
    return _UNSAFE_SCHEME.match(value.lstrip(_SKIPPED)[:80].translate(_WITHOUT_SKIPPED)) is not None


def put_texts(metadata: dict[str, Any], warnings: list[str], *, name: str, values: Mapping[str, str]) -> None:
    """Keep a map of texts, without those that would run as a script if they were made a link."""
    if not values:
        return
    for value in values.values():
        if is_unsafe_text(value):
            break
    else:
        metadata[name] = values
        return
    metadata[name] = {key: value for key, value in values.items() if not is_unsafe_text(value)}
    for key, value in values.items():
        if is_unsafe_text(value):
            _warn_of_link(warnings, f"{name}.{key}", value)


def put_json(metadata: dict[str, Any], warnings: list[str], *, name: str, value: object) -> None:
    """Keep any JSON value, made fit to be stored and shown: bounded depth, 64-bit numbers, no script as a link."""
    if not value and value is not False and value != 0:
        return
    kept = _kept(value, name, warnings, MAX_METADATA_DEPTH)
    if kept is not None:
        metadata[name] = kept


def put_all(metadata: dict[str, Any], warnings: list[str], fields: Iterable[tuple[str, object]]) -> None:
    """`put_json` for several fields."""
    for name, value in fields:
        put_json(metadata, warnings, name=name, value=value)


def _warn_of_link(warnings: list[str], name: str, value: str) -> None:
    warn(warnings, f"{name[:80]} was left out: it is not an http or https link: {value[:80]!r}")


def warn(warnings: list[str], warning: str) -> None:
    """A hostile payload must not make a thousand warnings."""
    if len(warnings) < MAX_WARNINGS:
        warnings.append(warning)


def _kept(value: object, name: str, warnings: list[str], depth: int) -> object:
    if isinstance(value, int):
        # Encoders behind us know 64-bit numbers only.
        return value if -_INT64 <= value < _INT64 else str(value)
    if not isinstance(value, dict | list):
        if not (isinstance(value, str) and is_unsafe_text(value)):
            return value
        _warn_of_link(warnings, name, value)
        return None
    if not depth:
        warn(warnings, f"{name} is nested more than {MAX_METADATA_DEPTH} levels deep; the rest was left out")
        return None
    if isinstance(value, list):
        return [_kept(entry, name, warnings, depth - 1) for entry in value]
    is_top = depth == MAX_METADATA_DEPTH
    return {key: _kept(entry, f"{name}.{key}" if is_top else name, warnings, depth - 1) for key, entry in value.items()}
