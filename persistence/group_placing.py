"""How are groups read and written within the ingest transaction? A statement each, and none where no key is touched.

The keys' advisory locks are held (ingest_store.py), so what was read stands until COMMIT as far as other batches go.
Whether a group is open, and when its newest member came, is asked of its members: nothing has to keep it current.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from domain.alerts.events import ActorKind
from domain.alerts.problem import Problem
from domain.correlation.placing import MAX_CANDIDATES, MAX_WAITING, Key, KnownGroup, Placing, Sighting
from domain.correlation.way import BatchWays
from domain.correlation.ways import Correlation
from domain.ids import new_id
from persistence.ingest_rows import plain_uuid

# The newest member and whether one is open: a probe of one index each, newest first, however many members there are and
# however many alerts are open elsewhere. Not `status IN (…)`, nor EXISTS: of these the planner makes a walk over all
# open alerts there are, for each group.
_STATE = """
  CROSS JOIN LATERAL (
    SELECT coalesce(newest.created_at, g.created_at) AS last_joined_at,
           CASE WHEN newest.status <> 'resolved' THEN true
                ELSE (SELECT true FROM alerts WHERE group_id = g.id AND status <> 'resolved'
                       ORDER BY created_at DESC LIMIT 1) IS NOT NULL END AS is_open
      FROM (SELECT) AS one
      LEFT JOIN LATERAL (
        SELECT created_at, status FROM alerts WHERE group_id = g.id ORDER BY created_at DESC LIMIT 1) AS newest ON true
  ) AS state
"""
GROUPS_SQL = f"""
WITH found AS MATERIALIZED (
  SELECT k.key, keyed.part, keyed.group_id
    FROM unnest($1::text[]) AS k(key)
    CROSS JOIN LATERAL (
      SELECT part, group_id FROM alert_group_keys WHERE key = k.key
       ORDER BY opened_at DESC LIMIT {MAX_CANDIDATES}) AS keyed
), known AS MATERIALIZED (
  SELECT g.id, g.title, g.created_at, state.last_joined_at, state.is_open
    FROM (SELECT DISTINCT group_id AS id FROM found) AS one JOIN alert_groups g ON g.id = one.id {_STATE}
)
SELECT found.key, found.part, known.* FROM found JOIN known ON known.id = found.group_id
"""  # noqa: S608 - numbers and names are constants of the program
# An alert is asked for by a range and sorted by its id, as keys are in ingest_sql.py: other indexes end with the id.
SIGHTINGS_SQL = f"""
WITH found AS MATERIALIZED (
  SELECT k.key, seen.number, seen.seen_at, a.id AS alert_id, a.integration_id, a.dedup_key, a.group_id
    FROM unnest($1::text[]) AS k(key)
    CROSS JOIN generate_series(0, $2::int) AS part(number)
    CROSS JOIN LATERAL (
      SELECT alert_id, number, seen_at FROM alert_group_sightings
       WHERE key = k.key AND number = part.number AND seen_at >= $3 ORDER BY seen_at DESC LIMIT {MAX_WAITING}) AS seen
    CROSS JOIN LATERAL (
      SELECT * FROM alerts WHERE id >= seen.alert_id AND id <= seen.alert_id AND status <> 'resolved'
       ORDER BY id LIMIT 1) AS a
), known AS MATERIALIZED (
  SELECT g.id, g.title, g.created_at, state.last_joined_at, state.is_open
    FROM (SELECT DISTINCT group_id AS id FROM found) AS one JOIN alert_groups g ON g.id = one.id {_STATE}
)
SELECT found.key, found.number, found.seen_at, found.alert_id, found.integration_id, found.dedup_key, known.*
  FROM found LEFT JOIN known ON known.id = found.group_id
