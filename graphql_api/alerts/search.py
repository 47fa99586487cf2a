"""What does a search answer? Hits with what was found in them, and how many there are of each kind.

Elasticsearch names the hits, PostgreSQL's rows are shown, within the viewer's sight: a document that lags behind never
shows what its row would not. Where the index does not answer, PostgreSQL does, newest first, and the answer says so.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from enum import Enum
from typing import Annotated
from uuid import UUID

import strawberry

from domain.alerts import filter as domain
from domain.alerts import model
from domain.alerts.order import NEWEST_FIRST
from domain.errors import InvalidInput
from graphql_api.alerts.filters import AlertFilterInput, filter_of
from graphql_api.alerts.pages import alert_key
from graphql_api.alerts.selected import names_asked
from graphql_api.alerts.subscriptions import hub_of
from graphql_api.alerts.types import Alert
from graphql_api.connection import After, Cursors, First, PageInfo, page_request
from graphql_api.context import Context, Info
from persistence.reads.alerts import AlertPage, alerts_by_ids, read_alerts
from persistence.reads.counts import read_counts
from persistence.relay_cursors import SEARCH_CONSUMER
from persistence.search.index import IndexUnavailable
from persistence.search.query import NotAsked
from persistence.search.searcher import Found, HitKey, Parts, hidden_teams

_BY_INDEX: Cursors[HitKey] = Cursors("search:elasticsearch", tuple[float, int, UUID, bool])
# Whose values are words of an enum: lower case in the index, upper case in the API.
_ENUM_FACETS = frozenset({"status", "severity"})
_BY_DATABASE: Cursors[tuple[datetime, UUID]] = Cursors("search:postgresql", tuple[datetime, UUID])


@strawberry.enum(description="Who answered a search.")
class SearchEngine(Enum):
    """One of two."""

    ELASTICSEARCH = strawberry.enum_value(
        "elasticsearch", description="The search index: by relevance, forgiving typing errors, with facets."
    )
    POSTGRESQL = strawberry.enum_value(
        "postgresql", description="The database, letter by letter and newest first: the index is not set up or is away."
    )


@strawberry.type(description="Pieces of a field in which something was found.")
class SearchHighlight:
    """Of one field."""

    field: str = strawberry.field(description="`title`, `description`, `service` or `labels`.")
    fragments: list[str] = strawberry.field(
        description="HTML: the text is escaped, and what was found stands in `<mark>`."
    )


@strawberry.type(description="An alert that was found.")
class SearchHit:
    """A hit."""

    cursor: str = strawberry.field(description="Its place in the answer; give it as `after`.")
    score: float | None = strawberry.field(description="Its relevance; null where PostgreSQL answered.")
    highlights: list[SearchHighlight] = strawberry.field(description="Where it was found; by Elasticsearch only.")
    found: strawberry.Private[model.Alert]

    @strawberry.field(description="The alert as it is now.", graphql_type=Alert)
    def alert(self) -> model.Alert:
        """The row's."""
        return self.found


@strawberry.type(description="How many hits have a value.")
class SearchFacetValue:
    """A bucket."""

    value: str = strawberry.field(
        description="The value as `filter` takes it: of a status or severity the enum's word, of a team its id."
    )
    count: int = strawberry.field(description="How many hits have it.")


@strawberry.type(description="The values that hits have in a field, the commonest 20.")
class SearchFacet:
    """Of one field."""

    field: str = strawberry.field(description="`status`, `severity`, `service`, `source` or `team`.")
    values: list[SearchFacetValue] = strawberry.field(description="The values, the commonest first.")


@strawberry.type(description="A page of what a search found.")
class AlertSearch:
    """The answer."""

    searched_by: SearchEngine = strawberry.field(description="Who answered.")
    is_degraded: bool = strawberry.field(
        description="Whether PostgreSQL answered although there is a search index: it is away, or has no answer to a "
        "condition (regular expressions on labels)."
    )
    hits: list[SearchHit] = strawberry.field(description="The hits, the best first.")
    facets: list[SearchFacet] | None = strawberry.field(
        description="How many hits there are of each kind; null where PostgreSQL answered."
    )
    page_info: PageInfo = strawberry.field(description="Where this page lies.")
    count: strawberry.Private[Callable[[], Awaitable[int]]]

    @strawberry.field(
        description="What changed before is in the index, which shows it within a second; what changed since may be "
        "missing. A moment ago, but in a storm or after an outage of the index. Null where PostgreSQL answered, and "
        "where no relay keeps the index."
    )
    async def indexed_until(self, info: Info) -> datetime | None:
        """How far the index follows the log."""
        if self.searched_by is SearchEngine.POSTGRESQL:
            return None
        return await hub_of(info.context).reader.taken_until(SEARCH_CONSUMER)

    @strawberry.field(description="How many alerts were found. PostgreSQL counts them only when asked.")
    async def total_count(self) -> int:
        """Known, or counted."""
        return await self.count()


