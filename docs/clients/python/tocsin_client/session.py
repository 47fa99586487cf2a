"""Who are we? A sign-in whose access token is renewed before it ends, and a way to ask as that person."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Self, TypeVar

from gql import Client
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.exceptions import TransportConnectionFailed, TransportQueryError, TransportServerError

from .models import (
    REFRESH,
    SIGN_IN,
    LoginInput,
    RefreshRefreshSessionSuccess,
    RefreshSessionInput,
    RefreshVariables,
    SignInLoginSuccess,
    SignInVariables,
)
from .operation import Input, Model, Operation

V = TypeVar("V", bound=Input)
R = TypeVar("R", bound=Model)
# Renewed this long before it ends, since a request is on its way for a while.
EARLY = timedelta(seconds=30)
WAIT_SECONDS = 1.0
# What time mends: the database is away, or too much was asked within a minute; as an answer, or as a status.
PASSING = {"OVERLOADED", "RATE_LIMITED", "TIMEOUT"}
PASSING_STATUS = {429, 502, 503, 504}


class Refused(Exception):
    """The API's answer is one of its errors; the text is for people."""


class Session:
    """A signed-in person. The refresh token is good once: two programs need two sessions."""

    def __init__(self, url: str, signed_in: SignInLoginSuccess | RefreshRefreshSessionSuccess) -> None:
        self.url = url
        self._tokens = signed_in

    @classmethod
    async def sign_in(cls, url: str, *, email: str, password: str) -> Self:
        """Begin a session."""
        variables = SignInVariables(input=LoginInput(email=email, password=password))
        answer = (await _ask(url, SIGN_IN, variables, {})).login
        if not isinstance(answer, SignInLoginSuccess):
            raise Refused(answer.message)
        return cls(url, answer)

    async def authorization(self) -> str:
        """The header's value, with a token that still lives."""
        if datetime.now(tz=UTC) > self._tokens.expires_at - EARLY:
            given = RefreshSessionInput(refresh_token=self._tokens.refresh_token)
            answer = (await _ask(self.url, REFRESH, RefreshVariables(input=given), {})).refresh_session
            if not isinstance(answer, RefreshRefreshSessionSuccess):
                raise Refused(answer.message)
            self._tokens = answer
        return f"Bearer {self._tokens.access_token}"

    async def ask(self, operation: Operation[V, R], variables: V) -> R:
        """Run a query or a mutation."""
        return await _ask(self.url, operation, variables, {"Authorization": await self.authorization()})

    async def read(self, query: Operation[V, R], variables: V) -> R:
        """Run a query, again and again while the server is away or says that it cannot just now."""
        while True:
            try:
                return await self.ask(query, variables)
            except TransportQueryError as error:
                raise_unless_passing(error)
            except TransportServerError as error:
                if error.code not in PASSING_STATUS:
                    raise
            except (OSError, TransportConnectionFailed):
                pass
            await asyncio.sleep(WAIT_SECONDS)


def raise_unless_passing(error: TransportQueryError) -> None:
    """An answer of errors: of our mistakes or of the session's end, which nothing mends, or of what passes."""
    codes = {(one.get("extensions") or {}).get("code") for one in error.errors or ()}
    if not codes or not codes <= PASSING:
        raise Refused(str(error)) from error


async def _ask(url: str, operation: Operation[V, R], variables: V, headers: dict[str, str]) -> R:
    transport = AIOHTTPTransport(url=f"{url}/graphql", headers=headers)
    async with Client(transport=transport) as client:
        return operation.read(await client.execute(operation.request(variables)))
