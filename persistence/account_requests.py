"""Where do strangers' requests wait for their answer? Rows that are gone once they are answered; whose, is sealed."""

import orjson
import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.identity.admissions import AccountRequest, RequestKind
from persistence.sealing import CannotUnseal, Sealer, sealer_of
from persistence.tables import account_requests

_log = structlog.get_logger(__name__)
DETAILS = "account_requests.details"
_SEALED = ("email", "first_name", "last_name", "password_hash")
_TABLE = account_requests


class AccountRequestRepository:
    """Requests, inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, request: AccountRequest) -> None:
        """Keep it until it is answered."""
        told = {name: getattr(request, name) for name in _SEALED}
        values = {
            "id": request.id,
            "kind": request.kind.value,
            "details": sealer_of(self._connection).seal(orjson.dumps(told).decode(), column=DETAILS, row=request.id),
            "asked_at": request.asked_at,
            "ip_address": request.ip_address,
            "request_id": request.request_id,
        }
        await self._connection.execute(sa.insert(_TABLE).values(values))

    async def take_oldest(self) -> AccountRequest | None:
        """The oldest that nobody else is at; it is gone with the commit, and so is one that cannot be read."""
        oldest = sa.select(_TABLE.c.id).order_by(_TABLE.c.asked_at, _TABLE.c.id).limit(1)
        taken = (
            sa.delete(_TABLE)
            .where(_TABLE.c.id == oldest.with_for_update(skip_locked=True).scalar_subquery())
            .returning(*_TABLE.c)
        )
        while (row := (await self._connection.execute(taken)).mappings().one_or_none()) is not None:
            try:
                return _request_of(row, sealer_of(self._connection))
            except CannotUnseal:
                _log.warning("a request cannot be read and is dropped", request=str(row["id"]))
        return None


def _request_of(row: sa.RowMapping, sealer: Sealer) -> AccountRequest:
    told = orjson.loads(sealer.unseal(row["details"], column=DETAILS, row=row["id"]))
    return AccountRequest(
        id=row["id"],
        kind=RequestKind(row["kind"]),
        asked_at=row["asked_at"],
        ip_address=None if row["ip_address"] is None else str(row["ip_address"]),
        request_id=row["request_id"],
        **told,
    )
