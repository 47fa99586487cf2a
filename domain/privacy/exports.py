"""What is an export of what is kept about a person? Asked for, made by a job, there for a while, then gone.

It is kept sealed under the person's own key, so it is erased with them wherever a copy of the file went.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from domain.identity.model import Role
from domain.ids import new_id

# A job that dies again and again is not begun for ever.
MAX_ATTEMPTS = 5
# Who asks again within this time gets the one there is: an export reads all that a person ever did.
PACE = timedelta(hours=1)


class ExportState(StrEnum):
    """Where an export is in its life."""

    WAITING = "waiting"
    READY = "ready"
    FAILED = "failed"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataExport:
    """An export. `requested_by` is the person, or the administrator who does it on their request."""

    id: UUID
    user_id: UUID
    requested_by: UUID
    requested_at: datetime
    state: ExportState = ExportState.WAITING
    attempts: int = 0
    finished_at: datetime | None = None
    expires_at: datetime | None = None
    object_key: str | None = None
    size_bytes: int | None = None

    def state_at(self, now: datetime) -> ExportState:
        """The state as time has it: the file of one that is past its time counts as gone before it is."""
        is_over = self.expires_at is not None and self.expires_at <= now
        return ExportState.EXPIRED if self.state is ExportState.READY and is_over else self.state


def may_have(export: DataExport, *, viewer_id: UUID, role: Role) -> bool:
    """Whether this viewer may see and fetch it: whose data it is, and the administrator who asked for it."""
    return export.user_id == viewer_id or (role is Role.ADMIN and export.requested_by == viewer_id)


class DataExports(Protocol):
    """Exports, inside one transaction."""

    async def newest(self, *, user_id: UUID, requested_by: UUID) -> DataExport | None:
        """The newest one for this pair that is being made or ready. Two requests at once take turns."""
        ...

    async def add(self, export: DataExport) -> None:
        """Write a new one."""
        ...


async def ask_for_export(
    exports: DataExports, *, user_id: UUID, requested_by: UUID, now: datetime
) -> tuple[DataExport, bool]:
    """The export, and whether it was asked for just now: who asks again soon, or while one is made, gets that one."""
    known = await exports.newest(user_id=user_id, requested_by=requested_by)
    if known is not None and (known.state is ExportState.WAITING or known.requested_at > now - PACE):
        return known, False
    export = DataExport(id=new_id(), user_id=user_id, requested_by=requested_by, requested_at=now)
    await exports.add(export)
    return export, True
