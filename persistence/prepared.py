"""How is a statement sent that is asked hundreds of times a second? Put together once, then straight to the driver.

SQLAlchemy writes the text, and its pool hands out the connection. What it does around each execution (keys of caches,
contexts, results, a transaction that is none) took a fifth of what a page of alerts costs the API.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, TypeAlias

import asyncpg
import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.util import greenlet_spawn

Values: TypeAlias = Mapping[str, Any]


class Prepared(NamedTuple):
    """A statement's text, the names of its parameters in their order, and what is known of them."""

    text: str
    names: tuple[str, ...]
    values: Values
    # What the driver is given for a value, where that is another.
    processors: Mapping[str, Any]

    def arguments(self, given: Values) -> list[Any]:
        """The parameters, those of `given` in place of what is known."""
        known, processors = self.values, self.processors
        found = []
        for name in self.names:
            value = given[name] if name in given else known[name]
            processor = processors.get(name)
            found.append(value if processor is None else processor(value))
        return found


def prepared(statement: sa.Select[Any], dialect: Dialect) -> Prepared:
    """The statement as the engine's dialect writes it."""
    compiled = statement.compile(dialect=dialect)
    assert isinstance(compiled, SQLCompiler)  # noqa: S101 - for the type checker
    state = compiled.construct_expanded_state()
    processors = {
        name: bind.type.dialect_impl(dialect).bind_processor(dialect) for name, bind in compiled.binds.items()
    }
    # Those of lists, whose values are parameters of their own.
    processors |= state.processors
    return Prepared(state.statement, tuple(state.positiontup or ()), dict(state.parameters), processors)


async def fetch(engine: AsyncEngine, statement: Prepared, given: Values) -> list[asyncpg.Record]:
    """The rows as the driver gives them: one statement, in no transaction. The driver's errors come as they are."""
    async with _borrowed(engine) as connection:
        rows: list[asyncpg.Record] = await connection.fetch(statement.text, *statement.arguments(given))
    return rows


@asynccontextmanager
async def _borrowed(engine: AsyncEngine) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection of the pool, for as long as one statement takes."""
    pooled = await engine.raw_connection()
    try:
        connection: Any = pooled.driver_connection
        yield connection
    except Exception:
        raise
    except BaseException:
        # Given up: the server may still be working on it.
        pooled.invalidate()
        raise
    finally:
        await greenlet_spawn(pooled.close)
