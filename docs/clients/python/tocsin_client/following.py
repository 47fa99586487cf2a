"""How is every event had once, over lost connections? By the cursor of the last one, given as `after` each time."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from gql import Client
from gql.transport.exceptions import (
    TransportClosed,
    TransportConnectionFailed,
    TransportQueryError,
    TransportServerError,
)
from gql.transport.websockets import WebsocketsTransport
from msgspec import UNSET, UnsetType
from websockets.exceptions import ConnectionClosed, WebSocketException

from .models import FOLLOW, AlertFilter, FollowAlertEvent, FollowAlertLeftView, FollowStreamReset, FollowVariables
from .session import WAIT_SECONDS, Refused, Session, raise_unless_passing

REMEMBERED = 1000
LOST = (OSError, ConnectionClosed, WebSocketException, TransportClosed, TransportConnectionFailed, TransportServerError)
# The server's words for "do not come back like this": the protocol was broken, the session has ended, nobody like that.
FINAL_CODES = {4400, 4401, 4403}


async def follow(
    session: Session, *, after: str, wanted: AlertFilter | None = None
) -> AsyncIterator[FollowAlertEvent | FollowAlertLeftView | FollowStreamReset]:
    """Each event once and in order, for ever; a StreamReset says that the lists have to be read anew."""
    seen: deque[str] = deque(maxlen=REMEMBERED)
    while True:
        try:
            async with aclosing(_once(session, wanted, after)) as items:
                async for item in items:
                    if isinstance(item, FollowStreamReset):
                        after = item.resume_after
                        yield item
                        break
                    if isinstance(item, FollowAlertEvent) and item.id in seen:
                        continue
                    if isinstance(item, FollowAlertEvent):
                        seen.append(item.id)
                    yield item
                    # Dealt with by now: a program that keeps its cursor on disk writes it here.
                    after = item.cursor
        except TransportQueryError as error:
            raise_unless_passing(error)
        except LOST as error:
            code = _close_code(error)
            if code in FINAL_CODES:
                raise Refused(f"the server closed the socket with {code}") from error
        # Also after a stream that ended by itself: who comes back at once, again and again, is a flood.
        await asyncio.sleep(WAIT_SECONDS)


async def _once(
    session: Session, wanted: AlertFilter | None, after: str
) -> AsyncGenerator[FollowAlertEvent | FollowAlertLeftView | FollowStreamReset]:
    """One connection's events."""
    transport = WebsocketsTransport(
        url=f"{session.url.replace('http', 'ws', 1)}/graphql",
        subprotocols=[WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL],
        init_payload={"authorization": await session.authorization()},
        # Answered pings: how a dead connection is told from a quiet one.
        ping_interval=20,
        pong_timeout=10,
    )
    given: AlertFilter | UnsetType = UNSET if wanted is None else wanted
    variables = FollowVariables(filter=given, after=after)
    async with Client(transport=transport) as client:
        async for data in client.subscribe(FOLLOW.request(variables)):
            yield FOLLOW.read(data).alert_events


def _close_code(error: BaseException | None) -> int | None:
    """The code the socket was closed with, wherever the library has put it."""
    while error is not None:
        if isinstance(error, ConnectionClosed):
            return error.rcvd.code if error.rcvd else None
        error = error.__cause__
    return None
