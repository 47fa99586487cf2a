"""What do all tables share? The metadata, the enum types and the column shorthands."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg


class XID8(sa.types.UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction id, which never wraps."""

    cache_ok = True

    def get_col_spec(self, **_kw: object) -> str:
        """The type's name in DDL."""
        return "xid8"


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

OPEN = "status IN ('active','acknowledged','investigating')"

# Ascending, so that "worst first, newest first" is one index read backwards.
alert_severity = pg.ENUM("low", "medium", "high", "critical", name="alert_severity", create_type=False)
alert_status = pg.ENUM("active", "acknowledged", "investigating", "resolved", name="alert_status", create_type=False)
user_role = pg.ENUM("admin", "manager", "operator", "viewer", name="user_role", create_type=False)


def primary_id() -> sa.Column[object]:
    """The primary key: a UUIDv7 made by the domain."""
    return sa.Column("id", pg.UUID(as_uuid=True), primary_key=True)


def time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    """A UTC time."""
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def uuid(name: str, *, references: str | None = None, nullable: bool = True) -> sa.Column[object]:
    """An id, with a foreign key where `references` names one."""
    if references is None:
        return sa.Column(name, pg.UUID(as_uuid=True), nullable=nullable)
    return sa.Column(name, pg.UUID(as_uuid=True), sa.ForeignKey(references), nullable=nullable)


def json(name: str, *, default: str | None = "{}") -> sa.Column[object]:
    """A jsonb column; `default` None makes it nullable."""
    if default is None:
        return sa.Column(name, pg.JSONB, nullable=True)
    return sa.Column(name, pg.JSONB, nullable=False, server_default=sa.text(f"'{default}'::jsonb"))


def integer(name: str, default: int) -> sa.Column[object]:
    """A counter."""
    return sa.Column(name, sa.Integer, nullable=False, server_default=sa.text(str(default)))


def flag(name: str, *, default: bool) -> sa.Column[object]:
    """A boolean."""
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.text(str(default).lower()))
