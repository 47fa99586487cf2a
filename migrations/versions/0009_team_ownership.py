"""What teams own, their log, and their hand-overs.

`team_ownership_version` is a row, not a sequence: it moves with the COMMIT of what it counts, so whoever reads a
number finds the ownership of that number, or a later one, and never an earlier one under it.
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

UPGRADE = (
    "ALTER TABLE teams ADD COLUMN description TEXT DEFAULT '' NOT NULL",
    # Without a foreign key to its own table, as alerts.team_id has none: teams are never deleted.
    "ALTER TABLE teams ADD COLUMN handed_over_to UUID",
    """CREATE TABLE team_ownerships (
  id UUID NOT NULL,
  team_id UUID NOT NULL,
  service_name TEXT,
  matchers JSONB,
  rank INTEGER DEFAULT 100 NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_team_ownerships PRIMARY KEY (id),
  CONSTRAINT fk_team_ownerships_team_id_teams FOREIGN KEY(team_id) REFERENCES teams (id)
)""",
    "CREATE INDEX ix_team_ownerships_team_id ON team_ownerships (team_id)",
    """CREATE TABLE team_ownership_version (
  singleton BOOLEAN DEFAULT true NOT NULL,
  version BIGINT NOT NULL,
  CONSTRAINT pk_team_ownership_version PRIMARY KEY (singleton),
  CONSTRAINT ck_team_ownership_version_one_row CHECK (singleton)
)""",
    "INSERT INTO team_ownership_version (version) VALUES (1)",
    """CREATE FUNCTION bump_team_ownership_version() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  UPDATE public.team_ownership_version SET version = version + 1;
  RETURN NULL;
END $$""",
    """CREATE TRIGGER team_ownerships_version AFTER INSERT OR UPDATE OR DELETE ON team_ownerships
FOR EACH STATEMENT EXECUTE FUNCTION bump_team_ownership_version()""",
    # What else decides whose an alert is: the name breaks ties, a private team is not for everybody to give to, and an
    # archived one takes no more.
    """CREATE TRIGGER teams_ownership_version AFTER UPDATE OF name, is_private, archived_at, handed_over_to ON teams
FOR EACH STATEMENT EXECUTE FUNCTION bump_team_ownership_version()""",
    "CREATE SEQUENCE team_events_seq",
    """CREATE TABLE team_events (
  xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
  seq BIGINT DEFAULT nextval('team_events_seq'::regclass) NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  id UUID NOT NULL,
  team_id UUID NOT NULL,
  kind TEXT NOT NULL,
  occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
  actor_kind TEXT NOT NULL,
  actor_id UUID,
  data JSONB DEFAULT '{}'::jsonb NOT NULL,
  CONSTRAINT pk_team_events PRIMARY KEY (xid, seq)
)""",
    "ALTER SEQUENCE team_events_seq OWNED BY team_events.seq",
    """CREATE TRIGGER team_events_append_only BEFORE UPDATE OR DELETE ON team_events FOR EACH ROW EXECUTE FUNCTION refuse_change()""",
    """CREATE TABLE team_handovers (
  id UUID NOT NULL,
  team_id UUID NOT NULL,
  to_team_id UUID NOT NULL,
  actor_kind TEXT NOT NULL,
  actor_id UUID,
  started_at TIMESTAMP WITH TIME ZONE NOT NULL,
  includes_resolved BOOLEAN DEFAULT false NOT NULL,
  archives BOOLEAN DEFAULT false NOT NULL,
  moved_alerts BIGINT DEFAULT 0 NOT NULL,
  finished_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_team_handovers PRIMARY KEY (id),
  CONSTRAINT fk_team_handovers_team_id_teams FOREIGN KEY(team_id) REFERENCES teams (id),
  CONSTRAINT fk_team_handovers_to_team_id_teams FOREIGN KEY(to_team_id) REFERENCES teams (id)
)""",
    "CREATE INDEX ix_team_handovers_team_id ON team_handovers (team_id, started_at)",
    "CREATE UNIQUE INDEX uq_team_handovers_running ON team_handovers (team_id) WHERE finished_at IS NULL",
)
DOWNGRADE = (
    "DROP TABLE team_handovers",
    "DROP TABLE team_events",
    "DROP SEQUENCE IF EXISTS team_events_seq",
    "DROP TRIGGER teams_ownership_version ON teams",
    "DROP TABLE team_ownerships",
    "DROP FUNCTION bump_team_ownership_version()",
    "DROP TABLE team_ownership_version",
    "ALTER TABLE teams DROP COLUMN handed_over_to",
    "ALTER TABLE teams DROP COLUMN description",
)


def upgrade() -> None:
    """Create the tables."""
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    """Drop them; what teams owned is lost."""
    for statement in DOWNGRADE:
        op.execute(statement)
