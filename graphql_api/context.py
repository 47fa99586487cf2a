"""What may a resolver see? One context an operation: who asks, for which request, and through which ports.

A socket holds many operations and outlives roles and caches: each operation gets a context of its own, and a
subscription calls `renew()` before each event, so no loader serves yesterday's rows.
"""

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar
from uuid import UUID

import strawberry
from graphql import GraphQLError
from sqlalchemy.ext.asyncio import AsyncConnection
from strawberry.dataloader import DataLoader

from domain.access.rates import Verdict
from domain.alerts.events import Actor, ActorKind
from domain.alerts.submission import Ingest
from domain.audit.model import AuditEntry, AuditOutcome
from domain.errors import Unauthenticated
from domain.identity.model import Viewer
from domain.ids import new_id
from graphql_api.access.limiting import refusal
from graphql_api.audit.noted import Noted
from graphql_api.identity.cookies import SessionCookies
from graphql_api.live.course import Course
from graphql_api.standing import obstacle
from graphql_api.state import AppState
from persistence.unit_of_work import UnitOfWork
from tocsin.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

Key = TypeVar("Key")
Value = TypeVar("Value")
BatchLoad: TypeAlias = "Callable[[Context, list[Key]], Awaitable[Sequence[Value]]]"


class Unknown(Enum):
    """What a loader was not asked for yet."""

    UNKNOWN = auto()


class _Loader(DataLoader[Key, Value]):
    """One whose answers are waited for by several fields. A field that is given up takes none from the others.

    When an error empties what is around it, the fields beside it are cancelled, and with a field what it waits for.
    What others wait for as well would be cancelled under them, and end the whole request without an answer.
    """

    def load(self, key: Key) -> "Awaitable[Value]":
        """As the loader's own, for this field alone."""
        return asyncio.shield(super().load(key))

    def known(self, key: Key) -> Value | Unknown:
        """What was loaded of the key, at once: who need not wait need not be a task."""
        answer = self.cache_map.get(key)
        if answer is None or not answer.done() or answer.cancelled() or answer.exception() is not None:
            return Unknown.UNKNOWN
        return answer.result()


@dataclass(kw_only=True)
class Context:
    """The operation's surroundings. No database session lives here: a read or a change opens a short one of its own.

    `credential_problem` says why a token that was sent does not count ("expired"): the field that needs a viewer
    answers with it.
    """

    state: AppState
    viewer: Viewer | None = None
    request_id: str = ""
    ip: str | None = None
    user_agent: str | None = None
    credential_problem: str | None = None
    # The client asked what its operation costs (`X-Tocsin-Cost`).
    wants_cost: bool = False
    # There when the answer carries the session in cookies: graphql_api/identity/cookies.py.
    cookies: SessionCookies | None = None
    # Whether one HTTP answer is all that follows: credentials are given and taken by nothing else.
    over_http: bool = True
    # What the operation costs, and what the rate limits said of it.
    cost: int = 0
    rates: list[Verdict] = field(default_factory=list)
    # The root field, once the operation ran: for the log.
    operation: str | None = None
    # What belongs on the audit log before the answer leaves: graphql_api/audit/recording.py.
    noted: Noted = field(default_factory=Noted)
    # How a subscription runs; see graphql_api/live/groups.py.
    course: Course | None = None
    _loaders: dict[object, _Loader[Any, Any]] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        """The process's settings."""
        return self.state.settings

    @property
    def ingest(self) -> Ingest:
        """The one way in for signals."""
        if self.state.ingest is None:
            message = "the ingest queue is not open"
            raise RuntimeError(message)
        return self.state.ingest

    def now(self) -> datetime:
        """The current time, UTC."""
        return self.state.clock.now()

    def uow(self) -> UnitOfWork:
        """One change: a transaction of its own."""
        return self.state.uow()

    def read(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A short connection for one read, `async with context.read() as connection`; never held across a yield."""
        return self.state.reads.connect()

    def require_viewer(self, field: str | None = None) -> Viewer:
        """Who is signed in; Unauthenticated when nobody is.

        A session that has yet to prove or to add a second factor is answered nothing but the fields that do so; one of
        them names itself (graphql_api/standing.py).
        """
        if self.viewer is None:
            raise Unauthenticated(self.credential_problem or "sign in first: this needs a valid access token")
        in_the_way = obstacle(self.viewer, self.settings, field)
        if in_the_way is not None:
            raise in_the_way
        return self.viewer

    async def look_at_viewer_anew(self) -> None:
        """Read the viewer again, for the rest of an operation that changed what the session proved."""
        if self.viewer is not None:
            self.viewer = await self.state.viewers.viewer(self.viewer.session_id)

    @property
    def actor(self) -> Actor:
        """Who acts, for events."""
        return self.require_viewer().actor

    async def spend(self, cost: int) -> GraphQLError | None:
        """Spend what the operation costs; the refusal when its caller asks for too much."""
        self.cost = cost
        self.rates = await self.state.operation_limits.spend(self.viewer, self.ip, cost)
        return refusal(self.rates)

    def loader(self, load: "BatchLoad[Key, Value]") -> _Loader[Key, Value]:
        """The operation's loader for a batch function: keys asked for in one tick become one call."""
        known = self._loaders.get(load)
        if known is None:

            async def batch(keys: list[Key]) -> list[Any]:
                return list(await load(self, keys))

            known = self._loaders[load] = _Loader(load_fn=batch)
        return known

    def renew(self) -> None:
        """Forget what was loaded; a subscription calls it before each event."""
        self._loaders.clear()

    def audit_entry(
        self,
        action: str,
        *,
        target_kind: str | None = None,
        target_id: UUID | None = None,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
        outcome: AuditOutcome = AuditOutcome.DONE,
    ) -> AuditEntry:
        """An audit entry of this request by its viewer; append it in the change's own transaction."""
        viewer = self.viewer
        return AuditEntry(
            id=new_id(),
            occurred_at=self.now(),
            actor_kind=viewer.actor.kind if viewer else ActorKind.SYSTEM,
            actor_id=viewer.actor.id if viewer else None,
            session_id=viewer.session_id if viewer else None,
            ip_address=self.ip,
            action=action,
            outcome=outcome,
            target_kind=target_kind,
            target_id=target_id,
            before=before,
            after=after,
            request_id=self.request_id or None,
        )


# Annotate every resolver's `info` with it.
Info: TypeAlias = strawberry.Info[Context, None]
