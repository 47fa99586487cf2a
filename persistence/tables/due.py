"""When was each kind of due work last begun by a worker, and when did it last fail? What was set aside as it fails?"""

import sqlalchemy as sa

from persistence.tables.base import integer, metadata, time

due_marks = sa.Table(
    "due_marks",
    metadata,
    sa.Column("work", sa.Text, primary_key=True),
    time("begun_at"),
    # In a row; none once it went well again.
    integer("failures", 0),
    time("failed_at", nullable=True),
    sa.Column("problem", sa.Text, nullable=True),
)

# One thing that its work fails on, whatever it is; the rest goes on without it, and it is tried again at its time.
set_aside = sa.Table(
    "set_aside",
    metadata,
    sa.Column("work", sa.Text, primary_key=True),
    sa.Column("subject_id", sa.Uuid(), primary_key=True),
    integer("failures", 1),
    sa.Column("problem", sa.Text, nullable=False),
    time("first_at"),
    time("last_at"),
    time("next_at"),
)
