"""How does a test use the API? As a client would: the whole application, a real database, a person of each role."""

from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any
from unittest.mock import patch
from uuid import UUID

import httpx2
from argon2 import PasswordHasher as Argon2
from asgi_lifespan import LifespanManager
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.identity.addresses import address_digest
from domain.identity.model import Membership, Role, Team, User
from domain.identity.sessions import Session
from domain.ids import new_id
from graphql_api.app import create_app
from graphql_api.identity.tokens import AccessTokens
from graphql_api.limits import Documents
from graphql_api.schema import build_schema
from graphql_api.state import AppState
from persistence.engine import create_engine
from persistence.unit_of_work import UnitOfWork
from tocsin.settings import Settings

SECRET = "a secret for tests only, long enough"
PASSWORD = "correct horse battery"
DAY = timedelta(days=1)
# Hashing a password is made to take long. What a test signs people in for is another matter (except of
# tests/unit/identity/test_password_hashing.py), so here it takes next to nothing; it is argon2 all the same.
QUICK_HASHES = {"persistence.passwords.Argon2": partial(Argon2, time_cost=1, memory_cost=8, parallelism=1)}
# A process serves with one schema for its whole life, and so do the tests of one process: building it took longer than
# most of them. What is kept of a document depends on its text, the limits and the schema alone.
SHARED_SCHEMA = {"graphql_api.state.Documents": cache(Documents), "graphql_api.app.build_schema": cache(build_schema)}


class MovableClock:
    """Time as the test says: the machine's, moved by `ahead`."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(tz=UTC) + self.ahead


@dataclass(frozen=True)
class Person:
    """Somebody who is signed in."""

    id: UUID
    session_id: UUID
    email: str
    role: Role
    token: str


@dataclass
class Api:
    """The running application and the ways of a client to it."""

    http: httpx2.AsyncClient
    settings: Settings
    engine: AsyncEngine
    clock: MovableClock
    app: Any
    state: AppState

    async def post(self, query: str, variables: object = None, *, who: Person | str | None = None) -> httpx2.Response:
        """One GraphQL request, as it went over the wire."""
        body = {"query": query} if variables is None else {"query": query, "variables": variables}
        return await self.http.post("/graphql", json=body, headers=self.headers(who))

    @staticmethod
    def headers(who: Person | str | None) -> dict[str, str]:
        """The headers that say who asks."""
        token = who.token if isinstance(who, Person) else who
        return {} if token is None else {"authorization": f"Bearer {token}"}

    async def ask(self, query: str, variables: object = None, *, who: Person | str | None = None) -> dict[str, Any]:
        """The whole answer: `data` and `errors`."""
        answer: dict[str, Any] = (await self.post(query, variables, who=who)).json()
        return answer

    async def data(self, query: str, variables: object = None, *, who: Person | str | None = None) -> dict[str, Any]:
        """The data of an answer that must have no errors."""
        answer = await self.ask(query, variables, who=who)
        assert "errors" not in answer, answer
        data: dict[str, Any] = answer["data"]
        return data

    async def code(self, query: str, variables: object = None, *, who: Person | str | None = None) -> str:
        """The code of the answer's one top-level error."""
        answer = await self.ask(query, variables, who=who)
        (error,) = answer["errors"]
        code: str = error["extensions"]["code"]
        return code

    async def change(self, field: str, what: dict[str, Any], shown: str, *, who: Person | str | None) -> dict[str, Any]:
        """Call a mutation: `shown` is what to select of its success."""
        name = field[0].upper() + field[1:]
        query = (
            f"mutation($input: {name}Input!) {{ {field}(input: $input) {{ __typename "
            f"... on {name}Success {{ {shown} }} ... on UserError {{ message code path }} }} }}"
        )
        answer: dict[str, Any] = (await self.data(query, {"input": what}, who=who))[field]
        return answer

    async def person(self, role: Role, *, email: str | None = None, teams: tuple[Team, ...] = ()) -> Person:
        """Somebody with this role, signed in; without a password, for speed."""
        now = self.clock.now()
        user = User(id=new_id(), email=email or f"{new_id()}@example.com", role=role, created_at=now)
        session = Session(
            id=new_id(),
            user_id=user.id,
            refresh_digest=new_id().bytes,
            created_at=now,
            last_used_at=now,
            idle_expires_at=now + 365 * DAY,
            expires_at=now + 365 * DAY,
        )
        async with UnitOfWork(self.engine) as uow:
            digest = address_digest(user.email, self.settings.derived_key("email-hash"))
            assert await uow.users.add(user, email_digest=digest)
            await uow.sessions.add(session)
            for team in teams:
                await uow.users.put_member(Membership(team_id=team.id, user_id=user.id, role=role, created_at=now))
            await uow.commit()
        tokens = AccessTokens(self.settings.derived_key("access-token"), lifetime=365 * DAY)
        token, _ = tokens.sign(user_id=user.id, session_id=session.id, now=now)
        return Person(user.id, session.id, user.email, role, token)

    async def team(self, name: str, *, is_private: bool = False) -> Team:
        """A team."""
        team = Team(id=new_id(), name=name, slug=name.lower(), is_private=is_private, created_at=self.clock.now())
        async with UnitOfWork(self.engine) as uow:
            assert await uow.teams.add(team)
            await uow.commit()
        return team


class _GivenSettings(Settings):
    """What a test gives and the defaults: looking up two hundred variables takes longer than many a test's own work."""

    @classmethod
    def settings_customise_sources(  # as pydantic calls it
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def api_settings(database_url: str, data_dir: object, **more: object) -> Settings:
    """Settings of an application under test."""
    values = {"database_url": database_url, "data_dir": data_dir, "secret_key": SECRET, **more}
    return _GivenSettings.model_validate(values)


@asynccontextmanager
async def running_api(settings: Settings) -> AsyncIterator[Api]:
    """The application, opened; and closed after."""
    clock = MovableClock()
    with ExitStack() as patched:
        for name, quicker in (QUICK_HASHES | SHARED_SCHEMA).items():
            patched.enter_context(patch(name, quicker))
        app = create_app(settings, clock=clock)
    engine = create_engine(settings, pool_size=2)
    transport = httpx2.ASGITransport(app)
    try:
        async with (
            LifespanManager(app, startup_timeout=15, shutdown_timeout=15),
            httpx2.AsyncClient(transport=transport, base_url="http://tocsin.test") as http,
        ):
            yield Api(http=http, settings=settings, engine=engine, clock=clock, app=app, state=app.state)
    finally:
        await engine.dispose()
