"""Who answers a search? Elasticsearch, in bounded time; not asked for a few seconds after it failed to answer."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

import sqlalchemy as sa
import structlog
from elasticsearch import BadRequestError
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.filter import AlertFilter, TimeRange
from domain.alerts.search import parse
from domain.alerts.visibility import Sight
from persistence.search.index import TROUBLE, IndexUnavailable, open_client
from persistence.search.query import NotAsked, most_of, query_of, without_relevance
from persistence.tables import teams
from tocsin.settings import Settings

if TYPE_CHECKING:
    from elasticsearch import AsyncElasticsearch

_log = structlog.get_logger(__name__)
REST_SECONDS = 5.0
# How far back the first look goes.
NEWEST = timedelta(days=7)
FACET_VALUES = 20
# The facet's name and the field it counts.
FACETS = {"status": "status", "severity": "severity", "service": "service", "source": "source", "team": "team_id"}
HIGHLIGHTED = {"title": "title", "description": "description", "service.text": "service", "label_text": "labels"}
# The relevance, the time of opening in milliseconds, the id; and whether typing errors were forgiven.
HitKey = tuple[float, int, UUID, bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """An alert that was found. `highlights` are pieces of HTML by field, with what was found in <mark>."""

    id: UUID
    score: float
    key: HitKey
    highlights: dict[str, list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What is asked beside the hits. Their number and the facets look at every hit, highlights at each one's text."""

    total: bool = True
    facets: bool = True
    highlights: bool = True


EVERYTHING = Parts()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A page of hits, how many there are, and how often each facet has each value; None where that was not asked."""

    hits: list[Hit]
    total: int | None
    facets: dict[str, list[tuple[str, int]]] | None


class Searcher:
    """Asks the index. Raises IndexUnavailable at once while it rests."""

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._client: AsyncElasticsearch | None = None
        if settings.elasticsearch_url is not None:
            self._client = open_client(settings, seconds=settings.elasticsearch_timeout.total_seconds())
        self._alias, self._clock = settings.elasticsearch_index, clock
        self._rests_until = float("-inf")

    @property
    def is_set(self) -> bool:
        """Whether there is an Elasticsearch at all."""
        return self._client is not None

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()

    async def check(self) -> None:
        """Raises what is wrong with the cluster or the index, for the health page."""
        if self._client is not None and not await self._client.indices.exists_alias(name=self._alias):
            raise IndexMissingError

    async def search(
        self,
        wanted: AlertFilter,
        *,
        hidden_team_ids: Iterable[UUID],
        limit: int,
        now: datetime,
        after: HitKey | None = None,
        parts: Parts = EVERYTHING,
    ) -> Found:
        """The best hits beyond `after`. NotAsked where the index has no answer to a condition.

        What is written as it was asked for comes before what is nearly so. Where there is enough of that to fill a
        page, nobody looks for what is nearly so: among a million alerts that takes twenty times as long.
        """
        if self._client is None or self._clock() < self._rests_until:
            raise IndexUnavailable
        hidden = list(hidden_team_ids)

        async def best(among: AlertFilter, *, forgives: bool = False, least: float | None = None) -> list[Hit]:
            query = query_of(among, hidden_team_ids=hidden, forgives=forgives)
            body = _best_body(query, after, limit=limit, now=now, least=least, marks=parts.highlights)
            return [_hit(hit, forgives=forgives) for hit in (await self._ask(body))["hits"]["hits"]]

        hits, forgives = await _in_turn(best, wanted, after, limit=limit, now=now)
        if not (parts.total or parts.facets):
            return Found(hits=hits, total=None, facets=None)
        # Apart from the hits: to look at each, and to weigh each, are two things, and nobody needs both of all.
        numbers = await self._ask(_numbers_body(query_of(wanted, hidden_team_ids=hidden, forgives=forgives), parts))
        return Found(
            hits=hits,
            total=int(numbers["hits"]["total"]["value"]) if parts.total else None,
            facets=_facets(numbers) if parts.facets else None,
        )

    async def _ask(self, body: dict[str, Any]) -> dict[str, Any]:
        assert self._client is not None  # noqa: S101 - for the type checker
        try:
            answer = await self._client.search(index=self._alias, **body)
        except BadRequestError as error:
            # It is the question's fault, and the next may be better: who asks it takes the index from nobody else.
            _log.warning("Elasticsearch refuses a search; PostgreSQL answers it", reason=error.error)
            raise NotAsked(error.error) from error
        except TROUBLE as error:
            self._rests_until = self._clock() + REST_SECONDS
            _log.warning("Elasticsearch does not answer; PostgreSQL searches", error=type(error).__name__)
            raise IndexUnavailable(type(error).__name__) from error
        found: dict[str, Any] = answer.body
        return found


class IndexMissingError(Exception):
    """Elasticsearch answers, and there is no index: `tocsin reindex` builds one."""


async def hidden_teams(connection: AsyncConnection, sight: Sight) -> list[UUID]:
    """The private teams that are not the viewer's."""
    if sight.everything:
        return []
    rows = await connection.execute(sa.select(teams.c.id).where(teams.c.is_private))
    return [row.id for row in rows if row.id not in sight.team_ids]


