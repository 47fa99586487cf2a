"""What messages to persons are made of."""

from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

UPGRADE: tuple[str, ...] = (
    """CREATE TABLE person_message_templates (
  id UUID NOT NULL,
  team_id UUID,
  medium TEXT NOT NULL,
  kind TEXT NOT NULL,
  subject TEXT,
  source TEXT NOT NULL,
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
  failures INTEGER DEFAULT 0 NOT NULL,
  problem TEXT,
  problem_at TIMESTAMP WITH TIME ZONE,
  version INTEGER DEFAULT 1 NOT NULL,
  CONSTRAINT pk_person_message_templates PRIMARY KEY (id),
  CONSTRAINT fk_person_message_templates_team_id_teams FOREIGN KEY(team_id) REFERENCES teams (id)
)""",
    """CREATE UNIQUE INDEX uq_person_message_templates_team ON person_message_templates (team_id, medium, kind)
 WHERE team_id IS NOT NULL""",
    """CREATE UNIQUE INDEX uq_person_message_templates ON person_message_templates (medium, kind)
 WHERE team_id IS NULL""",
)
DOWNGRADE: tuple[str, ...] = ("DROP TABLE person_message_templates",)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWNGRADE:
        op.execute(statement)
