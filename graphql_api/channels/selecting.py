"""How is a selection run, for who sends messages? By the schema, without a request, and bounded in time."""

import asyncio
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from uuid import UUID

from graphql import GraphQLError
from sqlalchemy.ext.asyncio import AsyncEngine
from strawberry import Schema

from domain.channels.templates import TemplateFails, TemplateProblem
from domain.ports import SystemClock
from graphql_api.channels.selection import documents, query_of, viewer_of
from graphql_api.context import Context
from graphql_api.schema import build_schema
from graphql_api.state import AppState
from tocsin.settings import Settings

SECONDS = 5.0


class Selecting:
    """Runs selections for who sends messages. Implements jobs.channels.selecting.Select."""

    def __init__(self, settings: Settings, engine: AsyncEngine) -> None:
        self._state = AppState(settings=settings, clock=SystemClock(), engine=engine)

    async def __call__(self, selection: str, alert_id: UUID, *, team_id: UUID | None) -> Mapping[str, Any]:
        """The alert's fields; TemplateFails when they cannot be had."""
        # Built once in a process, which takes a second: beside the loop, not on it.
        schema = await asyncio.to_thread(_schema)
        context = Context(state=self._state, viewer=viewer_of(team_id), over_http=False)
        try:
            async with asyncio.timeout(SECONDS):
                result = await schema.execute(
                    query_of(selection), variable_values={"id": str(alert_id)}, context_value=context
                )
        except TimeoutError:
            raise TemplateFails(TemplateProblem("the selection takes too long")) from None
        except GraphQLError as error:
            raise TemplateFails(TemplateProblem(f"the selection: {error.message}")) from error
        if result.errors:
            raise TemplateFails(TemplateProblem(f"the selection: {result.errors[0].message}"))
        found = (result.data or {}).get("alert")
        if found is None:
            raise TemplateFails(TemplateProblem("the selection: the channel's team does not see the alert"))
        selected: Mapping[str, Any] = found
        return selected


@lru_cache(maxsize=1)
def _schema() -> Schema:
    return build_schema(documents())
