"""Which statements does the ingest transaction run? One reads every key's state, one writes everything.

The rows of each table travel as one JSON array and become a set by `json_to_recordset`. Against one array a column
(`unnest`) that takes half of this process's time for the same time in all, and this process is the narrow place.
Several statements instead of one cost 1.3 to 2 times as much.
"""

Columns = tuple[tuple[str, str], ...]

# Written when a known alert is folded into.
STATE_COLUMNS: Columns = (
    ("status", "alert_status"),
    ("occurrences", "bigint"),
    ("episode", "integer"),
    ("version", "integer"),
    ("updated_at", "timestamptz"),
    ("started_at", "timestamptz"),
    ("last_seen_at", "timestamptz"),
    ("source_time", "timestamptz"),
    ("repeat_logged_at", "timestamptz"),
    ("acknowledged_at", "timestamptz"),
    ("investigating_at", "timestamptz"),
    ("resolved_at", "timestamptz"),
    ("resolved_by", "text"),
    ("resolution", "text"),
    ("is_false_positive", "boolean"),
    ("hold_until", "timestamptz"),
    ("snoozed_until", "timestamptz"),
    ("expires_at", "timestamptz"),
    ("suppressed_by", "uuid[]"),
    ("turns", "timestamptz[]"),
    ("past_episodes", "integer[]"),
    ("flapping_since", "timestamptz"),
    ("flapping_until", "timestamptz"),
    ("flapping_turns", "integer"),
    ("times_flapped", "integer"),
    ("paused_until", "timestamptz"),
)
# Written besides when the source changed what it says (`has_new_content`).
CONTENT_COLUMNS: Columns = (
    ("title", "text"),
    ("severity", "alert_severity"),
    ("service_name", "text"),
    ("labels", "jsonb"),
    ("content_hash", "bigint"),
    ("description", "text"),
    ("metadata", "jsonb"),
)
# Written when an alert is made.
ALERT_COLUMNS: Columns = (
    ("id", "uuid"),
    ("integration_id", "uuid"),
    ("dedup_key", "text"),
    ("dedup_recipe", "text"),
    ("source", "text"),
    ("team_id", "uuid"),
    ("pinned", "text[]"),
    ("created_at", "timestamptz"),
    ("group_id", "uuid"),
    ("group_reason", "text"),
    *STATE_COLUMNS,
    *CONTENT_COLUMNS,
)
EVENT_COLUMNS: Columns = (
    ("id", "uuid"),
    ("alert_id", "uuid"),
    ("kind", "text"),
    ("occurred_at", "timestamptz"),
    ("version", "integer"),
    ("severity", "alert_severity"),
    ("status", "alert_status"),
)
SIGNAL_COLUMNS: Columns = (
    ("received_at", "timestamptz"),
    ("receipt_id", "uuid"),
    ("item", "integer"),
    ("integration_id", "uuid"),
    ("alert_id", "uuid"),
    ("outcome", "text"),
    ("reason", "text"),
)
RECEIPT_COLUMNS: Columns = (
    ("received_at", "timestamptz"),
    ("id", "uuid"),
    ("integration_id", "uuid"),
    ("accepted", "integer"),
    ("rejected", "integer"),
)
# What folding needs of the newest alert; description and metadata stay where they are.
STATE_READ = (
    *("id", "title", "severity", "source", "service_name", "labels", "status", "team_id", "occurrences", "episode"),
    *("version", "content_hash", "created_at", "updated_at", "started_at", "last_seen_at", "source_time", "pinned"),
    *("acknowledged_at", "investigating_at", "resolved_at", "resolved_by", "resolution", "is_false_positive"),
    *("hold_until", "snoozed_until", "expires_at", "repeat_logged_at", "suppressed_by", "dedup_recipe"),
    *("turns", "past_episodes", "flapping_since", "flapping_until", "flapping_turns", "times_flapped"),
    "paused_until",
    "group_id",
)

# The newest alert of each key (ids are UUIDv7 and grow within a key), and a resolve that came before its firing. The
# key is asked for as a range and sorted by, so that the index of keys alone has the order. By `id` alone the primary
# key has it too: a plan made while the table is empty, or one key has most alerts, could walk through that for ever.
READ_SQL = f"""
SELECT k.ord, {", ".join("a." + name for name in STATE_READ)}, e.source_time AS early_source_time,
       e.received_at AS early_received_at, (SELECT last_value FROM silences_version) AS silences_version,
       (SELECT version FROM alert_rules_version) AS rules_version,
       (SELECT version FROM team_ownership_version) AS ownership_version,
       (SELECT version FROM correlation_version) AS correlation_version
FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY AS k(integration_id, dedup_key, ord)
LEFT JOIN LATERAL (
  SELECT * FROM alerts
   WHERE integration_id = k.integration_id AND dedup_key >= k.dedup_key AND dedup_key <= k.dedup_key
   ORDER BY dedup_key, id DESC LIMIT 1
) a ON true
LEFT JOIN early_resolves e ON e.integration_id = k.integration_id AND e.dedup_key = k.dedup_key
"""  # noqa: S608 - column names are constants of this file

