"""When was each kind of due work last begun by a worker?"""

import sqlalchemy as sa

from persistence.tables.base import metadata, time

due_marks = sa.Table("due_marks", metadata, sa.Column("work", sa.Text, primary_key=True), time("begun_at"))
