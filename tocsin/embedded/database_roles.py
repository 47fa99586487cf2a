"""Who may do what in the embedded database? The owner migrates; the application's role works, and cannot change tables.

What the application's role may do to each table is granted with the tables (persistence/roles.py), not here.
"""

import asyncpg

from tocsin.embedded.postgresql import EmbeddedPostgresql
from tocsin.embedded.state import APPLICATION, DATABASE, OWNER, EmbeddedState


async def ensure_database(server: EmbeddedPostgresql, state: EmbeddedState) -> None:
    """Make the two roles and the database where they are missing; set the passwords to the remembered ones."""
    connection = await asyncpg.connect(server.dsn(), timeout=10)
    try:
        for role, password in ((OWNER, state.owner_password), (APPLICATION, state.application_password)):
            if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role):
                await connection.execute(f"CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE")
            # Names are constants and passwords hexadecimal: nothing to quote. DDL takes no parameters.
            await connection.execute(f"ALTER ROLE {role} PASSWORD '{password}'")
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
            await connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
            await connection.execute(f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC")
        await connection.execute(f"GRANT CONNECT ON DATABASE {DATABASE} TO {APPLICATION}")
    finally:
        await connection.close()
