"""Where are group rules and services kept? A row each; a trigger moves the version by which ingest knows of them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.correlation.model import GroupField, GroupRule, GroupStrategy, Service
from domain.silences.matchers import matchers_from_json
from persistence.correlation import parts_of
from persistence.tables import group_rules, service_dependencies, services
from persistence.unless_taken import write_unless_taken

_UPSTREAMS = (
    sa.select(
        sa.func.coalesce(
            sa.func.array_agg(
                pg.aggregate_order_by(service_dependencies.c.upstream_id, service_dependencies.c.upstream_id),
                type_=pg.ARRAY(pg.UUID(as_uuid=True)),
            ),
            sa.cast(pg.array([]), pg.ARRAY(pg.UUID(as_uuid=True))),
        )
    )
    .where(service_dependencies.c.service_id == services.c.id)
    .scalar_subquery()
    .label("upstream_ids")
)


class GroupRuleRepository:
    """Group rules, inside one transaction. Implements domain.correlation.ports.GroupRules."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, rule: GroupRule) -> bool:
        """Write a new rule; False when there is one of this name."""
        values = {**_rule_values(rule), "id": rule.id, "created_at": rule.created_at}
        return await self._written(sa.insert(group_rules).values(values))

    async def locked(self, rule_id: UUID) -> GroupRule | None:
        """The rule, locked until the transaction ends; None for one that is archived."""
        statement = sa.select(group_rules).where(group_rules.c.id == rule_id, group_rules.c.archived_at.is_(None))
        row = (await self._connection.execute(statement.with_for_update())).mappings().one_or_none()
        return None if row is None else _rule_of(row)

    async def save(self, rule: GroupRule) -> bool:
        """Write an edit; False when the name is taken."""
        return await self._written(sa.update(group_rules).where(group_rules.c.id == rule.id).values(_rule_values(rule)))

    async def count(self) -> int:
        """How many rules there are that are not archived."""
        statement = sa.select(sa.func.count()).select_from(group_rules).where(group_rules.c.archived_at.is_(None))
        return int(await self._connection.scalar(statement) or 0)

    async def _written(self, statement: sa.Executable) -> bool:
        return await write_unless_taken(self._connection, statement, unique="uq_group_rules")


