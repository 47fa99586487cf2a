"""Which real servers do the tests run against? Those of TOCSIN_TEST_*_URL, else throw-away ones started here.

Each is started when first asked for, by the process that asks: without xdist that is the test run itself, with xdist
the controller asks for all before it starts the workers, which find the addresses in their environment. A server ends
with the process that started it, however that ends (tocsin/processes.py), and its folder goes with it.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.services import timescale
from tests.services.errors import UnavailableError
from tocsin.embedded import folders, postgresql, programs, valkey
from tocsin.embedded.folders import Folders
from tocsin.embedded.postgresql import EmbeddedPostgresql
from tocsin.embedded.state import free_port
from tocsin.embedded.valkey import EmbeddedValkey
from tocsin.errors import StartError
from tocsin.supervisor import StopStep, stop

CACHE = Path(__file__).resolve().parent.parent.parent / ".services"
POSTGRESQL = "TOCSIN_TEST_DATABASE_URL"
TIMESCALE = "TOCSIN_TEST_TIMESCALE_URL"
REDIS = "TOCSIN_TEST_REDIS_URL"
UNAVAILABLE = "unavailable:"
PASSWORD = "tests-only"
# A killed server process loses nothing it has written, so the tests need no fsync: it would only wear the disk.
SETTINGS: Mapping[str, str] = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "64MB"}
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

    def start_all(self, say: Callable[[str], None]) -> None:
        """Start every service, for workers that will inherit the addresses."""
        for variable in self._starters:
            given = variable in os.environ
            try:
                self.url(variable)
                say(f"{variable}: {'given' if given else 'started for this run'}")
            except UnavailableError as error:
                say(f"{variable}: unavailable: {error}")

    def stop_all(self) -> None:
        """Stop what was started here and remove its data."""
        while self._stops:
            self._stops.pop()()

    def _start_postgresql(self) -> str:
        places = self._places("postgresql")
        return self._run_postgresql(places, programs.postgresql_programs(places), SETTINGS)

    def _start_timescale(self) -> str:
        CACHE.mkdir(exist_ok=True)
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

    def _places(self, name: str) -> Folders:
        folder = Path(tempfile.mkdtemp(prefix=f"tocsin-test-{name}-"))
        self._stops.append(lambda: shutil.rmtree(folder, ignore_errors=True))
        if os.geteuid() == 0:
            folder.chmod(folders.PASS_THROUGH)  # our own folder: the servers' user passes through it
        return folders.locate(folder)

    def _keep(self, process: subprocess.Popen[bytes], steps: tuple[StopStep, ...]) -> subprocess.Popen[bytes]:
        self._stops.append(lambda: stop(process, steps))
        return process
