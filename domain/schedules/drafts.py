"""Is what somebody wants a schedule? Every field is checked before anything is written; an error names the first wrong.

A draft can be shown as the shifts it would make before it is saved, by the same checks.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.errors import InvalidInput
from domain.ids import new_id
from domain.schedules.clock import check_year, zone
from domain.schedules.model import (
    MAX_LAYERS,
    MAX_PARTICIPANTS,
    MAX_RESTRICTIONS,
    MAX_SHIFT_UNITS,
    Layer,
    Override,
    Restriction,
    Rotation,
    Span,
    Versions,
)
from domain.text import checked_optional_text, checked_text

MAX_NAME = 100
MAX_DESCRIPTION = 2_000
MAX_REASON = 500
# Long enough for a year's planning; each shift of it is an object of the answer.
MAX_SPAN = timedelta(days=400)
MAX_SHIFTS = 10_000
WEEK = timedelta(weeks=1)
MAX_OVERRIDE = timedelta(days=366)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What somebody may say of a schedule."""

    name: str
    time_zone: str
    layers: tuple[Layer, ...]
    description: str = ""


def checked_draft(draft: Draft) -> Draft:
    """The draft with its texts tidied; InvalidInput names the first field that is wrong."""
    zone(draft.time_zone, "timeZone")
    if len(draft.layers) > MAX_LAYERS:
        message = f"a schedule has at most {MAX_LAYERS} layers"
        raise InvalidInput(message, ("layers",))
    layers = tuple(_checked_layer(layer, ("layers", str(number))) for number, layer in enumerate(draft.layers))
    if len({layer.id for layer in layers}) < len(layers):
        message = "two layers have the same id: leave it out for a new one"
        raise InvalidInput(message, ("layers",))
    return Draft(
        name=checked_text(draft.name, path=("name",), limit=MAX_NAME),
        time_zone=draft.time_zone,
        layers=layers,
        description=checked_optional_text(draft.description, path=("description",), limit=MAX_DESCRIPTION) or "",
    )


def _checked_layer(layer: Layer, path: tuple[str, ...]) -> Layer:
    _check_rotation(layer.rotation, path)
    if len(layer.restrictions) > MAX_RESTRICTIONS:
        message = f"a layer has at most {MAX_RESTRICTIONS} restrictions"
        raise InvalidInput(message, (*path, "restrictions"))
    for number, restriction in enumerate(layer.restrictions):
        _check_restriction(restriction, (*path, "restrictions", str(number)))
    if layer.begins_at is not None and layer.ends_at is not None and layer.ends_at <= layer.begins_at:
        message = "a layer ends after it begins"
        raise InvalidInput(message, (*path, "endsAt"))
    return replace(layer, name=checked_optional_text(layer.name, path=(*path, "name"), limit=MAX_NAME) or "")


def _check_rotation(rotation: Rotation, path: tuple[str, ...]) -> None:
    people = len(rotation.participants)
    if not 1 <= people <= MAX_PARTICIPANTS:
        message = f"a rotation has 1 to {MAX_PARTICIPANTS} participants, not {people}"
        raise InvalidInput(message, (*path, "participantIds"))
    if not 1 <= rotation.shift_length <= MAX_SHIFT_UNITS:
        message = f"a shift is 1 to {MAX_SHIFT_UNITS} {rotation.unit.value}s long, not {rotation.shift_length}"
        raise InvalidInput(message, (*path, "shiftLength"))
    if rotation.starts_at.tzinfo is not None:
        message = "a rotation starts at a time of the clock in the schedule's zone, without an offset"
        raise InvalidInput(message, (*path, "startsAt"))
    check_year(rotation.starts_at, *path, "startsAt")


def _check_restriction(restriction: Restriction, path: tuple[str, ...]) -> None:
    if not restriction.weekdays:
        message = "a restriction names at least one day of the week"
        raise InvalidInput(message, (*path, "weekdays"))


def checked_span(since: datetime, until: datetime) -> Span:
    """A time to look at; InvalidInput when it is empty or too long to answer."""
    check_year(since, "since")
    check_year(until, "until")
    if until <= since:
        message = "the end must be after the start"
        raise InvalidInput(message, ("until",))
    if until - since > MAX_SPAN:
        message = f"at most {MAX_SPAN.days} days at a time"
        raise InvalidInput(message, ("until",))
    return Span(since, until)


def size_of(layers: Sequence[Layer], span: Span) -> float:
    """How much there is to work out: the turns of each layer, and the windows of the week it counts in."""
    length = span.ends_at - span.starts_at
    turns = sum(length / (layer.rotation.shift_length * layer.rotation.unit.length) for layer in layers)
    windows = sum(len(window.weekdays) for layer in layers for window in layer.restrictions)
    return turns + windows * (length / WEEK)


def size_of_plan(versions: Versions, span: Span) -> float:
    """The same of a schedule whose layers changed within the span: each version for its time."""
    if not versions:  # before there was a schedule
        return 0.0
    ends = [version.effective_from for version in versions[1:]] + [span.ends_at]
    parts = [
        Span(version.effective_from, end).within(span) if version.effective_from < end else None
        for version, end in zip(versions, ends, strict=True)
    ]
    return sum(size_of(version.layers, part) for version, part in zip(versions, parts, strict=True) if part is not None)


def check_size(layers: Sequence[Layer], span: Span) -> None:
    """InvalidInput when the shifts of the span could be more than one answer may hold."""
    check_total(size_of(layers, span))


def check_total(turns: float) -> None:
    """The same for what was added up over several schedules. It keeps everybody waiting while it is worked out."""
    if turns > MAX_SHIFTS:
        message = f"that would be some {turns:,.0f} shifts; {MAX_SHIFTS:,} at a time: ask for less time"
        raise InvalidInput(message, ("until",))


def checked_override(override: Override, *, now: datetime) -> Override:
    """An override that can still matter; InvalidInput otherwise."""
    check_year(override.ends_at, "endsAt")
    if override.ends_at <= override.starts_at:
        message = "the end must be after the start"
        raise InvalidInput(message, ("endsAt",))
    if override.ends_at <= now:
        message = "that is over: who was on call does not change"
        raise InvalidInput(message, ("endsAt",))
    if override.ends_at - override.starts_at > MAX_OVERRIDE:
        message = f"an override lasts at most {MAX_OVERRIDE.days} days"
        raise InvalidInput(message, ("endsAt",))
    reason = checked_optional_text(override.reason, path=("reason",), limit=MAX_REASON) or ""
    # What is past stays as it was: an override that is said to have begun earlier counts from now.
    return replace(override, id=new_id(), starts_at=max(override.starts_at, now), reason=reason)