class ServiceRepository:
    """Services and what they need, inside one transaction. Implements domain.correlation.ports.Services."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, service: Service) -> bool:
        """Write a new service; False when there is one of this name."""
        values = {**_service_values(service), "id": service.id, "created_at": service.created_at}
        if not await self._written(sa.insert(services).values(values)):
            return False
        await self._set_upstreams(service)
        return True

    async def locked(self, service_id: UUID) -> Service | None:
        """The service, locked until the transaction ends; None for one that is archived."""
        locking = sa.select(services.c.id).where(services.c.id == service_id, services.c.archived_at.is_(None))
        if await self._connection.scalar(locking.with_for_update()) is None:
            return None
        return (await services_by_ids(self._connection, [service_id]))[0]

    async def save(self, service: Service) -> bool:
        """Write an edit; False when the name is taken."""
        if not await self._written(
            sa.update(services).where(services.c.id == service.id).values(_service_values(service))
        ):
            return False
        await self._set_upstreams(service)
        return True

    async def missing(self, ids: Sequence[UUID]) -> Sequence[UUID]:
        """Those of the ids that are no service, or an archived one. The others stay while the transaction runs."""
        statement = sa.select(services.c.id).where(services.c.id.in_(list(ids)), services.c.archived_at.is_(None))
        known = set(await self._connection.scalars(statement.order_by(services.c.id).with_for_update(key_share=True)))
        return [service_id for service_id in ids if service_id not in known]

    async def _set_upstreams(self, service: Service) -> None:
        mine = service_dependencies.c.service_id == service.id
        kept = list(service.upstream_ids)
        await self._connection.execute(
            sa.delete(service_dependencies).where(mine, service_dependencies.c.upstream_id.not_in(kept))
        )
        there = set(await self._connection.scalars(sa.select(service_dependencies.c.upstream_id).where(mine)))
        new = [upstream for upstream in kept if upstream not in there]
        if new:
            rows = [{"service_id": service.id, "upstream_id": upstream} for upstream in new]
            await self._connection.execute(sa.insert(service_dependencies), rows)

    async def _written(self, statement: sa.Executable) -> bool:
        return await write_unless_taken(self._connection, statement, unique="uq_services")


def _rule_values(rule: GroupRule) -> dict[str, Any]:
    values = {
        name: getattr(rule, name)
        for name in ("name", "description", "rank", "enabled", "condition", "window", "max_age", "threshold")
    }
    return {
        **values,
        "strategy": rule.strategy.value,
        "matchers": [matcher.as_json() for matcher in rule.matchers],
        "labels": list(rule.labels),
        "fields": [field.value for field in rule.fields],
        "parts": [
            {"name": part.name, "matchers": [matcher.as_json() for matcher in part.matchers]} for part in rule.parts
        ],
        "updated_at": rule.updated_at,
        "archived_at": rule.archived_at,
        "version": rule.version,
    }


def _rule_of(row: sa.RowMapping) -> GroupRule:
    values: dict[str, Any] = dict(row)
    values["strategy"] = GroupStrategy(values["strategy"])
    values["matchers"] = matchers_from_json(values["matchers"])
    values["labels"] = tuple(values["labels"])
    values["fields"] = tuple(map(GroupField, values["fields"]))
    values["parts"] = parts_of(values["parts"])
    return GroupRule(**values)


def _service_values(service: Service) -> dict[str, Any]:
    return {
        "name": service.name,
        "description": service.description,
        "updated_at": service.updated_at,
        "archived_at": service.archived_at,
        "version": service.version,
    }


def _service_of(row: sa.RowMapping) -> Service:
    return Service(**{**row, "upstream_ids": tuple(row["upstream_ids"])})


async def rules_by_ids(connection: AsyncConnection, ids: Sequence[UUID]) -> list[GroupRule | None]:
    """Group rules by id, archived ones too."""
    rows = await connection.execute(sa.select(group_rules).where(group_rules.c.id.in_(list(ids))))
    found = {row["id"]: _rule_of(row) for row in rows.mappings()}
    return [found.get(rule_id) for rule_id in ids]


async def list_rules(connection: AsyncConnection, *, with_archived: bool = False) -> list[GroupRule]:
    """Group rules in the order they are asked: by rank, then the older first."""
    statement = sa.select(group_rules).order_by(group_rules.c.rank, group_rules.c.id)
    if not with_archived:
        statement = statement.where(group_rules.c.archived_at.is_(None))
    return [_rule_of(row) for row in (await connection.execute(statement)).mappings()]


async def services_by_ids(connection: AsyncConnection, ids: Sequence[UUID]) -> list[Service | None]:
    """Services by id, archived ones too."""
    rows = await connection.execute(sa.select(services, _UPSTREAMS).where(services.c.id.in_(list(ids))))
    found = {row["id"]: _service_of(row) for row in rows.mappings()}
    return [found.get(service_id) for service_id in ids]


async def list_services(
    connection: AsyncConnection,
    *,
    limit: int,
    after: tuple[str, UUID] | None = None,
    before: tuple[str, UUID] | None = None,
    backward: bool = False,
) -> list[Service]:
    """Services by name: the first `limit` beyond `after`; when `backward`, those next to `before`, in reverse."""
    place = sa.tuple_(services.c.name, services.c.id)
    statement = sa.select(services, _UPSTREAMS).where(services.c.archived_at.is_(None)).limit(limit)
    if after is not None:
        statement = statement.where(place > sa.tuple_(*map(sa.literal, after)))
    if before is not None:
        statement = statement.where(place < sa.tuple_(*map(sa.literal, before)))
    order = [services.c.name, services.c.id]
    statement = statement.order_by(*(column.desc() if backward else column.asc() for column in order))
    return [_service_of(row) for row in (await connection.execute(statement)).mappings()]


async def count_services(connection: AsyncConnection) -> int:
    """How many services there are."""
    statement = sa.select(sa.func.count()).select_from(services).where(services.c.archived_at.is_(None))
    return int(await connection.scalar(statement) or 0)


async def dependants_of(connection: AsyncConnection, ids: Sequence[UUID]) -> list[list[UUID]]:
    """For each service those that need it, by id."""
    rows = await connection.execute(
        sa.select(service_dependencies.c.upstream_id, service_dependencies.c.service_id)
        .join(services, services.c.id == service_dependencies.c.service_id)
        .where(service_dependencies.c.upstream_id.in_(list(ids)), services.c.archived_at.is_(None))
        .order_by(services.c.name)
    )
    found: dict[UUID, list[UUID]] = {service_id: [] for service_id in ids}
    for row in rows:
        found[row.upstream_id].append(row.service_id)
    return [found[service_id] for service_id in ids]