"""  # noqa: S608 - numbers and names are constants of the program
_WRITE = """
WITH made AS (
  INSERT INTO alert_groups (id, title, grouped_by, rule_id, rule_version, created_at, updated_at)
  SELECT id, title, grouped_by, rule_id, rule_version, created_at, created_at FROM json_to_recordset($2::json)
      AS u(id uuid, title text, grouped_by text, rule_id uuid, rule_version integer, created_at timestamptz)
), keyed AS (
  INSERT INTO alert_group_keys (key, part, group_id, opened_at)
  SELECT key, part, group_id, $1 FROM json_to_recordset($3::json) AS u(key text, part text, group_id uuid)
      ON CONFLICT (key, part) DO UPDATE SET group_id = excluded.group_id, opened_at = excluded.opened_at
), waiting AS (
  INSERT INTO alert_group_sightings (key, alert_id, number, seen_at)
  SELECT group_key, alert_id, number, seen_at FROM json_to_recordset($4::json)
      AS u(group_key text, alert_id uuid, number integer, seen_at timestamptz)
      ON CONFLICT (key, alert_id) DO UPDATE SET seen_at = excluded.seen_at
), told AS (
  INSERT INTO alert_group_events (recorded_at, id, group_id, kind, occurred_at, actor_kind, data)
  SELECT $1, id, group_id, 'opened', occurred_at, $6, data FROM json_to_recordset($5::json)
      AS u(id uuid, group_id uuid, occurred_at timestamptz, data jsonb)
)
UPDATE alerts a SET group_id = u.group_id, group_reason = u.group_reason
  FROM json_to_recordset($7::json) AS u(id uuid, group_id uuid, group_reason text) WHERE a.id = u.id
"""


async def read_placing(
    connection: asyncpg.Connection,
    ways: BatchWays,
    *,
    correlation: Correlation,
    problems: Mapping[Key, Problem],
    may_ask: bool,
    now: datetime,
) -> Placing:
    """What is known of the keys of these ways, ready to place a batch."""
    keys = ways.keys
    placing = Placing(correlation=correlation, problems=problems, ways=ways, may_ask=may_ask)
    if not keys:
        return placing
    for row in await connection.fetch(GROUPS_SQL, keys):
        # A group found by two keys is one object: who joins by one is seen by the other.
        group = _shared(placing, row)
        placing.groups.setdefault(row["key"], {})[row["part"]] = group
    # Who waits is of no interest where a group is there already: alerts of its parts simply join.
    rules = correlation.together
    together = [
        key
        for key in keys
        if (rule := rules.get(key.partition(":")[2].partition(":")[0])) is not None
        and not any(group.accepts(now, rule) for group in placing.groups.get(key, {}).values())
    ]
    if together:
        since = now - max(rule.window for rule in rules.values())
        for row in await connection.fetch(SIGHTINGS_SQL, together, correlation.most_parts - 1, since):
            placing.sightings.setdefault(row["key"], []).append(
                Sighting(
                    alert_id=plain_uuid(row["alert_id"]),
                    key=(plain_uuid(row["integration_id"]), row["dedup_key"]),
                    number=row["number"],
                    seen_at=row["seen_at"],
                    group=None if row["id"] is None else _shared(placing, row),
                )
            )
    return placing


def _shared(placing: Placing, row: asyncpg.Record) -> KnownGroup:
    group_id = plain_uuid(row["id"])
    known = placing.known.get(group_id)
    if known is None:
        known = placing.known[group_id] = KnownGroup(
            id=group_id,
            title=row["title"],
            created_at=row["created_at"],
            last_joined_at=row["last_joined_at"],
            is_open=row["is_open"],
        )
    return known


async def write_placing(connection: asyncpg.Connection, placing: Placing, *, now: datetime) -> None:
    """Write what placing a batch made. The alerts that opened carry their group themselves."""
    events: list[dict[str, Any]] = [
        {
            "id": new_id(),
            "group_id": group.id,
            "occurred_at": group.created_at,
            "data": {"alertIds": [str(group.alert_id)], "reason": group.reason, "title": group.title},
        }
        for group in placing.made
    ]
    regrouped = [
        {"id": state.id, "group_id": state.group_id, "group_reason": state.group_reason} for state in placing.regrouped
    ]
    await connection.execute(
        _WRITE,
        now,
        _json(placing.made),
        _json([{"key": key, "part": part, "group_id": group} for (key, part), group in placing.keyed.items()]),
        _json(placing.waiting),
        _json(events),
        ActorKind.SYSTEM.value,
        _json(regrouped),
    )


def _json(rows: Sequence[object]) -> str:
    return orjson.dumps(rows).decode()
