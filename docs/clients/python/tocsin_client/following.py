"""How is every event had once, over lost connections? By the cursor of the last one, given as `after` each time."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from gql import Client
from gql.transport.exceptions import TransportClosed, TransportConnectionFailed, TransportServerError
from gql.transport.websockets import WebsocketsTransport
from msgspec import UNSET, UnsetType
from websockets.exceptions import ConnectionClosed, WebSocketException

from .models import FOLLOW, AlertFilter, FollowAlertEvent, FollowAlertLeftView, FollowStreamReset, FollowVariables
from .session import Refused, Session

WAIT_SECONDS = 1.0
REMEMBERED = 1000
LOST = (OSError, ConnectionClosed, WebSocketException, TransportClosed, TransportConnectionFailed, TransportServerError)
# The server's words for "do not come back like this": the protocol was broken, the session has ended, nobody like that.
FINAL_CODES = {4400, 4401, 4403}


async def follow(
    session: Session, *, wanted: AlertFilter | None = None, after: str | None = None
) -> AsyncIterator[FollowAlertEvent | FollowStreamReset]:
    """Each event once and in order, for ever; a StreamReset says that the lists have to be read anew."""
    seen: deque[str] = deque(maxlen=REMEMBERED)
    while True:
        try:
            async for item in _once(session, wanted, after):
                if isinstance(item, FollowStreamReset):
                    after = item.resume_after
                    yield item
                    break
                if isinstance(item, FollowAlertLeftView):
                    continue  # a program that shows a list takes the alert from it
                after = item.cursor
                if item.id not in seen:
                    seen.append(item.id)
                    yield item
        except LOST as error:
            code = _close_code(error)
            if code in FINAL_CODES:
                raise Refused(f"the server closed the socket with {code}") from error
            await asyncio.sleep(WAIT_SECONDS)


async def _once(
    session: Session, wanted: AlertFilter | None, after: str | None
) -> AsyncIterator[FollowAlertEvent | FollowAlertLeftView | FollowStreamReset]:
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
    variables = FollowVariables(filter=given, after=UNSET if after is None else after)
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