EARLY_RESOLVES_SQL = """
INSERT INTO early_resolves (integration_id, dedup_key, source_time, received_at, recorded_at)
SELECT *, $5 FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::timestamptz[])
ON CONFLICT (integration_id, dedup_key) DO UPDATE SET source_time = excluded.source_time,
  received_at = excluded.received_at, recorded_at = excluded.recorded_at
"""
EARLY_RESOLVES_USED_SQL = """
DELETE FROM early_resolves e USING unnest($1::uuid[], $2::text[]) AS k(integration_id, dedup_key)
WHERE e.integration_id = k.integration_id AND e.dedup_key = k.dedup_key
"""
REJECTED_SQL = """
INSERT INTO rejected_items (id, receipt_id, item, integration_id, received_at, message, path, raw, is_truncated)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""


def _rows(parameter: int, columns: Columns) -> str:
    """The JSON array of a parameter as a set of rows `u`. Keys that are not among the columns are passed over."""
    return f"json_to_recordset(${parameter}::json) AS u({_definitions(columns)})"


def _rows_with(parameter: int, columns: Columns, large: str, texts: int) -> str:
    """The same with one more column, of JSON that goes beside the rows in an array of texts.

    Nested in the rows it is read several times on its way: an event with six decisions cost the database 30 µs, and 13
    this way.
    """
    rows = f"json_to_recordset(${parameter}::json) AS ({_definitions(columns)})"
    return f"ROWS FROM ({rows}, unnest(${texts}::text[])) AS u({_names(columns)}, {large})"


def _definitions(columns: Columns) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in columns)


def _names(columns: Columns, prefix: str = "") -> str:
    return ", ".join(prefix + name for name, _ in columns)


def _write_sql() -> str:
    """Build the one statement: the time of writing, then changed alerts, new alerts, events, signals, receipts."""
    states = (("id", "uuid"), ("has_new_content", "boolean"), *STATE_COLUMNS, *CONTENT_COLUMNS)
    assignments = [f"{name} = u.{name}" for name, _ in STATE_COLUMNS]
    # A person's own title or description stays (`pinned`), whatever the source says later.
    assignments += [
        f"{name} = CASE WHEN u.has_new_content AND NOT ('{name}' = ANY (a.pinned)) THEN u.{name} ELSE a.{name} END"
        for name, _ in CONTENT_COLUMNS
    ]
    events = (*EVENT_COLUMNS, ("actor", "json"))
    # The insert reads `changed` so that it runs after the update: a key's old alert must be closed before its new one
    # opens, or the unique index on open keys would refuse it.
    return f"""
WITH changed AS (
  UPDATE alerts a SET {", ".join(assignments)} FROM {_rows(2, states)} WHERE a.id = u.id RETURNING 1
), made AS (
  INSERT INTO alerts ({_names(ALERT_COLUMNS)}) SELECT {_names(ALERT_COLUMNS, "u.")}
  FROM {_rows(3, ALERT_COLUMNS)} WHERE (SELECT count(*) FROM changed) >= 0
), logged AS (
  INSERT INTO alert_events (recorded_at, actor_kind, actor_id, data, {_names(EVENT_COLUMNS)})
  SELECT $1, u.actor->>'kind', (u.actor->>'id')::uuid, u.data::jsonb, {_names(EVENT_COLUMNS, "u.")}
  FROM {_rows_with(4, events, "data", 7)}
), kept AS (
  INSERT INTO signals (body, {_names(SIGNAL_COLUMNS)}) SELECT u.body::jsonb, {_names(SIGNAL_COLUMNS, "u.")}
  FROM {_rows_with(5, SIGNAL_COLUMNS, "body", 8)}
)
INSERT INTO receipts ({_names(RECEIPT_COLUMNS)}) SELECT {_names(RECEIPT_COLUMNS, "u.")} FROM {_rows(6, RECEIPT_COLUMNS)}
"""  # noqa: S608 - names and types are constants of this file


WRITE_SQL = _write_sql()
