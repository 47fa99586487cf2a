"""Do many requests share the way to the database, and none an answer of before it came?"""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.ids import new_id
from domain.ports import SystemClock
from persistence.engine import create_engine
from persistence.sessions import ViewerLookup
from persistence.tables import sessions
from tests.alert_rows import put_user
from tocsin.settings import Settings


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(Settings(database_url=database_url), pool_size=2)
    yield engine
    await engine.dispose()


@pytest.fixture
def statements(engine: AsyncEngine) -> list[str]:
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: Any) -> None:  # noqa: ANN401
        sent.append(statement)

    sa.event.listen(engine.sync_engine, "before_cursor_execute", note)
    return sent


async def _sign_in(engine: AsyncEngine) -> UUID:
    session, now = new_id(), datetime.now(tz=UTC)
    async with engine.begin() as connection:
        person = await put_user(connection)
        await connection.execute(
            sa.insert(sessions).values(
                id=session,
                user_id=person,
                refresh_digest=session.bytes,
                created_at=now,
                last_used_at=now,
                idle_expires_at=now + timedelta(days=1),
                expires_at=now + timedelta(days=1),
            )
        )
    return session


async def test_those_who_wait_are_one_statement(engine: AsyncEngine, statements: list[str]) -> None:
    known = [await _sign_in(engine) for _ in range(3)]
    lookup = ViewerLookup(engine, SystemClock())
    statements.clear()
    asked = [*known, new_id(), *known * 20]
    found = await asyncio.gather(*(lookup.viewer(session) for session in asked))
    assert [viewer and viewer.session_id for viewer in found] == [*known, None, *known * 20]
    assert len(statements) == 1


async def test_a_request_is_answered_by_a_statement_that_began_after_it_came(
    engine: AsyncEngine, statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await _sign_in(engine)
    lookup = ViewerLookup(engine, SystemClock())
    plain, has_read, may_answer = ViewerLookup.look_up, asyncio.Event(), asyncio.Event()

    async def slow(self: ViewerLookup, session_ids: list[UUID]) -> Any:  # noqa: ANN401
        found = await plain(self, session_ids)
        has_read.set()
        await may_answer.wait()
        return found

    monkeypatch.setattr(ViewerLookup, "look_up", slow)
    before = asyncio.create_task(lookup.viewer(session))
    await has_read.wait()
    async with engine.begin() as connection:
        await connection.execute(sa.update(sessions).values(revoked_at=datetime.now(tz=UTC)))
    after = asyncio.create_task(lookup.viewer(session))
    await asyncio.sleep(0)
    may_answer.set()
    assert await before is not None
    assert await after is None


async def test_an_error_reaches_each_who_asked_and_the_next_is_served(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await _sign_in(engine)
    lookup = ViewerLookup(engine, SystemClock())

    async def broken(_self: ViewerLookup, _ids: list[UUID]) -> Any:  # noqa: ANN401
        raise OSError("no database")

    with monkeypatch.context() as patched:
        patched.setattr(ViewerLookup, "look_up", broken)
        found = await asyncio.gather(*(lookup.viewer(session) for _ in range(3)), return_exceptions=True)
    assert [type(error) for error in found] == [OSError] * 3
    assert await lookup.viewer(session) is not None


async def test_a_request_that_is_given_up_holds_up_nobody(engine: AsyncEngine) -> None:
    session = await _sign_in(engine)
    lookup = ViewerLookup(engine, SystemClock())
    gone, stays = (asyncio.create_task(lookup.viewer(session)) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays is not None
