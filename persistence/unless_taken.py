"""How is something written whose name may be taken? In a savepoint: the refusal costs the transaction nothing."""

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection


async def write_unless_taken(connection: AsyncConnection, statement: sa.Executable, *, unique: str) -> bool:
    """Execute; False when it breaks a unique index whose name begins with `unique`. Any other fault is raised."""
    try:
        async with connection.begin_nested():
            await connection.execute(statement)
    except IntegrityError as error:
        if unique not in str(error.orig):
            raise
        return False
    return True
