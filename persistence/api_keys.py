"""Where are service accounts and keys kept? Rows of three tables; never a key, only its keyed digest."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.access.model import ApiKey, ServiceAccount
from domain.access.networks import checked_networks
from domain.access.scopes import Scope
from domain.identity.model import Role
from persistence.tables import api_keys, service_account_teams, service_accounts, teams
from persistence.unless_taken import write_unless_taken

_TEAM_IDS = (
    sa.select(sa.func.coalesce(sa.func.array_agg(service_account_teams.c.team_id), sa.text("'{}'::uuid[]")))
    .where(service_account_teams.c.service_account_id == service_accounts.c.id)
    .scalar_subquery()
    .label("team_ids")
)
# Without the digest: nothing that reads a key needs it.
_KEY = tuple(column for column in api_keys.c if column.name != "digest")


class AccessRepository:
    """Service accounts and keys, inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add_account(self, account: ServiceAccount) -> bool:
        """Write a new account; False when its name is taken."""
        values = {
            "id": account.id,
            "name": account.name,
            "role": account.role.value,
            "created_at": account.created_at,
            "created_by": account.created_by,
            "version": account.version,
        }
        statement = pg.insert(service_accounts).values(values).on_conflict_do_nothing(index_elements=["name"])
        if (await self._connection.execute(statement)).rowcount != 1:
            return False
        await self._put_teams(account.id, account.team_ids)
        return True

    async def _put_teams(self, account_id: UUID, team_ids: Iterable[UUID]) -> None:
        rows = [{"service_account_id": account_id, "team_id": team_id} for team_id in sorted(team_ids)]
        if rows:
            await self._connection.execute(sa.insert(service_account_teams), rows)

    async def locked_account(self, account_id: UUID) -> ServiceAccount | None:
        """The account, locked until the transaction ends; None when there is none, or it is archived."""
        statement = (
            sa.select(*service_accounts.c, _TEAM_IDS)
            .where(service_accounts.c.id == account_id, service_accounts.c.archived_at.is_(None))
            .with_for_update()
        )
        row = (await self._connection.execute(statement)).mappings().one_or_none()
        return None if row is None else account_of(row)

    async def save_account(self, account: ServiceAccount) -> bool:
        """Write what an edit changed; False when its new name is taken."""
        table = service_accounts
        values = {
            "name": account.name,
            "role": account.role.value,
            "archived_at": account.archived_at,
            "version": account.version,
        }
        statement = sa.update(table).where(table.c.id == account.id).values(values)
        if not await write_unless_taken(self._connection, statement, unique="uq_service_accounts_name"):
            return False
        belongs = service_account_teams.c.service_account_id == account.id
        await self._connection.execute(sa.delete(service_account_teams).where(belongs))
        await self._put_teams(account.id, account.team_ids)
        return True

    async def missing_teams(self, team_ids: frozenset[UUID]) -> frozenset[UUID]:
        """Those that are no team, or an archived one."""
        if not team_ids:
            return frozenset()
        statement = sa.select(teams.c.id).where(teams.c.id.in_(sorted(team_ids)), teams.c.archived_at.is_(None))
        return team_ids - frozenset(await self._connection.scalars(statement))

    async def lock_keys_of(self, owner_id: UUID) -> None:
        """Let nobody else add keys of the owner until the transaction ends."""
        lock = sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(f"api_keys:{owner_id}", 0))
        await self._connection.execute(sa.select(lock))

    async def keys_of(self, owner_id: UUID) -> Sequence[ApiKey]:
        """The keys of an account or a person, the newest first."""
        return (await keys_of_owners(self._connection, [owner_id]))[0]

    async def locked_key(self, key_id: UUID) -> ApiKey | None:
        """The key, locked until the transaction ends."""
        statement = sa.select(*_KEY).where(api_keys.c.id == key_id).with_for_update()
        row = (await self._connection.execute(statement)).mappings().one_or_none()
        return None if row is None else key_of(row)

    async def add_key(self, key: ApiKey, *, digest: bytes) -> None:
        """Write a new key."""
        values = {
            "id": key.id,
            "name": key.name,
            "prefix": key.prefix,
            "digest": digest,
            "scopes": sorted(scope.value for scope in key.scopes),
            "service_account_id": key.service_account_id,
            "user_id": key.user_id,
            "document_hash": key.document_hash,
            "networks": [str(network) for network in key.networks],
            "created_at": key.created_at,
            "created_by": key.created_by,
            "expires_at": key.expires_at,
        }
        await self._connection.execute(sa.insert(api_keys).values(values))

    async def end_key(self, key: ApiKey) -> None:
        """Write how a key ends."""
        ending = {"expires_at": key.expires_at, "revoked_at": key.revoked_at, "replaced_by": key.replaced_by}
        await self._connection.execute(sa.update(api_keys).where(api_keys.c.id == key.id).values(ending))

    async def revoke_all(self, owner_id: UUID, *, now: datetime) -> int:
        """Revoke every live key of an owner; how many those were."""
        statement = (
            sa.update(api_keys)
            .where(_of_owners([owner_id]), api_keys.c.revoked_at.is_(None), api_keys.c.expires_at > now)
            .values(revoked_at=now)
        )
        return (await self._connection.execute(statement)).rowcount


