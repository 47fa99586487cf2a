"""A real `tocsin serve` over a database of the test's own, with its first administrator and integration."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from persistence.bootstrap import ensure_first_administrator, ensure_first_integration
from tests.api import SECRET, api_settings
from tests.e2e.running_program import wait_for
from tests.services import programs
from tests.services.answering import status_of
from tests.services.environment import inherited

ADMIN_EMAIL = "admin@example.com"
ADMIN_PASSWORD = "the-administrators-own-password"


@dataclass(frozen=True)
class ServedApi:
    """A running `tocsin serve`, what it logs, the first integration's key, its process."""

    url: str
    log: Path
    key: str
    pid: int


@contextmanager
def served_api(
    database_url: str, *, folder: Path, port: int, more: Mapping[str, str] | None = None
) -> Iterator[ServedApi]:
    """Start it, wait until it answers, and stop it at the end. `more` holds further settings."""
    settings = api_settings(database_url, folder, admin_email=ADMIN_EMAIL, admin_password=ADMIN_PASSWORD)
    ensure_first_administrator(settings)
    key = ensure_first_integration(settings)
    assert key is not None
    log = folder / "api.log"
    environment = {
        **inherited(),
        "TOCSIN_DATABASE_URL": database_url,
        "TOCSIN_DATA_DIR": str(folder),
        "TOCSIN_SECRET_KEY": SECRET,
        "TOCSIN_PORT": str(port),
        "TOCSIN_LOG_LEVEL": "debug",
        **(more or {}),
    }
    with log.open("wb") as file:
        process = programs.start("serve", environment=environment, output=file)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: status_of(f"{url}/livez") == HTTPStatus.OK, log.read_text)
        yield ServedApi(url, log, key, process.pid)
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def scheduler_beside(database_url: str, *, folder: Path, more: Mapping[str, str] | None = None) -> Iterator[Path]:
    """A `tocsin scheduler` over the same database; the file it logs to."""
    environment = {
        **inherited(),
        "TOCSIN_DATABASE_URL": database_url,
        "TOCSIN_DATA_DIR": str(folder),
        "TOCSIN_SECRET_KEY": SECRET,
        "TOCSIN_LOG_LEVEL": "debug",
        **(more or {}),
    }
    log = folder / "scheduler.log"
    with log.open("wb") as file:
        process = programs.start("scheduler", environment=environment, output=file)
    try:
        yield log
    finally:
        process.terminate()
        process.wait(20)
