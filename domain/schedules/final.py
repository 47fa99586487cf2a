"""Who is on call? Overrides cover layers, later layers cover earlier ones; what nobody covers is a gap.

Pure: the versions of the layers and the overrides that may matter are passed in. Painted from the bottom up, so the
last colour shows.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.schedules.clock import zone
from domain.schedules.model import FinalSchedule, Layer, Layers, Override, Shift, Span, Versions
from domain.schedules.restrictions import open_times
from domain.schedules.rotation import turns

_FOREVER = datetime.max.replace(tzinfo=UTC)
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class _Coat:
    """One person over one span, before anything covers it."""

    span: Span
    shift: Shift


def final_schedule(versions: Versions, overrides: Sequence[Override], span: Span) -> FinalSchedule:
    """Who is on call over the span. `versions` are in order; `overrides` are those that meet the span."""
    coats = [*_layer_coats(versions, span), *_override_coats(overrides, span)]
    shifts = _merged(_painted(coats))
    return FinalSchedule(tuple(shifts), tuple(_gaps(shifts, span)))


def on_call_at(versions: Versions, overrides: Sequence[Override], moment: datetime) -> Shift | None:
    """Who is on call at the moment, as far as this moment tells: the span of the shift is not looked for."""
    span = Span(moment, moment + _INSTANT)
    found = final_schedule(versions, overrides, span).shifts
    return found[0] if found else None


def _layer_coats(versions: Versions, span: Span) -> Iterator[_Coat]:
    for number, version in enumerate(versions):
        until = versions[number + 1].effective_from if number + 1 < len(versions) else _FOREVER
        counts = Span(version.effective_from, until).within(span) if version.effective_from < until else None
        if counts is not None:
            for layer in version.layers:
                yield from _coats_of(layer, version, counts)


def _coats_of(layer: Layer, version: Layers, span: Span) -> Iterator[_Coat]:
    where = zone(version.time_zone)
    bounds = Span(layer.begins_at or span.starts_at, layer.ends_at or span.ends_at)
    counts = bounds.within(span)
    if counts is None:
        return
    for opened in open_times(layer.restrictions, counts, where):
        for user_id, turn in turns(layer.rotation, opened, where):
            shift = Shift(user_id=user_id, starts_at=turn.starts_at, ends_at=turn.ends_at, layer_id=layer.id)
            yield _Coat(turn, shift)


def _override_coats(overrides: Sequence[Override], span: Span) -> Iterator[_Coat]:
    for override in sorted(overrides, key=lambda override: (override.created_at, override.id)):
        part = Span(override.starts_at, override.ends_at).within(span)
        if part is not None:
            shift = Shift(
                user_id=override.user_id, starts_at=part.starts_at, ends_at=part.ends_at, override_id=override.id
            )
            yield _Coat(part, shift)


def _painted(coats: Sequence[_Coat]) -> Iterator[Shift]:
    """The top coat of each elementary span, in order of time."""
    edges = sorted({edge for coat in coats for edge in (coat.span.starts_at, coat.span.ends_at)})
    shown: list[Shift | None] = [None] * max(0, len(edges) - 1)
    for coat in coats:
        first, last = bisect_left(edges, coat.span.starts_at), bisect_right(edges, coat.span.ends_at) - 1
        shown[first:last] = [coat.shift] * (last - first)
    for number, shift in enumerate(shown):
        if shift is not None:
            yield replace(shift, starts_at=edges[number], ends_at=edges[number + 1])


def _merged(shifts: Iterator[Shift]) -> list[Shift]:
    """Neighbours of the same person for the same reason are one shift."""
    result: list[Shift] = []
    for shift in shifts:
        last = result[-1] if result else None
        if last is not None and last.ends_at == shift.starts_at and _reason(last) == _reason(shift):
            result[-1] = replace(last, ends_at=shift.ends_at)
        else:
            result.append(shift)
    return result


def _reason(shift: Shift) -> tuple[UUID, UUID | None, UUID | None]:
    return shift.user_id, shift.layer_id, shift.override_id


def _gaps(shifts: Sequence[Shift], span: Span) -> Iterator[Span]:
    covered_until = span.starts_at
    for shift in shifts:
        if shift.starts_at > covered_until:
            yield Span(covered_until, shift.starts_at)
        covered_until = shift.ends_at
    if covered_until < span.ends_at:
        yield Span(covered_until, span.ends_at)