def _of_owners(owner_ids: Sequence[UUID]) -> sa.ColumnElement[bool]:
    return sa.or_(api_keys.c.service_account_id.in_(owner_ids), api_keys.c.user_id.in_(owner_ids))


async def keys_of_owners(connection: AsyncConnection, owner_ids: Sequence[UUID]) -> list[list[ApiKey]]:
    """The keys of each account or person, the newest first (ids are UUIDv7)."""
    statement = sa.select(*_KEY).where(_of_owners(list(owner_ids))).order_by(api_keys.c.id.desc())
    found: dict[UUID, list[ApiKey]] = {owner_id: [] for owner_id in owner_ids}
    for row in (await connection.execute(statement)).mappings():
        key = key_of(row)
        found[key.owner_id].append(key)
    return [found[owner_id] for owner_id in owner_ids]


async def keys_by_ids(connection: AsyncConnection, ids: Sequence[UUID]) -> list[ApiKey | None]:
    """Keys in the order of their ids."""
    statement = sa.select(*_KEY).where(api_keys.c.id.in_(list(ids)))
    found = {row["id"]: key_of(row) for row in (await connection.execute(statement)).mappings()}
    return [found.get(key_id) for key_id in ids]


async def accounts_by_ids(connection: AsyncConnection, ids: Sequence[UUID]) -> list[ServiceAccount | None]:
    """Service accounts in the order of their ids, archived ones too: they did what the log says they did."""
    statement = sa.select(*service_accounts.c, _TEAM_IDS).where(service_accounts.c.id.in_(list(ids)))
    found = {row["id"]: account_of(row) for row in (await connection.execute(statement)).mappings()}
    return [found.get(account_id) for account_id in ids]


async def page_of_accounts(
    connection: AsyncConnection, *, limit: int, after: UUID | None = None, with_archived: bool = False
) -> list[ServiceAccount]:
    """The first `limit` accounts beyond `after`, the newest first: ids are made in the order of time."""
    statement = sa.select(*service_accounts.c, _TEAM_IDS).order_by(service_accounts.c.id.desc()).limit(limit)
    if after is not None:
        statement = statement.where(service_accounts.c.id < after)
    if not with_archived:
        statement = statement.where(service_accounts.c.archived_at.is_(None))
    return [account_of(row) for row in (await connection.execute(statement)).mappings()]


async def page_of_keys(connection: AsyncConnection, *, limit: int, after: UUID | None = None) -> list[ApiKey]:
    """The first `limit` keys beyond `after`, whosever they are, the newest first."""
    statement = sa.select(*_KEY).order_by(api_keys.c.id.desc()).limit(limit)
    if after is not None:
        statement = statement.where(api_keys.c.id < after)
    return [key_of(row) for row in (await connection.execute(statement)).mappings()]


def account_of(row: RowMapping) -> ServiceAccount:
    """The account a row tells of."""
    return ServiceAccount(
        id=row["id"],
        name=row["name"],
        role=Role(row["role"]),
        team_ids=frozenset(row["team_ids"]),
        created_at=row["created_at"],
        created_by=row["created_by"],
        archived_at=row["archived_at"],
        version=row["version"],
    )


def key_of(row: RowMapping) -> ApiKey:
    """The key a row tells of."""
    values = dict(row)
    values["scopes"] = frozenset(Scope(scope) for scope in row["scopes"])
    values["networks"] = checked_networks(row["networks"])
    return ApiKey(**values)
