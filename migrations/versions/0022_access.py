"""Whose open alerts are, found without looking at all there were; and all words of an erased person, not most."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

# Few open alerts are somebody's: whether each of them still sees theirs is looked at every few seconds.
NAME = "ix_alerts_open_assigned_to"
PLACE = "alerts (assigned_to) WHERE assigned_to IS NOT NULL AND status IN ('active','acknowledged','investigating')"


# Why somebody resolved an alert is told once more where the alert's `resolution` changes: by them, and by whoever opens
# it again. Of an erased person these words go as well; from others' events nothing but them.
_STRIPPED = "(OLD.data - 'comment' - 'reason') #- '{changes,resolution}' || '{\"redacted\": true}'"
REFUSE = f"""CREATE OR REPLACE FUNCTION refuse_event_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - 'data' = to_jsonb(OLD) - 'data' THEN
    IF OLD.actor_kind = 'user' AND NEW.data = {_STRIPPED}
       AND EXISTS (SELECT FROM public.users WHERE id = OLD.actor_id AND erased_at IS NOT NULL) THEN
      RETURN NEW;
    END IF;
    IF OLD.data #> '{{changes,resolution}}' IS NOT NULL
       AND NEW.data = OLD.data #- '{{changes,resolution}}' || '{{"redacted": true}}'
       AND EXISTS (
         SELECT FROM public.alert_events AS e JOIN public.users AS u ON u.id = e.actor_id
          WHERE e.alert_id = OLD.alert_id AND e.kind = 'resolved' AND e.actor_kind = 'user' AND u.erased_at IS NOT NULL
       ) THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $$"""
REDACT = """CREATE OR REPLACE FUNCTION redact_words(person UUID, alert_ids UUID[]) RETURNS BIGINT LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE redacted BIGINT; words TEXT[];
BEGIN
  SELECT coalesce(array_agg(DISTINCT data ->> 'reason'), '{}') INTO words FROM public.alert_events
   WHERE alert_id = ANY(alert_ids) AND actor_kind = 'user' AND actor_id = person AND kind = 'resolved' AND data ? 'reason';
  UPDATE public.alert_events SET data = data #- '{changes,resolution}' || '{"redacted": true}'
   WHERE alert_id = ANY(alert_ids) AND actor_id IS DISTINCT FROM person AND data #> '{changes,resolution}' ?| words;
  UPDATE public.alert_events
     SET data = (data - 'comment' - 'reason') #- '{changes,resolution}' || '{"redacted": true}'
   WHERE actor_kind = 'user' AND actor_id = person AND alert_id = ANY(alert_ids) AND data ?| ARRAY['comment', 'reason'];
  GET DIAGNOSTICS redacted = ROW_COUNT;
  RETURN redacted;
END $$"""
# As 0012 has them.
REFUSE_BEFORE = """CREATE OR REPLACE FUNCTION refuse_event_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.actor_kind = 'user'
     AND NEW.data = (OLD.data - 'comment' - 'reason') || '{"redacted": true}'
     AND to_jsonb(NEW) - 'data' = to_jsonb(OLD) - 'data'
     AND EXISTS (SELECT FROM public.users WHERE id = OLD.actor_id AND erased_at IS NOT NULL) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $$"""
REDACT_BEFORE = """CREATE OR REPLACE FUNCTION redact_words(person UUID, alert_ids UUID[]) RETURNS BIGINT LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE redacted BIGINT;
BEGIN
  UPDATE public.alert_events SET data = (data - 'comment' - 'reason') || '{"redacted": true}'
   WHERE actor_kind = 'user' AND actor_id = person AND alert_id = ANY(alert_ids) AND data ?| ARRAY['comment', 'reason'];
  GET DIAGNOSTICS redacted = ROW_COUNT;
  RETURN redacted;
END $$"""


def upgrade() -> None:
    """Build the index without stopping writers."""
    with op.get_context().autocommit_block():
        # One that is there was left half-built by a run that was stopped.
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {NAME}")
        op.execute(f"CREATE INDEX CONCURRENTLY {NAME} ON {PLACE}")
    op.execute(REFUSE)
    op.execute(REDACT)


def downgrade() -> None:
    """Nothing is lost."""
    op.execute(REDACT_BEFORE)
    op.execute(REFUSE_BEFORE)
    op.execute(f"DROP INDEX {NAME}")
