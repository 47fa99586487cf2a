"""Personal data under keys of its own.

A migration has no keys. So the columns become bytes that still hold the text, and the first start (or `tocsin migrate`)
gives each person a key and seals what is theirs: persistence/seal_people.py. On the way down the sealed forms and the
wrapped keys are kept as text, `sealed:<key>:<value>`, so that nothing is lost and the way up finds them again; sign-in
goes by the digest and works meanwhile. Only the network addresses of sign-ins are dropped: their type has no room.
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

SEALED_ADDRESS = "'^sealed:([0-9a-f]{2})+:([0-9a-f]{2})+$'"
SEALED_TEXT = "'^sealed:([0-9a-f]{2})+$'"
HAS_KEY = "EXISTS (SELECT FROM person_keys AS k WHERE k.user_id = {0})"
# What a person did to alerts. Events of tools and of time carry no person, so taking alerts in pays nothing for it.
ACTOR_INDEX = "ix_alert_events_actor_id"
ON_ACTOR = "(actor_id, xid, seq) WHERE actor_kind = 'user'"


def _bytes(column: str) -> str:
    """The bytes of a text: those that were sealed before a way down, or the text itself."""
    return (
        f"CASE WHEN {column} ~ {SEALED_TEXT} THEN decode(split_part({column}, ':', 2), 'hex')"
        f" ELSE nullif(convert_to({column}, 'UTF8'), '') END"
    )


def _drop_ambiguous(column: str) -> str:
    """Drop a name that only looks sealed, or that the older version wrote for somebody whose address is sealed."""
    return (
        f"UPDATE users SET {column} = '' WHERE {column} <> ''"
        f" AND ({column} ~ {SEALED_TEXT}) <> {HAS_KEY.format('users.id')}"
    )


UPGRADE: tuple[str, ...] = (
    """CREATE TABLE person_keys (
  user_id UUID NOT NULL,
  wrapped BYTEA NOT NULL,
  CONSTRAINT pk_person_keys PRIMARY KEY (user_id),
  CONSTRAINT fk_person_keys_user_id_users FOREIGN KEY(user_id) REFERENCES users (id)
)""",
    f"""INSERT INTO person_keys (user_id, wrapped)
SELECT id, decode(split_part(email, ':', 2), 'hex') FROM users WHERE email ~ {SEALED_ADDRESS}""",
    _drop_ambiguous("first_name"),
    _drop_ambiguous("last_name"),
    f"UPDATE sessions SET user_agent = NULL WHERE (user_agent ~ {SEALED_TEXT}) <> {HAS_KEY.format('sessions.user_id')}",
    f"UPDATE sessions SET ip_address = NULL WHERE {HAS_KEY.format('sessions.user_id')}",
    f"""ALTER TABLE users ADD COLUMN erased_at TIMESTAMP WITH TIME ZONE,
  ADD COLUMN erases_comments BOOLEAN DEFAULT false NOT NULL,
  ALTER COLUMN email DROP NOT NULL,
  ALTER COLUMN first_name DROP DEFAULT, ALTER COLUMN first_name DROP NOT NULL,
  ALTER COLUMN last_name DROP DEFAULT, ALTER COLUMN last_name DROP NOT NULL,
  ALTER COLUMN email TYPE BYTEA USING CASE WHEN email ~ {SEALED_ADDRESS} THEN decode(split_part(email, ':', 3), 'hex')
    ELSE nullif(convert_to(email, 'UTF8'), '') END,
  ALTER COLUMN first_name TYPE BYTEA USING {_bytes("first_name")},
  ALTER COLUMN last_name TYPE BYTEA USING {_bytes("last_name")}""",
    # Whatever a late request would write, the database itself keeps an erased person erased.
    """ALTER TABLE users ADD CONSTRAINT ck_users_erased_holds_nothing CHECK (erased_at IS NULL OR (NOT is_active
  AND num_nonnulls(email, first_name, last_name, email_digest, password_hash) = 0))""",
    f"""ALTER TABLE sessions ALTER COLUMN user_agent TYPE BYTEA USING {_bytes("user_agent")},
  ALTER COLUMN ip_address TYPE BYTEA USING convert_to(host(ip_address), 'UTF8')""",
    """CREATE TABLE data_exports (
  id UUID NOT NULL,
  user_id UUID NOT NULL,
  requested_by UUID NOT NULL,
  requested_at TIMESTAMP WITH TIME ZONE NOT NULL,
  state TEXT NOT NULL,
  claimed_until TIMESTAMP WITH TIME ZONE,
  attempts INTEGER DEFAULT 0 NOT NULL,
  finished_at TIMESTAMP WITH TIME ZONE,
  expires_at TIMESTAMP WITH TIME ZONE,
  object_key TEXT,
  size_bytes BIGINT,
  CONSTRAINT pk_data_exports PRIMARY KEY (id),
  CONSTRAINT fk_data_exports_user_id_users FOREIGN KEY(user_id) REFERENCES users (id),
  CONSTRAINT fk_data_exports_requested_by_users FOREIGN KEY(requested_by) REFERENCES users (id)
)""",
    "CREATE INDEX ix_data_exports_user_id ON data_exports (user_id)",
    "CREATE INDEX ix_data_exports_state ON data_exports (state)",
    """CREATE TABLE erasures_applied (
  epoch UUID NOT NULL,
  applied_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_erasures_applied PRIMARY KEY (epoch)
)""",
    # The log only grows, with one exception: the words of an erased person can be taken out, and nothing else.
    """CREATE FUNCTION refuse_event_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.actor_kind = 'user'
     AND NEW.data = (OLD.data - 'comment' - 'reason') || '{"redacted": true}'
     AND to_jsonb(NEW) - 'data' = to_jsonb(OLD) - 'data'
     AND EXISTS (SELECT FROM public.users WHERE id = OLD.actor_id AND erased_at IS NOT NULL) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $$""",
    "DROP TRIGGER alert_events_append_only ON alert_events",
    """CREATE TRIGGER alert_events_append_only BEFORE UPDATE OR DELETE ON alert_events FOR EACH ROW EXECUTE FUNCTION refuse_event_change()""",
    # Runs as the owner: the application's role has no right to change an event, and gets none.
    """CREATE FUNCTION redact_words(person UUID, alert_ids UUID[]) RETURNS BIGINT LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public AS $$
