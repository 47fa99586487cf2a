"""Which real servers do the tests run against? Those of TOCSIN_TEST_*_URL, else throw-away ones started here.

Each process of the test run (each xdist worker) starts its own, when a test first asks. They must not share one: what
has been committed becomes visible to the log's readers in the order of transactions of the *whole server*, so a
transaction in one worker's database would hold up the events in another's. A given server is shared, so then run with
JOBS=0. A server ends with the process that started it, however that ends (tocsin/processes.py).
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.services import elasticsearch, rabbitmq, timescale
from tests.services.errors import UnavailableError
from tests.services.ports import free_port
from tocsin.embedded import folders, postgresql, programs, valkey
from tocsin.embedded.folders import Folders
from tocsin.embedded.postgresql import EmbeddedPostgresql
from tocsin.embedded.valkey import EmbeddedValkey
from tocsin.errors import StartError
from tocsin.supervisor import StopStep, stop

CACHE = Path(__file__).resolve().parent.parent.parent / ".services"
POSTGRESQL = "TOCSIN_TEST_DATABASE_URL"
TIMESCALE = "TOCSIN_TEST_TIMESCALE_URL"
REDIS = "TOCSIN_TEST_REDIS_URL"
ELASTICSEARCH = "TOCSIN_TEST_ELASTICSEARCH_URL"
RABBITMQ = "TOCSIN_TEST_RABBITMQ_URL"
UNAVAILABLE = "unavailable:"
PASSWORD = "tests-only"
# A killed server process loses nothing it has written, so the tests need no fsync: it would only wear the disk.
SETTINGS: Mapping[str, str] = {
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    # Statistics are written by transactions of their own, at moments of the server's choosing.
    "autovacuum": "off",
}
MEMORY = Path("/dev/shm")  # noqa: S108 - a private folder is made in it
MEMORY_BYTES = 4 * 1024**3
TIMESCALE_SETTINGS: Mapping[str, str] = {
    **SETTINGS,
    "shared_preload_libraries": "timescaledb",
    "timescaledb.telemetry_level": "off",
    "timescaledb.license": "apache",
    # Hundreds of databases come and go: a scheduler in each would hold them open while they are dropped.
    "timescaledb.max_background_workers": "0",
}


class Services:
    """The servers of one test run."""

    def __init__(self) -> None:
        self._stops: list[Callable[[], None]] = []
        self._starters: Mapping[str, Callable[[], str]] = {
            POSTGRESQL: self._start_postgresql,
            TIMESCALE: self._start_timescale,
            REDIS: self._start_valkey,
            ELASTICSEARCH: self._start_elasticsearch,
            RABBITMQ: self._start_rabbitmq,
        }

    def url(self, variable: str) -> str:
        """The address of a service, started if need be. UnavailableError when this machine cannot run it."""
        if variable not in os.environ:
            try:
                os.environ[variable] = self._starters[variable]()
            except (UnavailableError, StartError) as error:
                os.environ[variable] = f"{UNAVAILABLE}{error}"
        address = os.environ[variable]
        if address.startswith(UNAVAILABLE):
            raise UnavailableError(address.removeprefix(UNAVAILABLE))
        return address

    def stop_all(self) -> None:
        """Stop what was started here and remove its data."""
        while self._stops:
            self._stops.pop()()

    def _start_postgresql(self) -> str:
        places = self._places("postgresql")
        return self._run_postgresql(places, programs.postgresql_programs(places), SETTINGS)

    def _start_timescale(self) -> str:
        places = self._places("timescale")
        installed = timescale.installation(CACHE)
        usable = programs.usable(places, installed, installed.name, "bin/postgres")
        return self._run_postgresql(places, usable, TIMESCALE_SETTINGS)

    def _run_postgresql(self, places: Folders, installed: Path, settings: Mapping[str, str]) -> str:
        server = EmbeddedPostgresql(
            folder=places.private("postgresql"),
            programs=installed,
            account=places.account,
            port=free_port(),
            password=PASSWORD,
            log=places.logs / "postgresql.log",
            extra_settings=settings,
        )
        server.initialise()
        process = self._keep(server.spawn(), postgresql.STOP_STEPS)
        server.wait_until_ready(process)
        return server.dsn()

    def _start_valkey(self) -> str:
        places = self._places("valkey")
        server = EmbeddedValkey(
            folder=places.private("valkey"),
            program=programs.valkey_program(places),
            account=places.account,
            port=free_port(),
            password=PASSWORD,
            log=places.logs / "valkey.log",
        )
        process = self._keep(server.spawn(), valkey.STOP_STEPS)
        server.wait_until_ready(process)
        return f"redis://:{PASSWORD}@127.0.0.1:{server.port}/0"

    def _start_elasticsearch(self) -> str:
        server = elasticsearch.server_in(self._places("elasticsearch"), CACHE, free_port())
        process = self._keep(server.spawn(), elasticsearch.STOP_STEPS)
        server.wait_until_ready(process)
        return server.url

    def _start_rabbitmq(self) -> str:
        server = rabbitmq.server_in(self._places("rabbitmq"))
        self._keep(server.spawn_epmd(), rabbitmq.STOP_STEPS)
        process = self._keep(server.spawn(), rabbitmq.STOP_STEPS)
        server.wait_until_ready(process)
        return server.url

    def _places(self, name: str) -> Folders:
        folder = Path(tempfile.mkdtemp(prefix=f"tocsin-test-{name}-", dir=scratch()))
        self._stops.append(lambda: shutil.rmtree(folder, ignore_errors=True))
        if os.geteuid() == 0:
            folder.chmod(folders.PASS_THROUGH)  # our own folder: the servers' user passes through it
        return folders.locate(folder)

    def _keep(self, process: subprocess.Popen[bytes], steps: tuple[StopStep, ...]) -> subprocess.Popen[bytes]:
        self._stops.append(lambda: stop(process, steps))
        return process


def scratch() -> Path | None:
    """In memory where there is plenty: hundreds of databases are copied and dropped. None for the usual place.

    None also where no program may be started from it: those of servers may be copied beside their data.
    """
    if not os.access(MEMORY, os.W_OK):
        return None
    room = os.statvfs(MEMORY)
    if room.f_flag & os.ST_NOEXEC:
        return None
    return MEMORY if room.f_bavail * room.f_frsize >= MEMORY_BYTES else None
