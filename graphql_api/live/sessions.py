"""Whose sockets must end, and who does a long stream belong to now? All watched sessions are looked at together.

A socket or a stream outlives what was true when it began: the session may be revoked, a role or a team change. One
statement every two seconds reads all of them anew, however many there are.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.identity.model import Viewer
from domain.ports import Clock
from persistence.key_viewers import viewers_of_keys
from persistence.sessions import viewers_of_sessions
from persistence.tasks import end_tasks

if TYPE_CHECKING:
    from uuid import UUID

_log = structlog.get_logger(__name__)
LOOK_SECONDS = 2.0
TROUBLE = (OSError, TimeoutError, sa.exc.SQLAlchemyError)


@dataclass(slots=True, kw_only=True)
class Watched:
    """A session as it was last seen; `ended` is set once, for good."""

    viewer: Viewer
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    watchers: int = 0
    # Called when the viewer was read anew, and at the end.
    listeners: set[Callable[[], None]] = field(default_factory=set)


class SessionWatch:
    """The sessions of this process's sockets and streams."""

    def __init__(self, reads: AsyncEngine, clock: Clock) -> None:
        self._reads, self._clock = reads, clock
        self._watched: dict[UUID, Watched] = {}
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._look_for_ever(), name="session watch")

    async def close(self) -> None:
        """Stop looking."""
        if self._task is not None:
            await end_tasks([self._task])

    @contextmanager
    def watching(self, viewer: Viewer) -> Iterator[Watched]:
        """The viewer's session, kept up to date while the block runs."""
        watched = self.watch(viewer)
        try:
            yield watched
        finally:
            self.unwatch(watched)

    def watch(self, viewer: Viewer) -> Watched:
        """The viewer's session, kept up to date until `unwatch`."""
        watched = self._watched.get(viewer.session_id)
        if watched is None:
            watched = self._watched[viewer.session_id] = Watched(viewer=viewer)
        watched.watchers += 1
        return watched

    def unwatch(self, watched: Watched) -> None:
        """One who watched does no longer."""
        session_id = watched.viewer.session_id
        watched.watchers -= 1
        if not watched.watchers and self._watched.get(session_id) is watched:
            del self._watched[session_id]

    async def _look_for_ever(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except TROUBLE as error:
                # Sockets stay while the database is away: what they could show comes from it.
                _log.warning("sessions cannot be looked at", error=repr(error))

    async def look(self) -> None:
        """Read all watched sessions anew."""
        looked_at = dict(self._watched)
        if not looked_at:
            return
        # What a request came with: a session, or an API key.
        keys = [one for one, watched in looked_at.items() if watched.viewer.grant is not None]
        sessions, now = looked_at.keys() - set(keys), self._clock.now()
        async with self._reads.connect() as connection:
            viewers = await viewers_of_sessions(connection, list(sessions), now=now) if sessions else {}
            if keys:
                viewers |= await viewers_of_keys(connection, keys, now=now)
        for session_id, watched in looked_at.items():
            viewer = viewers.get(session_id)
            if viewer is not None:
                watched.viewer = viewer
            else:
                watched.ended.set()
                # A later sign-in is another session; nobody may find this one alive again.
                self._watched.pop(session_id, None)
            for listener in list(watched.listeners):
                listener()
