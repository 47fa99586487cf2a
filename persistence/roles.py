"""What may the application's database role do? Less than the owner: it reads and writes rows, and history only grows.

The trigger on the append-only tables stops mistakes; the missing right stops whoever holds the application's password.
Rights are given on whole tables, never on their partitions: what is reached through the table needs none.
"""

from dataclasses import dataclass

import asyncpg
import structlog

from persistence.direct import DirectConnection

_log = structlog.get_logger(__name__)
APPEND_ONLY = ("audit_log", "audit_seals", "alert_events", "team_events", "alert_group_events", "alert_rule_events")
READ_ONLY = (
    "alembic_version",
    "log_epoch",
    "alert_counts_frontier",
    # Written by triggers alone.
    "alert_team_counts",
    "team_ownership_version",
    "correlation_version",
    "alert_rules_version",
)
_FORBIDDEN_ON_HISTORY = ("UPDATE", "DELETE", "TRUNCATE")


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleSeparation:
    """What `tocsin doctor` says of the role the application connects as."""

    role: str
    is_superuser: bool
    owns_tables: bool
    excess_rights: tuple[str, ...]

    @property
    def is_separate(self) -> bool:
        """Whether the role can neither alter nor shorten the history."""
        return not (self.is_superuser or self.owns_tables or self.excess_rights)


async def grant_application_role(owner: DirectConnection, role: str) -> bool:
    """Give the role exactly its rights, on tables and sequences as they are now. False when it is the owner itself."""
    quoted = await owner.fetchval("SELECT quote_ident(rolname) FROM pg_roles WHERE rolname = $1", role)
    if quoted is None:
        message = f"the application's database role {role!r} does not exist"
        raise LookupError(message)
    if await owner.fetchval("SELECT pg_has_role($1::name, current_user, 'MEMBER')", role):
        _log.warning("the application's database role is the owner's; the history is not protected from it", role=role)
        return False
    async with owner.transaction():
        database = await owner.fetchval("SELECT quote_ident(current_database())")
        await owner.execute(f"GRANT CONNECT ON DATABASE {database} TO {quoted}")
        await owner.execute(f"GRANT USAGE ON SCHEMA public TO {quoted}")
        await owner.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {quoted}")
        for table in await _tables(owner):
            await owner.execute(f"GRANT {_rights(table)} ON {table} TO {quoted}")
        await owner.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {quoted}")
    return True


def _rights(table: str) -> str:
    if table in APPEND_ONLY:
        return "SELECT, INSERT"
    return "SELECT" if table in READ_ONLY else "SELECT, INSERT, UPDATE, DELETE"


async def _tables(owner: DirectConnection) -> list[str]:
    rows = await owner.fetch(
        "SELECT quote_ident(relname) AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relkind IN ('r', 'p') AND NOT relispartition AND pg_has_role(relowner, 'MEMBER') ORDER BY relname"
    )
    return [row["name"] for row in rows]


async def check_role_separation(connection: DirectConnection) -> RoleSeparation:
    """What the connected role could do to the history."""
    row = await connection.fetchrow(
        "SELECT rolname, rolsuper, EXISTS (SELECT FROM pg_class WHERE relname = ANY($1::text[])"
        " AND relnamespace = 'public'::regnamespace AND pg_has_role(relowner, 'MEMBER')) AS owns"
        " FROM pg_roles WHERE rolname = current_user",
        list(APPEND_ONLY),
    )
    assert row is not None, "a session always has a role"  # noqa: S101  # for the type checker
    excess = await connection.fetch(
        "SELECT priv || ' ON ' || name AS excess FROM unnest($1::text[]) AS name, unnest($2::text[]) AS priv"
        " WHERE has_table_privilege(to_regclass(name), priv) ORDER BY 1",
        list(APPEND_ONLY),
        list(_FORBIDDEN_ON_HISTORY),
    )
    return RoleSeparation(
        role=row["rolname"],
        is_superuser=row["rolsuper"],
        owns_tables=row["owns"],
        excess_rights=tuple(item["excess"] for item in excess),
    )


async def check_application_role(database_url: str) -> RoleSeparation:
    """The same, for the role a URL signs in as."""
    connection = await asyncpg.connect(database_url)
    try:
        return await check_role_separation(connection)
    finally:
        await connection.close()
