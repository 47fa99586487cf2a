"""What can a template do to a value? Our own filters, none of Jinja's: each takes data and gives a bounded text."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jinja2 import TemplateError
from jinja2.runtime import Undefined

from domain.channels.templates import MAX_LABELS

MAX_OUTPUT = 8_000
# What a filter takes besides the value, and how that is written; any other takes nothing.
TAKES: Mapping[str, tuple[tuple[type, ...], str]] = {
    "truncate": ((int,), "truncate(80)"),
    "join": ((str,), 'join(", ")'),
    "default": ((str,), 'default("none")'),
    "date": ((str, str), 'date("%H:%M", "Europe/Berlin")'),
}


def text_of(value: object) -> str:
    """As it is written in a text: nothing for what is not there."""
    return "" if value is None or isinstance(value, Undefined) else str(value)[:MAX_OUTPUT]


def _items(value: object) -> list[Any]:
    """What a loop goes over: the pairs of a mapping, or the things of a list; nothing else."""
    if isinstance(value, Mapping):
        return [*value.items()][:MAX_LABELS]
    return list(value)[:MAX_LABELS] if isinstance(value, list | tuple) else []


def _truncate(value: object, most: int = 80) -> str:
    text = text_of(value)
    return text if len(text) <= most else text[: max(most - 1, 0)].rstrip() + "…"


def _join(value: object, between: str = ", ") -> str:
    things = _items(value)
    if isinstance(value, Mapping):
        things = [f"{name}={what}" for name, what in things]
    return text_of(between.join(text_of(one) for one in things))


def _date(value: object, form: str = "%Y-%m-%d %H:%M", zone: str = "UTC") -> str:
    where = zone_named(zone)
    if where is None:
        raise TemplateError(no_zone(zone))
    try:
        return text_of(datetime.fromisoformat(text_of(value)).astimezone(where).strftime(form))
    except (ValueError, OverflowError, OSError):
        # Without what it is: whoever reads why a template failed may not see the alert.
        message = "date: this is no time, or cannot be written so; alert.startedAt is one"
        raise TemplateError(message) from None


def zone_named(name: str) -> ZoneInfo | None:
    """The zone; None for one there is not."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def no_zone(name: str) -> str:
    """What is said of a zone there is not."""
    return f"date: there is no time zone {name}: write it like Europe/Berlin or UTC"


def _default(value: object, otherwise: str = "") -> object:
    return otherwise if value is None or value == "" or isinstance(value, Undefined) else value


FILTERS: Mapping[str, Callable[..., object]] = {
    "upper": lambda value: text_of(text_of(value).upper()),
    "lower": lambda value: text_of(text_of(value).lower()),
    "capitalize": lambda value: text_of(text_of(value).capitalize()),
    "trim": lambda value: text_of(value).strip(),
    "oneline": lambda value: " ".join(text_of(value).split()),
    "length": lambda value: len(value) if isinstance(value, str | list | tuple | Mapping) else 0,
    "truncate": _truncate,
    "join": _join,
    "items": _items,
    "date": _date,
    "default": _default,
}
