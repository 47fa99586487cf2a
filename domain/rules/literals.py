"""Can a literal be what it is taken for? A length, a moment or a time zone that is none fails for every alert.

The engine takes any text and finds out when the condition is asked; `duration("1d")` never is one. So it is looked at
when it is saved, and told what would be right. What is refused here the engine refuses too, each time it is asked.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from zoneinfo import available_timezones

from domain.rules.tree import Call, Constant, Node

_DURATION = re.compile(r"[-+]?(0|((\d+(\.\d*)?|\.\d+)(h|m|s|ms|us|ns))+)")
_TIMESTAMP = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})[Tt](\d{1,2}):(\d{2}):(\d{2})(?:\.\d+)?(?:[Zz]|[-+]\d{2}:\d{2})")
_OFFSET = re.compile(r"[-+]?\d{1,2}:\d{2}")
_IN_A_ZONE = frozenset(
    {
        "getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getHours", "getMinutes",
        "getSeconds", "getMilliseconds",
    }
)  # fmt: skip


def literal_fault(node: Node) -> Iterator[tuple[Node, str]]:
    """The literal within a call that can never be what the call takes it for, and why."""
    if not isinstance(node, Call):
        return
    if node.function in ("_/_", "_%_") and len(node.arguments) == 2:  # noqa: PLR2004 - two sides
        divisor = node.arguments[1]
        if isinstance(divisor, Constant) and divisor.value == 0 and isinstance(divisor.value, int):
            yield divisor, "nothing is divided by 0"
        return
    literal = node.arguments[-1] if node.arguments else None
    if not (isinstance(literal, Constant) and isinstance(literal.value, str)):
        return
    check = _zone if node.function in _IN_A_ZONE else _CHECKS.get(node.function)
    fault = None if check is None else check(literal.value)
    if fault is not None:
        yield literal, f'"{literal.value}" is {fault}'


def _duration(text: str) -> str | None:
    if _DURATION.fullmatch(text):
        return None
    return "no length of time: write it in hours, minutes and seconds, such as 24h or 1h30m"


def _timestamp(text: str) -> str | None:
    found = _TIMESTAMP.fullmatch(text)
    if found is not None:
        year, month, day, hour, minute, second = map(int, found.groups())
        try:
            datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - only whether there is such a moment
        except ValueError:
            found = None
    return None if found is not None else "no moment: write it like 2026-03-01T00:00:00Z"


def _zone(text: str) -> str | None:
    if not text or _OFFSET.fullmatch(text) or text in available_timezones():
        return None
    return "no time zone: write it like Europe/Berlin, UTC or +02:00"


_CHECKS: Mapping[str, Callable[[str], str | None]] = {"duration": _duration, "timestamp": _timestamp}