class _Best(Protocol):
    """The best hits among these alerts; each counts at least `least`."""

    async def __call__(
        self, among: AlertFilter, *, forgives: bool = False, least: float | None = None
    ) -> list[Hit]: ...


async def _in_turn(
    best: _Best, wanted: AlertFilter, after: HitKey | None, *, limit: int, now: datetime
) -> tuple[list[Hit], bool]:
    """The hits beyond `after` as far as must be looked for them; and whether typing errors were forgiven."""
    if (newest := _newest_best(wanted, after, now=now)) is not None:
        hits = await best(newest[0], least=newest[1])
        if len(hits) >= limit:
            return hits, False
    if after is not None:
        return await best(wanted, forgives=after[3]), after[3]
    hits = await best(wanted)
    return (hits, False) if len(hits) >= limit else (await best(wanted, forgives=True), True)


def _newest_best(wanted: AlertFilter, after: HitKey | None, *, now: datetime) -> tuple[AlertFilter, float] | None:
    """Among which alerts the best hits beyond `after` are, if there are enough, and what each of them counts at least.

    They are the newest of those that count most: no other comes before one of them. So a page of a word that a million
    alerts have is a week's work. None where all have to be looked at.
    """
    if wanted.search is None:
        return None
    most = most_of(parse(wanted.search))
    if after is not None and (after[3] or after[0] < most):
        return None
    newest = now if after is None else datetime.fromtimestamp(after[1] / 1000, tz=UTC)
    recent = AlertFilter(created_at=TimeRange(newest - NEWEST, None))
    return replace(wanted, all_of=(*wanted.all_of, recent)), most


def _best_body(
    query: dict[str, Any], after: HitKey | None, *, limit: int, now: datetime, least: float | None, marks: bool
) -> dict[str, Any]:
    # Of a whole day, to its end: with the moment itself a relevance would differ from page to page, and what is further
    # from a moment that has passed is the newer.
    tomorrow = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    newer = {"distance_feature": {"field": "created_at", "origin": tomorrow.isoformat(), "pivot": "7d", "boost": 1.0}}
    body: dict[str, Any] = {
        "query": {"bool": {"must": [query], "should": [newer]}},
        "size": limit,
        "sort": [{"_score": "desc"}, {"created_at": "desc"}, {"id": "desc"}],
        "source": False,
        # Those that cannot come among the best are passed over.
        "track_total_hits": False,
    }
    if after is not None:
        body["search_after"] = [after[0], after[1], str(after[2])]
    if least is not None:
        body["min_score"] = least
    if marks:
        body["highlight"] = {
            "encoder": "html",
            "pre_tags": ["<mark>"],
            "post_tags": ["</mark>"],
            "fields": {field: {"number_of_fragments": 2} for field in HIGHLIGHTED},
        }
    return body


def _numbers_body(query: dict[str, Any], parts: Parts) -> dict[str, Any]:
    body = {
        "query": {"bool": {"filter": [without_relevance(query)]}},
        "size": 0,
        "source": False,
        "track_total_hits": parts.total,
    }
    if parts.facets:
        body["aggs"] = {name: {"terms": {"field": field, "size": FACET_VALUES}} for name, field in FACETS.items()}
    return body


def _facets(body: dict[str, Any]) -> dict[str, list[tuple[str, int]]]:
    return {
        name: [(str(bucket["key"]), int(bucket["doc_count"])) for bucket in facet["buckets"]]
        for name, facet in body["aggregations"].items()
    }


def _hit(hit: dict[str, Any], *, forgives: bool) -> Hit:
    score, created_at, document_id = hit["sort"]
    return Hit(
        id=UUID(hit["_id"]),
        score=float(score),
        key=(float(score), int(created_at), UUID(document_id), forgives),
        highlights={HIGHLIGHTED[field]: list(pieces) for field, pieces in hit.get("highlight", {}).items()},
    )
