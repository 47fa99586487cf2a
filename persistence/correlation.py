"""How does a process know which alerts are one problem? In memory, at the version the running transaction has read.

As with what teams own (docs/decisions/026): the version is one more column of a statement that ingest runs anyway.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.correlation.model import GroupField, GroupRule, GroupStrategy, Part
from domain.correlation.topology import topology_of
from domain.correlation.ways import NOTHING_CORRELATED, Correlation, RuleInForce
from domain.inhibition.model import Inhibition, InhibitionRule
from domain.rules.condition import ConditionInvalid
from domain.silences.matchers import matchers_from_json
from persistence.conditions import bind, compile_condition
from persistence.inhibition import rule_of as inhibition_rule_of

log = structlog.get_logger(__name__)
# One statement, so that the version is that of the rules beside it.
_READ = """
SELECT (SELECT version FROM correlation_version) AS version,
       (SELECT coalesce(json_agg(json_build_object(
               'id', id, 'name', name, 'strategy', strategy, 'rank', rank, 'matchers', matchers,
               'condition', condition, 'labels', labels, 'fields', fields, 'parts', parts,
               'window', extract(epoch FROM "window"), 'max_age', extract(epoch FROM max_age),
               'threshold', threshold, 'created_at', created_at, 'updated_at', updated_at, 'version', version)),
               '[]')::text
          FROM group_rules WHERE enabled AND archived_at IS NULL) AS rules,
       (SELECT coalesce(json_agg(json_build_array(s.name, u.name)), '[]')::text
          FROM service_dependencies d JOIN services s ON s.id = d.service_id JOIN services u ON u.id = d.upstream_id
         WHERE s.archived_at IS NULL AND u.archived_at IS NULL) AS dependencies,
       (SELECT coalesce(json_agg(json_build_object(
               'id', id, 'name', name, 'description', description, 'enabled', enabled, 'source', source,
               'target', target, 'equal', equal, 'created_at', created_at, 'updated_at', updated_at,
               'archived_at', archived_at, 'version', version) ORDER BY id), '[]')::text
          FROM inhibition_rules WHERE enabled AND archived_at IS NULL) AS inhibition
"""


class KnownCorrelation:
    """Group rules and topology, as this process read them last. Shared by all who write over connections of their own.

    The group keys of a batch are locked before the version is read, so a batch that finds another version than that of
    `current` begins again.
    """

    def __init__(self) -> None:
        self.current = NOTHING_CORRELATED

    async def read(self, connection: asyncpg.Connection) -> None:
        """What counts now, or a moment later."""
        row = await connection.fetchrow(_READ)
        if row is not None:  # a SELECT without FROM has a row
            self.current = _correlation_of(row["version"], row["rules"], row["dependencies"], row["inhibition"])


async def read_correlation(connection: AsyncConnection) -> Correlation:
    """What counts now: for a preview."""
    row = (await connection.execute(sa.text(_READ))).one()
    return _correlation_of(row.version, row.rules, row.dependencies, row.inhibition)


def _correlation_of(version: int, rules: str, dependencies: str, inhibition: str) -> Correlation:
    in_force = [_in_force(_rule_of(values)) for values in orjson.loads(rules)]
    return Correlation(
        version=version,
        rules=[one for one in in_force if one is not None],
        topology=topology_of((service, upstream) for service, upstream in orjson.loads(dependencies)),
        bind=bind,
        inhibition=Inhibition(tuple(_inhibition_rule_of(values) for values in orjson.loads(inhibition))),
    )


def _inhibition_rule_of(values: dict[str, Any]) -> InhibitionRule:
    times = {name: datetime.fromisoformat(values[name]) for name in ("created_at", "updated_at")}
    return inhibition_rule_of({**values, **times, "id": UUID(values["id"])})


def _in_force(rule: GroupRule) -> RuleInForce | None:
    if rule.condition is None:
        return RuleInForce(rule)
    try:
        return RuleInForce(rule, compile_condition(rule.condition))
    except ConditionInvalid as error:
        # It was checked when it was saved, by the vocabulary of then: one rule that is left out stops no alert.
        log.warning("group_rule_left_out", rule_id=str(rule.id), error=str(error))
        return None


def _rule_of(values: dict[str, Any]) -> GroupRule:
    """The rule that a row says, as JSON."""
    return GroupRule(
        id=UUID(values["id"]),
        name=values["name"],
        strategy=GroupStrategy(values["strategy"]),
        rank=values["rank"],
        matchers=matchers_from_json(values["matchers"]),
        condition=values["condition"],
        labels=tuple(values["labels"]),
        fields=tuple(map(GroupField, values["fields"])),
        parts=parts_of(values["parts"]),
        window=timedelta(seconds=float(values["window"])),
        max_age=timedelta(seconds=float(values["max_age"])),
        threshold=values["threshold"],
        created_at=datetime.fromisoformat(values["created_at"]),
        updated_at=datetime.fromisoformat(values["updated_at"]),
        version=values["version"],
    )


def parts_of(values: list[dict[str, Any]]) -> tuple[Part, ...]:
    """What must be seen together, as it is kept."""
    return tuple(Part(name=one["name"], matchers=matchers_from_json(one["matchers"])) for one in values)
