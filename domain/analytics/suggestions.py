"""What would have spared pages? Worked out from what really happened, with the counts that say so. Pure.

Each suggestion names how many of how many, some alerts to look at, and what would do it: a setting, or a rule's
condition. Nothing is suggested for little evidence, and nothing that would have kept back a critical alert.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from domain.alerts.model import Severity
from domain.analytics.noise import NoiseFigures

P = TypeVar("P")
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 3, 4, 5, 10, 15))
# A longer pause has to spare this much more, or the shorter one is as good.
NEARLY_ALL = 0.9
MIN_SHARE = 0.5
MIN_PAGES = 10
MIN_SPARED = 5
MIN_ALERTS = 10
MIN_FLAPPED = 3
MAX_SUGGESTIONS = 50
SAMPLES = 3


class SuggestionKind(StrEnum):
    """What is suggested."""

    PAUSE = "pause"
    FALSE_POSITIVES = "false_positives"
    FLAPPING = "flapping"
    UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True, kw_only=True)
class PagedEpisode:
    """An episode of an alert that somebody was told of. `pages` are how long after its opening each left.

    `lasted` is None while it is open; `ended_by_itself`: its source said that it was over, or it expired.
    """

    alert_id: UUID
    key: tuple[UUID, str]
    title: str
    service: str | None
    severity: Severity
    pages: tuple[timedelta, ...]
    lasted: timedelta | None
    ended_by_itself: bool
    is_answered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceHistory:
    """The figures of a service, with some of its false positives."""

    service: str | None
    figures: NoiseFigures
    false_positives: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FlappingKey:
    """A dedup key whose alerts began to flap."""

    key: tuple[UUID, str]
    title: str
    service: str | None
    times: int
    alerts: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """One thing to do. `affected` of `total` is the evidence; `samples` are alerts to look at."""

    kind: SuggestionKind
    text: str
    remedy: str
    affected: int
    total: int
    samples: tuple[UUID, ...]
    service: str | None = None
    integration_id: UUID | None = None
    dedup_key: str | None = None
    pause: timedelta | None = None
    condition: str | None = None


def suggest(
    *, episodes: Sequence[PagedEpisode], services: Sequence[ServiceHistory], flapping: Sequence[FlappingKey]
) -> list[Suggestion]:
    """All that the history gives a reason for, what would spare most first."""
    found = [*_pauses(episodes), *_false_positives(services), *_flapping(flapping), *_unanswered(episodes)]
    found.sort(key=lambda one: (-one.affected, one.kind, one.text))
    return found[:MAX_SUGGESTIONS]


def spared(episodes: Iterable[PagedEpisode], pause: timedelta) -> int:
    """How many of the pages would not have left: each would have waited so much longer, and it was over by then."""
    return sum(
        one.lasted < page + pause
        for one in episodes
        if one.ended_by_itself and one.lasted is not None and one.severity is not Severity.CRITICAL
        for page in one.pages
    )


def _pauses(episodes: Sequence[PagedEpisode]) -> list[Suggestion]:
    """Of a single key where one explains it; else of the service that the keys have in common."""
    found, of_keys = [], set()
    for key, own in _by(episodes, lambda one: one.key).items():
        suggestion = _pause(own, f"of {own[0].title!r}", integration_id=key[0], dedup_key=key[1])
        if suggestion is not None:
            found.append(suggestion)
            of_keys.add(key)
    rest = [one for one in episodes if one.key not in of_keys]
    for service, own in _by(rest, lambda one: one.service).items():
        suggestion = _pause(own, "of alerts without a service" if service is None else f"of the service {service}")
        if suggestion is not None:
            found.append(suggestion)
    return found


def _pause(
    episodes: Sequence[PagedEpisode], whose: str, *, integration_id: UUID | None = None, dedup_key: str | None = None
) -> Suggestion | None:
    pages = sum(len(one.pages) for one in episodes)
    most = spared(episodes, PAUSES[-1])
    if pages < MIN_PAGES or most < MIN_SPARED:
        return None
    pause = next(one for one in PAUSES if spared(episodes, one) >= NEARLY_ALL * most)
    would = spared(episodes, pause)
    if would < MIN_SHARE * pages:
        return None
    minutes = int(pause.total_seconds() // 60)
    return Suggestion(
        kind=SuggestionKind.PAUSE,
        text=f"a pause of {minutes} min would have spared {would} of {pages} pages {whose}; the others would have come "
        f"{minutes} min later",
        remedy=f"set TOCSIN_PAUSE to PT{minutes}M, or let the source wait as long before it fires (`for: {minutes}m`)",
        affected=would,
        total=pages,
        samples=tuple(one.alert_id for one in episodes if spared([one], pause))[:SAMPLES],
        service=episodes[0].service,
        integration_id=integration_id,
        dedup_key=dedup_key,
        pause=pause,
    )


def _false_positives(services: Sequence[ServiceHistory]) -> list[Suggestion]:
    return [
        Suggestion(
            kind=SuggestionKind.FALSE_POSITIVES,
            text=f"{figures.false_positives} of {figures.alerts} alerts {_of(one.service)} were false positives",
            remedy="mend the check at its source; until then a rule with this condition can lower their severity, or "
            "suppress them",
            affected=figures.false_positives,
            total=figures.alerts,
            samples=one.false_positives[:SAMPLES],
            service=one.service,
            condition=_condition(one.service),
        )
        for one in services
        if (figures := one.figures).alerts >= MIN_ALERTS and figures.false_positives >= MIN_SHARE * figures.alerts
    ]


def _flapping(keys: Sequence[FlappingKey]) -> list[Suggestion]:
    return [
        Suggestion(
            kind=SuggestionKind.FLAPPING,
            text=f"{one.title!r} began to flap {one.times} times",
            remedy="give the check at its source two thresholds, one to fire and a lower one to resolve, or a time it "
            "must stay past the one (`for:`, `keep_firing_for:`)",
            affected=one.times,
            total=one.times,
            samples=one.alerts[:SAMPLES],
            service=one.service,
            integration_id=one.key[0],
            dedup_key=one.key[1],
        )
        for one in keys
        if one.times >= MIN_FLAPPED
    ]


def _unanswered(episodes: Sequence[PagedEpisode]) -> list[Suggestion]:
    """What people are told of and never do anything about. Open episodes may still be answered."""
    found = []
    for service, own in _by([one for one in episodes if one.lasted is not None], lambda one: one.service).items():
        pages = sum(len(one.pages) for one in own)
        is_critical = any(one.severity is Severity.CRITICAL for one in own)
        if pages < MIN_PAGES or is_critical or any(one.is_answered or not one.ended_by_itself for one in own):
            continue
        found.append(
            Suggestion(
                kind=SuggestionKind.UNANSWERED,
                text=f"nobody answered any of {pages} pages {_of(service)}, and each problem ended by itself",
                remedy="a rule with this condition can lower their severity to LOW, or give them to a team that cares",
                affected=pages,
                total=pages,
                samples=tuple(dict.fromkeys(one.alert_id for one in own))[:SAMPLES],
                service=service,
                condition=_condition(service),
            )
        )
    return found


def _of(service: str | None) -> str:
    return "without a service" if service is None else f"of the service {service}"


def _condition(service: str | None) -> str:
    """The condition of an alert rule, in its words: see docs/rules.md."""
    quoted = (service or "").replace("\\", "\\\\").replace('"', '\\"')
    return f'alert.service == "{quoted}"'


def _by(episodes: Iterable[PagedEpisode], part: Callable[[PagedEpisode], P]) -> dict[P, list[PagedEpisode]]:
    found: dict[P, list[PagedEpisode]] = {}
    for one in episodes:
        found.setdefault(part(one), []).append(one)
    return found
