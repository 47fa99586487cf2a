"""How does the application talk to PostgreSQL? One engine a process, straight to the server, with limits set.

asyncpg behind a transaction-mode pooler is unsupported (prepared statements and advisory locks belong to a session),
so SQLAlchemy's own pool connects directly.
"""

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson
import sqlalchemy as sa
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from domain.audit.addresses import AddressForm
from persistence.audit import ADDRESSES_OPTION
from persistence.sealing import SEALER_OPTION, LazySealer
from tocsin.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.pool import ConnectionPoolEntry

# A long write transaction stalls everyone who reads the log in safe order (persistence/event_log.py), so a session
# that idles inside one is ended.
IDLE_IN_TRANSACTION = timedelta(seconds=15)
WAIT_FOR_CONNECTION = timedelta(seconds=5)
PING_AFTER = timedelta(seconds=5)
_USED_AT = "used_at"


def dump_json(value: object) -> str:
    """JSON for a jsonb parameter: UUIDs and times become text."""
    return orjson.dumps(value).decode()


def _milliseconds(duration: timedelta) -> str:
    return str(int(duration.total_seconds() * 1000))


def create_engine(settings: Settings, *, pool_size: int | None = None) -> AsyncEngine:
    """An engine for this event loop. It connects on first use, so a database that is down does not stop a start."""
    engine = create_async_engine(
        settings.database_sqlalchemy_url,
        pool_size=pool_size or settings.db_pool_size,
        max_overflow=0,
        pool_timeout=WAIT_FOR_CONNECTION.total_seconds(),
        json_serializer=dump_json,
        json_deserializer=orjson.loads,
        # Repositories find it by their connection: persistence/sealing.py.
        execution_options={
            SEALER_OPTION: LazySealer(settings),
            ADDRESSES_OPTION: AddressForm(settings.audit_addresses),
        },
        connect_args={
            "timeout": settings.db_connect_timeout.total_seconds(),
            "server_settings": {
                "application_name": "tocsin",
                "timezone": "UTC",
                # Compiling costs more than it gains on statements this short.
                "jit": "off",
                "statement_timeout": _milliseconds(settings.db_statement_timeout),
                "idle_in_transaction_session_timeout": _milliseconds(IDLE_IN_TRANSACTION),
            },
        },
    )
    _leave_out_dead_connections(engine)
    return engine


def _leave_out_dead_connections(engine: AsyncEngine) -> None:
    """Hand out no connection that a restarted PostgreSQL has closed: without this each fails one request.

    SQLAlchemy's own ping costs three round trips with this driver, as much as a short read. The driver knows when the
    server closed a connection; only one that nobody used for a while, whose end may have got lost on the way, is asked.
    """

    def note_time(_connection: object, record: "ConnectionPoolEntry") -> None:
        record.info[_USED_AT] = time.monotonic()

    def check(connection: Any, record: "ConnectionPoolEntry", _proxy: object) -> None:  # noqa: ANN401 - the driver's own
        used_at = record.info.get(_USED_AT)
        if used_at is None:
            return  # made just now
        is_dead = connection.driver_connection.is_closed()
        if not is_dead and time.monotonic() - used_at > PING_AFTER.total_seconds():
            try:
                is_dead = not engine.dialect.do_ping(connection)
            except (engine.dialect.loaded_dbapi.Error, OSError):
                is_dead = True
        if is_dead:
            raise DisconnectionError

    sa.event.listen(engine.sync_engine, "checkin", note_time)
    sa.event.listen(engine.sync_engine, "checkout", check)
