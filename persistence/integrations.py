"""Where are integrations and their keys kept? In rows, the shared secret sealed; triggers tell of every change."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.model import OWN_INTEGRATION_IDS, Severity
from domain.alerts.visibility import Sight
from domain.integrations.keys import IntegrationKey
from domain.integrations.model import FieldMapping, Integration, IntegrationSource
from persistence.reads.visibility import is_team_in_sight, visible
from persistence.sealing import Sealer
from persistence.tables import integration_activity, integration_keys, integrations

HMAC_COLUMN = "integrations.sealed_hmac_secret"

_COLUMNS = (*integrations.c, integration_activity.c.last_seen_at)
_JOINED = integrations.outerjoin(integration_activity, integration_activity.c.integration_id == integrations.c.id)


class IntegrationRepository:
    """Integrations and keys, inside one transaction."""

    def __init__(self, connection: AsyncConnection, sealer: Sealer) -> None:
        self._connection = connection
        self._sealer = sealer

    async def add(self, integration: Integration, *, created_by: UUID | None) -> None:
        """Write a new integration."""
        values = {**self._values(integration), "id": integration.id, "created_at": integration.created_at}
        values |= {"source": integration.source.value, "created_by": created_by}
        await self._connection.execute(sa.insert(integrations).values(values))

    async def locked(self, integration_id: UUID, *, sight: Sight) -> Integration | None:
        """The integration, locked until the transaction ends; its secret is opened, so that an edit can keep it."""
        statement = (
            sa.select(*integrations.c).where(integrations.c.id == integration_id, _seen(sight)).with_for_update()
        )
        row = (await self._connection.execute(statement)).mappings().one_or_none()
        return None if row is None else integration_of(row, self._sealer)

    async def save(self, integration: Integration) -> None:
        """Write what an edit changed."""
        await self._connection.execute(
            sa.update(integrations).where(integrations.c.id == integration.id).values(self._values(integration))
        )

    def _values(self, integration: Integration) -> dict[str, object]:
        secret = integration.hmac_secret
        sealed = None if secret is None else self._sealer.seal(secret, column=HMAC_COLUMN, row=integration.id)
        return {
            "name": integration.name,
            "default_team_id": integration.default_team_id,
            "severity_map": {word: severity.value for word, severity in integration.severity_map.items()},
            "mapping": sa.null() if integration.mapping is None else _mapping_json(integration.mapping),
            "sealed_hmac_secret": sealed,
            "archived_at": integration.archived_at,
            "version": integration.version,
        }

    async def team_in_sight(self, team_id: UUID, *, sight: Sight) -> bool:
        """Whether there is such a team, not archived and within sight."""
        return await is_team_in_sight(self._connection, team_id, sight=sight)

    async def add_key(self, key: IntegrationKey) -> None:
        """Write a new key."""
        values = {name: getattr(key, name) for name in IntegrationKey.__dataclass_fields__}
        await self._connection.execute(sa.insert(integration_keys).values(values))

    async def keys_of(self, integration_id: UUID) -> Sequence[IntegrationKey]:
        """Every key of the integration, the newest first."""
        return (await keys_by_integration(self._connection, [integration_id]))[0]

    async def end_key(self, key_id: UUID, *, expires_at: datetime | None, revoked_at: datetime | None) -> None:
        """Let a key end at a time, or at once."""
        await self._connection.execute(
            sa.update(integration_keys)
            .where(integration_keys.c.id == key_id)
            .values(expires_at=expires_at, revoked_at=revoked_at)
        )


def _seen(sight: Sight) -> sa.ColumnElement[bool]:
    """The condition that an integration is within sight: as its alerts are, by its team."""
    return visible(sight, integrations.c.default_team_id)


async def list_integrations(
    connection: AsyncConnection, *, sight: Sight, ids: Sequence[UUID] | None = None, with_archived: bool = False
) -> list[Integration]:
    """Integrations within sight by name, without Tocsin's own. The shared secret stays sealed."""
    statement = (
        sa.select(*_COLUMNS)
        .select_from(_JOINED)
        .where(integrations.c.id.not_in(OWN_INTEGRATION_IDS), _seen(sight))
        .order_by(integrations.c.name, integrations.c.id)
    )
    if ids is not None:
        statement = statement.where(integrations.c.id.in_(list(ids)))
    if not with_archived:
        statement = statement.where(integrations.c.archived_at.is_(None))
    return [integration_of(row, None) for row in (await connection.execute(statement)).mappings()]


async def any_integration(connection: AsyncConnection) -> bool:
    """Whether anybody ever made one, archived or not."""
    statement = sa.select(sa.exists().where(integrations.c.id.not_in(OWN_INTEGRATION_IDS)))
    return bool(await connection.scalar(statement))


async def keys_by_integration(connection: AsyncConnection, ids: Sequence[UUID]) -> list[list[IntegrationKey]]:
    """The keys of each integration, the newest first (ids are UUIDv7)."""
    statement = (
        sa.select(*integration_keys.c)
        .where(integration_keys.c.integration_id.in_(list(ids)))
        .order_by(integration_keys.c.id.desc())
    )
    found: dict[UUID, list[IntegrationKey]] = {integration_id: [] for integration_id in ids}
    for row in (await connection.execute(statement)).mappings():
        found[row["integration_id"]].append(IntegrationKey(**row))
    return [found[integration_id] for integration_id in ids]


# Stands for a secret that is there but was not opened: enough to say that posts must be signed.
SEALED = "(sealed)"


def integration_of(row: RowMapping, sealer: Sealer | None) -> Integration:
    """The integration a row tells of. Without a sealer its shared secret, if there is one, is SEALED."""
    sealed = row["sealed_hmac_secret"]
    secret = None
    if sealed is not None:
        secret = SEALED if sealer is None else sealer.unseal(sealed, column=HMAC_COLUMN, row=row["id"])
    return Integration(
        id=row["id"],
        name=row["name"],
        source=IntegrationSource(row["source"]),
        created_at=row["created_at"],
        default_team_id=row["default_team_id"],
        severity_map={word: Severity(value) for word, value in row["severity_map"].items()},
        mapping=mapping_of(row["mapping"]),
        hmac_secret=secret,
        last_seen_at=row.get("last_seen_at"),
        archived_at=row["archived_at"],
        version=row["version"],
    )


def _mapping_json(mapping: FieldMapping) -> dict[str, Any]:
    values = {name: getattr(mapping, name) for name in FieldMapping.__dataclass_fields__}
    return {name: dict(value) if isinstance(value, Mapping) else value for name, value in values.items() if value}


def mapping_of(stored: Mapping[str, Any] | None) -> FieldMapping | None:
    """The mapping a row holds."""
    if stored is None:
        return None
    return FieldMapping(**{name: stored[name] for name in FieldMapping.__dataclass_fields__ if stored.get(name)})
