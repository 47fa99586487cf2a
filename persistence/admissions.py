"""Where do people wait who have not proved their address? One row an address; what they told us is sealed."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.identity.admissions import Admission, AdmissionKind
from domain.identity.model import Role
from persistence.sealing import Sealer, sealer_of
from persistence.tables import admissions

PERSON = "admissions.person"
_SEALED = ("email", "first_name", "last_name", "password_hash")
_TABLE = admissions


class AdmissionRepository:
    """People at the door, inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def by_address(self, email_digests: Sequence[bytes]) -> Admission | None:
        """The one with this address, be it too old; locked until the transaction ends."""
        statement = sa.select(_TABLE).where(_TABLE.c.email_digest.in_(email_digests)).with_for_update()
        return await self._one(statement)

    async def put(self, admission: Admission) -> None:
        """Keep it, in the place of an older one of the address."""
        told = {name: getattr(admission, name) for name in _SEALED}
        sealer = sealer_of(self._connection)
        values = {
            "id": admission.id,
            "kind": admission.kind.value,
            "email_digest": admission.email_digest,
            "person": sealer.seal(orjson.dumps(told).decode(), column=PERSON, row=admission.id),
            "role": admission.role.value,
            "team_id": admission.team_id,
            "invited_by": admission.invited_by,
            "digest": admission.digest,
            "issued_at": admission.issued_at,
            "expires_at": admission.expires_at,
            "issues": admission.issues,
        }
        statement = insert(_TABLE).values(values)
        changed = {name: statement.excluded[name] for name in values if name != "email_digest"}
        await self._connection.execute(statement.on_conflict_do_update(index_elements=["email_digest"], set_=changed))

    async def find(self, digest: bytes, *, now: datetime) -> Admission | None:
        """The one whose link has this digest and still works."""
        return await self._one(sa.select(_TABLE).where(_TABLE.c.digest == digest, _TABLE.c.expires_at > now))

    async def use(self, digest: bytes, *, now: datetime) -> Admission | None:
        """The same, and it is gone. The second of two at once waits for the row, and finds it gone."""
        return await self._one(
            sa.delete(_TABLE).where(_TABLE.c.digest == digest, _TABLE.c.expires_at > now).returning(*_TABLE.c)
        )

    async def remove(self, admission_id: UUID) -> Admission | None:
        """Take it back; what it was."""
        return await self._one(sa.delete(_TABLE).where(_TABLE.c.id == admission_id).returning(*_TABLE.c))

    async def _one(self, statement: sa.Executable) -> Admission | None:
        row = (await self._connection.execute(statement)).mappings().one_or_none()
        return None if row is None else _admission_of(row, sealer_of(self._connection))


async def admissions_by_ids(connection: AsyncConnection, ids: Sequence[UUID]) -> list[Admission | None]:
    """People at the door in the order of their ids; None where there is nobody any more."""
    sealer = sealer_of(connection)
    rows = await connection.execute(sa.select(_TABLE).where(_TABLE.c.id.in_(ids)))
    found = {row["id"]: _admission_of(row, sealer) for row in rows.mappings()}
    return [found.get(admission_id) for admission_id in ids]


async def page_of_invitations(
    connection: AsyncConnection, *, now: datetime, limit: int, after: UUID | None, before: UUID | None, backward: bool
) -> list[Admission]:
    """Up to `limit + 1` open invitations, the newest first (ids are UUIDv7); in reverse when `backward`."""
    statement = sa.select(_TABLE).where(_is_open(now)).limit(limit + 1)
    statement = statement.order_by(_TABLE.c.id if backward else _TABLE.c.id.desc())
    if after is not None:
        statement = statement.where(_TABLE.c.id < after)
    if before is not None:
        statement = statement.where(_TABLE.c.id > before)
    sealer = sealer_of(connection)
    return [_admission_of(row, sealer) for row in (await connection.execute(statement)).mappings()]


async def count_invitations(connection: AsyncConnection, *, now: datetime) -> int:
    """How many invitations are open."""
    return await connection.scalar(sa.select(sa.func.count()).select_from(_TABLE).where(_is_open(now))) or 0


def _is_open(now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(_TABLE.c.kind == AdmissionKind.INVITATION.value, _TABLE.c.expires_at > now)


def _admission_of(row: sa.RowMapping, sealer: Sealer) -> Admission:
    told = orjson.loads(sealer.unseal(row["person"], column=PERSON, row=row["id"]))
    return Admission(
        id=row["id"],
        kind=AdmissionKind(row["kind"]),
        email_digest=row["email_digest"],
        role=Role(row["role"]),
        team_id=row["team_id"],
        invited_by=row["invited_by"],
        digest=row["digest"],
        issued_at=row["issued_at"],
        expires_at=row["expires_at"],
        issues=row["issues"],
        **told,
    )