@strawberry.type
class SearchQueries:
    """Mixed into Query."""

    @strawberry.field(
        description="Alerts by relevance: `filter.search` says what is looked for, the other conditions hold as in "
        "`alerts`."
    )
    async def search_alerts(
        self,
        info: Info,
        *,
        wanted: Annotated[
            AlertFilterInput, strawberry.argument(name="filter", description="What is looked for, and among which.")
        ],
        first: First = None,
        after: After = None,
    ) -> AlertSearch:
        """By the index, else by the database."""
        context, condition = info.context, filter_of(wanted)
        context.require_viewer()
        if condition.search is None:
            raise InvalidInput(message="say what is looked for", path=("filter", "search"))
        limit = page_request(_BY_INDEX, first=first).limit
        if after is not None and _is_by_database(after):
            return await _by_database(context, condition, limit, after)
        try:
            return await _by_index(context, condition, limit, after, parts=_asked(info))
        except (IndexUnavailable, NotAsked) as error:
            if after is not None:
                why = "is away" if isinstance(error, IndexUnavailable) else "has no answer to this"
                raise InvalidInput(message=f"the search index {why}: begin again", path=("after",)) from None
            return await _by_database(context, condition, limit, None)


def _is_by_database(after: str) -> bool:
    try:
        _BY_DATABASE.decode(after, "after")
    except InvalidInput:
        return False
    return True


def _asked(info: Info) -> Parts:
    """What of an answer is asked."""
    raw = info._raw_info  # noqa: SLF001 - no public way
    names = names_asked(raw)
    return Parts(
        total="totalCount" in names, facets="facets" in names, highlights="highlights" in names_asked(raw, "hits")
    )


async def _by_index(
    context: Context, wanted: domain.AlertFilter, limit: int, after: str | None, *, parts: Parts
) -> AlertSearch:
    key = None if after is None else _BY_INDEX.decode(after, "after")
    sight = context.require_viewer().sight
    async with context.read() as database:
        hidden = await hidden_teams(database, sight)
    found = await context.state.searcher.search(
        wanted, hidden_team_ids=hidden, limit=limit + 1, now=context.now(), after=key, parts=parts
    )
    page = found.hits[:limit]
    async with context.read() as database:
        rows = await alerts_by_ids(database, [hit.id for hit in page], sight=sight)
    hits = [
        SearchHit(
            cursor=_BY_INDEX.encode(hit.key),
            score=hit.score,
            highlights=[SearchHighlight(field=name, fragments=pieces) for name, pieces in hit.highlights.items()],
            found=rows[hit.id],
        )
        for hit in page
        if hit.id in rows
    ]

    async def count() -> int:
        assert found.total is not None, "who asks for the number is given it"  # noqa: S101
        return found.total

    return AlertSearch(
        searched_by=SearchEngine.ELASTICSEARCH,
        is_degraded=False,
        hits=hits,
        facets=_facets(found),
        page_info=PageInfo(
            has_next_page=len(found.hits) > limit,
            has_previous_page=after is not None,
            start_cursor=_BY_INDEX.encode(page[0].key) if page else None,
            end_cursor=_BY_INDEX.encode(page[-1].key) if page else None,
        ),
        count=count,
    )


def _facets(found: Found) -> list[SearchFacet]:
    return [
        SearchFacet(
            field=name,
            values=[
                SearchFacetValue(value=value.upper() if name in _ENUM_FACETS else value, count=count)
                for value, count in values
            ],
        )
        for name, values in (found.facets or {}).items()
    ]


async def _by_database(context: Context, wanted: domain.AlertFilter, limit: int, after: str | None) -> AlertSearch:
    sight = context.require_viewer().sight
    key = None if after is None else _BY_DATABASE.decode(after, "after")
    async with context.read() as database:
        rows = await read_alerts(database, AlertPage(wanted, limit + 1, after=key), sight=sight)
    key_of = alert_key(NEWEST_FIRST)
    page = [
        SearchHit(cursor=_BY_DATABASE.encode(key_of(row)), score=None, highlights=[], found=row) for row in rows[:limit]
    ]

    async def count() -> int:
        async with context.read() as database:
            return (await read_counts(database, wanted=wanted, sight=sight)).total

    return AlertSearch(
        searched_by=SearchEngine.POSTGRESQL,
        is_degraded=context.state.searcher.is_set,
        hits=page,
        facets=None,
        page_info=PageInfo(
            has_next_page=len(rows) > limit,
            has_previous_page=after is not None,
            start_cursor=page[0].cursor if page else None,
            end_cursor=page[-1].cursor if page else None,
        ),
        count=count,
    )
