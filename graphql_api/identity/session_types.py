"""How are sign-ins shown? To their owner and to administrators: when, from where, on what device."""

from datetime import datetime
from uuid import UUID

import strawberry

from domain.errors import Forbidden
from domain.identity import model
from domain.identity import sessions as kept
from domain.identity.devices import device_name
from graphql_api.connection import After, Before, Connection, Cursors, First, Last, connection, page_request
from graphql_api.context import Info
from graphql_api.exposes import exposes
from persistence.sessions import count_sessions, page_of_sessions

_BY_CREATION: Cursors[tuple[UUID]] = Cursors("sessions", tuple[UUID])


def _device(root: strawberry.Parent[kept.Session]) -> str | None:
    return device_name(root.user_agent)


def _is_current(root: strawberry.Parent[kept.Session], info: Info) -> bool:
    return root.id == info.context.require_viewer().session_id


def _ends_at(root: strawberry.Parent[kept.Session]) -> datetime:
    return min(root.idle_expires_at, root.expires_at)


@exposes(kept.Session, description="A sign-in that lasts: a browser, an app or a script.")
class Session:
    """See domain.identity.sessions.Session. Its tokens are shown nowhere."""

    id: strawberry.ID = strawberry.field(description="The session's id.")
    created_at: datetime = strawberry.field(description="When the person signed in.")
    last_used_at: datetime = strawberry.field(
        description="When it was last refreshed; it may have been used for an access token's life after that."
    )
    ends_at = strawberry.field(
        resolver=_ends_at, graphql_type=datetime, description="When it ends if it is not refreshed again."
    )
    expires_at: datetime = strawberry.field(description="When it ends however busy it is.")
    device = strawberry.field(
        resolver=_device,
        graphql_type=str | None,
        description="The browser and system by the client's own word, such as `Firefox on Linux`.",
    )
    user_agent: str | None = strawberry.field(description="The client's own word, as it was sent.")
    ip_address: str | None = strawberry.field(description="Where it was last refreshed from.")
    is_current = strawberry.field(
        resolver=_is_current, graphql_type=bool, description="Whether this very request uses it."
    )


async def page_of(
    info: Info, user_id: UUID, *, first: int | None, after: str | None, last: int | None, before: str | None
) -> Connection[kept.Session]:
    """A page of a person's living sessions, the newest first."""
    context = info.context
    request = page_request(_BY_CREATION, first=first, after=after, last=last, before=before)
    async with context.read() as database:
        rows = await page_of_sessions(
            database,
            user_id,
            now=context.now(),
            limit=request.limit,
            after=request.after and request.after[0],
            before=request.before and request.before[0],
            backward=request.backward,
        )

    async def count() -> int:
        async with context.read() as database:
            return await count_sessions(database, user_id, now=context.now())

    return connection(rows, request, cursors=_BY_CREATION, key=lambda session: (session.id,), count=count)


async def sessions_of_person(
    root: strawberry.Parent[model.User],
    info: Info,
    *,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Connection[kept.Session]:
    """One's own, or anybody's for an administrator: where a person signs in from is nobody else's to know."""
    viewer = info.context.require_viewer()
    if viewer.user_id != root.id and viewer.role is not model.Role.ADMIN:
        raise Forbidden("a person's sessions are shown to that person and to administrators")
    return await page_of(info, root.id, first=first, after=after, last=last, before=before)


@strawberry.type
class SessionQueries:
    """Mixed into Query."""

    @strawberry.field(
        description="Your own sessions that have not ended, the newest first.", graphql_type=Connection[Session]
    )
    async def sessions(
        self, info: Info, *, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[kept.Session]:
        """A page of one's own."""
        user_id = info.context.require_viewer().user_id
        return await page_of(info, user_id, first=first, after=after, last=last, before=before)
