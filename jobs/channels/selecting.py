"""Who runs the selection of a webhook? The schema, which senders do not know: the command that starts them says who."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy.ext.asyncio import AsyncEngine

from tocsin.settings import Settings


class Select(Protocol):
    """Reads fields of an alert."""

    async def __call__(self, selection: str, alert_id: UUID, *, team_id: UUID | None) -> Mapping[str, Any]:
        """The fields, with the sight of the team; TemplateFails when they cannot be had."""
        ...


MakeSelect: TypeAlias = Callable[[Settings, AsyncEngine], Select]
_provided: list[MakeSelect] = []
# One for each engine, for as long as it lives.
_made: WeakKeyDictionary[AsyncEngine, Select] = WeakKeyDictionary()


def provide(make: MakeSelect) -> None:
    """Say who runs selections in this process. `make` is called when the first channel with one is sent to."""
    _provided[:] = [make]
    _made.clear()


def select_by(settings: Settings, engine: AsyncEngine) -> Select | None:
    """Who runs them; None where nobody was provided."""
    if not _provided:
        return None

    async def select(selection: str, alert_id: UUID, *, team_id: UUID | None) -> Mapping[str, Any]:
        if engine not in _made:
            _made[engine] = _provided[0](settings, engine)
        return await _made[engine](selection, alert_id, team_id=team_id)

    return select
