"""Who reads the alert of an event for several groups? The first that comes to it; the others of the same sight wait."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from uuid import UUID

from domain.alerts.model import Alert
from domain.alerts.visibility import Sight

# Groups run side by side, so few events are in work at once. One that is older is read anew: it may have changed, or be
# no longer for these eyes.
KEPT = 64
KEPT_SECONDS = 1.0
_Read = tuple[float, asyncio.Task[Alert | None]]


class AlertMemo:
    """The alerts of the newest events, by how far the viewer sees."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[Sight, UUID], _Read] = OrderedDict()

    async def alert(self, sight: Sight, event_id: UUID, read: Callable[[], Awaitable[Alert | None]]) -> Alert | None:
        """The event's alert, read once; a read that failed is nobody's answer twice."""
        key, now = (sight, event_id), asyncio.get_running_loop().time()
        known = self._known.get(key)
        if known is None or now - known[0] > KEPT_SECONDS:
            known = self._known[key] = (now, asyncio.ensure_future(_of(read)))
            self._known.move_to_end(key)
            if len(self._known) > KEPT:
                self._known.popitem(last=False)
        try:
            # A group that ends in the middle must not take the others' answer with it.
            return await asyncio.shield(known[1])
        except Exception:
            if self._known.get(key) is known:
                del self._known[key]
            raise

    def clear(self) -> None:
        """Read everything anew: what may be seen has changed."""
        self._known.clear()


async def _of(read: Callable[[], Awaitable[Alert | None]]) -> Alert | None:
    return await read()
