"""Which servers does this start bring up? Those no URL was given for; the settings come back with their URLs."""

import asyncio

from tocsin.console import Progress
from tocsin.embedded import database_roles, folders, postgresql, programs, state, valkey
from tocsin.embedded.folders import Folders
from tocsin.embedded.postgresql import EmbeddedPostgresql
from tocsin.embedded.state import EmbeddedState
from tocsin.embedded.valkey import EmbeddedValkey
from tocsin.settings import Settings
from tocsin.supervisor import Supervisor, Unit

# Stopped after the roles (stage 1 and up), the database last.
STAGE_VALKEY = -1
STAGE_POSTGRESQL = -2


def start(settings: Settings, *, supervisor: Supervisor, progress: Progress) -> Settings:
    """Bring up what is missing under `supervisor` and return the settings that reach it.

    The data directory exists and is held by this process (folders.prepare_data_dir, folders.hold_data_dir).
    """
    if settings.database_url and settings.redis_url:
        return settings
    places = folders.locate(settings.data_dir)
    if places.moved:
        progress.line(
            f"The servers run as {places.account.name}, who cannot reach {places.data_dir}: "
            f"their data is in {places.servers}"
        )
    current = _settle(places)
    if not settings.database_url:
        _start_postgresql(places, current, supervisor=supervisor, progress=progress)
    if not settings.redis_url:
        _start_valkey(places, current, supervisor=supervisor, progress=progress)
    return _with_urls(settings, current)


def discover(settings: Settings) -> Settings:
    """The settings with the URLs of the servers embedded in the data directory, whether they run or not."""
    remembered = state.load(settings.data_dir)
    if remembered is None:
        return settings
    return _with_urls(settings, remembered)


def _with_urls(settings: Settings, current: EmbeddedState) -> Settings:
    found: dict[str, str] = {}
    if not settings.database_url:
        found |= {"database_url": current.application_url, "database_owner_url": current.owner_url}
    if not settings.redis_url:
        found |= {"redis_url": current.valkey_url}
    return settings.model_copy(update=found)


def _settle(places: Folders) -> EmbeddedState:
    """Ports and passwords of this start, kept before any server is made to know them."""
    remembered = state.load(places.data_dir) or EmbeddedState()
    # A last run that ended by SIGKILL may hold its ports for a moment more.
    postgresql_in(places, remembered).end_last_run()
    valkey_in(places, remembered).end_last_run()
    current = remembered.with_free_ports()
    state.save(places.data_dir, current)
    return current


def postgresql_in(places: Folders, current: EmbeddedState) -> EmbeddedPostgresql:
    """The PostgreSQL of these folders."""
    return EmbeddedPostgresql(
        folder=places.private("postgresql"),
        programs=programs.postgresql_programs(places),
        account=places.account,
        port=current.postgresql_port,
        password=current.superuser_password,
        log=places.logs / "postgresql.log",
    )


def valkey_in(places: Folders, current: EmbeddedState) -> EmbeddedValkey:
    """The Valkey of these folders."""
    return EmbeddedValkey(
        folder=places.private("valkey"),
        program=programs.valkey_program(places),
        account=places.account,
        port=current.valkey_port,
        password=current.valkey_password,
        log=places.logs / "valkey.log",
    )


def _start_postgresql(places: Folders, current: EmbeddedState, *, supervisor: Supervisor, progress: Progress) -> None:
    server = postgresql_in(places, current)
    if not server.initialised:
        with progress.step("Making the database cluster (once)"):
            server.initialise()
    with progress.step("Starting PostgreSQL"):
        process = supervisor.start(
            Unit("PostgreSQL", server.spawn, stop_steps=postgresql.STOP_STEPS, stage=STAGE_POSTGRESQL)
        )
        server.wait_until_ready(process)
        asyncio.run(database_roles.ensure_database(server, current))


def _start_valkey(places: Folders, current: EmbeddedState, *, supervisor: Supervisor, progress: Progress) -> None:
    server = valkey_in(places, current)
    with progress.step("Starting Valkey"):
        process = supervisor.start(Unit("Valkey", server.spawn, stop_steps=valkey.STOP_STEPS, stage=STAGE_VALKEY))
        server.wait_until_ready(process)