DECLARE redacted BIGINT;
BEGIN
  UPDATE public.alert_events SET data = (data - 'comment' - 'reason') || '{"redacted": true}'
   WHERE actor_kind = 'user' AND actor_id = person AND alert_id = ANY(alert_ids) AND data ?| ARRAY['comment', 'reason'];
  GET DIAGNOSTICS redacted = ROW_COUNT;
  RETURN redacted;
END $$""",
)
DOWNGRADE: tuple[str, ...] = (
    "DROP FUNCTION redact_words(UUID, UUID[])",
    "DROP TRIGGER alert_events_append_only ON alert_events",
    """CREATE TRIGGER alert_events_append_only BEFORE UPDATE OR DELETE ON alert_events FOR EACH ROW EXECUTE FUNCTION refuse_change()""",
    "DROP FUNCTION refuse_event_change()",
    "DROP INDEX ix_alert_events_actor_id",
    "DROP TABLE erasures_applied",
    "DROP TABLE data_exports",
    """ALTER TABLE sessions ALTER COLUMN ip_address TYPE INET USING NULL,
  ALTER COLUMN user_agent TYPE TEXT USING 'sealed:' || encode(user_agent, 'hex')""",
    "ALTER TABLE users DROP CONSTRAINT ck_users_erased_holds_nothing",
    """ALTER TABLE users ALTER COLUMN email TYPE TEXT USING 'sealed:' || encode(email, 'hex'),
  ALTER COLUMN first_name TYPE TEXT USING coalesce('sealed:' || encode(first_name, 'hex'), ''),
  ALTER COLUMN last_name TYPE TEXT USING coalesce('sealed:' || encode(last_name, 'hex'), '')""",
    """UPDATE users SET email = 'sealed:' || encode(k.wrapped, 'hex') || substr(email, 7)
  FROM person_keys AS k WHERE k.user_id = users.id""",
    # Who has no key was never sealed.
    f"""UPDATE users SET email = convert_from(decode(substr(email, 8), 'hex'), 'UTF8'),
  first_name = convert_from(decode(substr(first_name, 8), 'hex'), 'UTF8'),
  last_name = convert_from(decode(substr(last_name, 8), 'hex'), 'UTF8')
  WHERE email IS NOT NULL AND NOT {HAS_KEY.format("users.id")}""",
    f"""UPDATE sessions SET user_agent = convert_from(decode(substr(user_agent, 8), 'hex'), 'UTF8')
  WHERE user_agent IS NOT NULL AND NOT {HAS_KEY.format("sessions.user_id")}""",
    "UPDATE users SET email = '' WHERE email IS NULL",
    """ALTER TABLE users DROP COLUMN erases_comments, DROP COLUMN erased_at,
  ALTER COLUMN email SET NOT NULL,
  ALTER COLUMN first_name SET DEFAULT '', ALTER COLUMN first_name SET NOT NULL,
  ALTER COLUMN last_name SET DEFAULT '', ALTER COLUMN last_name SET NOT NULL""",
    "DROP TABLE person_keys",
)


def upgrade() -> None:
    """Build the index beside running writers, then change what is small."""
    with op.get_context().autocommit_block():
        # What is there is of a run that was stopped; it goes with all that hangs on it.
        op.execute(f"DROP INDEX IF EXISTS {ACTOR_INDEX}")
        op.execute(f"CREATE INDEX {ACTOR_INDEX} ON ONLY alert_events {ON_ACTOR}")
        partitions = op.get_bind().exec_driver_sql(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'alert_events'::regclass"
        )
        for (partition,) in partitions.all():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {partition}_actor")
            op.execute(f"CREATE INDEX CONCURRENTLY {partition}_actor ON {partition} {ON_ACTOR}")
            op.execute(f"ALTER INDEX {ACTOR_INDEX} ATTACH PARTITION {partition}_actor")
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    """Keep what is sealed as text, with its key."""
    for statement in DOWNGRADE:
        op.execute(statement)
