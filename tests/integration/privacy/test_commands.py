"""What an operator types: an upgrade that seals, the key that is changed, the erasures that are done again (T3)."""

import asyncio
import subprocess
from pathlib import Path

import asyncpg
import pytest
from alembic import command

from tests.api import SECRET
from tests.integration.privacy.conftest import copies_in, dump
from tests.integration.test_migrations import alembic_config
from tests.services import programs
from tests.services.environment import inherited

NEW = "another secret of this installation, as long"
FORMER = "a former secret of this installation; long"
PLAIN = """
INSERT INTO users (id, email, email_digest, first_name, role, created_at)
SELECT gen_random_uuid(), 'person' || n || '@example.com', sha256(n::text::bytea), 'Försti' || n, 'admin', now()
  FROM generate_series(1, 30) AS n
"""


@pytest.fixture
def filled(empty_database_url: str) -> str:
    """A database of before anything was sealed, with people in it."""
    command.upgrade(alembic_config(empty_database_url), "0011")
    asyncio.run(_execute(empty_database_url, PLAIN))
    return empty_database_url


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def tocsin(*arguments: str, url: str, data_dir: Path, **more: str) -> subprocess.CompletedProcess[str]:
    variables = {"TOCSIN_DATABASE_URL": url, "TOCSIN_DATA_DIR": str(data_dir), "TOCSIN_SECRET_KEY": FORMER, **more}
    return programs.run(*arguments, environment={**inherited(traced=True), **variables}, seconds=120)


def test_an_upgrade_seals_and_the_key_is_changed(filled: str, tmp_path: Path) -> None:
    migrated = tocsin("migrate", url=filled, data_dir=tmp_path)
    assert migrated.returncode == 0, migrated.stderr
    assert copies_in(dump(filled), "person7@example.com", "Försti7") == []
    assert "person" not in migrated.stdout + migrated.stderr

    status = tocsin("keys", "status", url=filled, data_dir=tmp_path)
    assert (status.returncode, "30 under" in status.stdout, "the present key" in status.stdout) == (0, True, True)

    changed = {"TOCSIN_SECRET_KEY": NEW, "TOCSIN_OLDER_SECRET_KEYS": FORMER}
    before = tocsin("keys", "status", url=filled, data_dir=tmp_path, **changed)
    assert (before.returncode, "a former key" in before.stdout) == (1, True)
    rotated = tocsin("keys", "rotate", url=filled, data_dir=tmp_path, **changed)
    assert rotated.returncode == 0, rotated.stderr
    assert "nothing is left under a former key" in rotated.stdout
    assert "person_keys.wrapped" in rotated.stderr, "progress is told beside the answer"
    after = tocsin("keys", "status", url=filled, data_dir=tmp_path, TOCSIN_SECRET_KEY=NEW)
    assert (after.returncode, "former" in after.stdout) == (0, False)


def test_without_the_key_nothing_is_touched(filled: str, tmp_path: Path) -> None:
    assert tocsin("migrate", url=filled, data_dir=tmp_path).returncode == 0
    lost = tocsin("keys", "rotate", url=filled, data_dir=tmp_path, TOCSIN_SECRET_KEY=SECRET)
    assert lost.returncode == 1
    assert "TOCSIN_OLDER_SECRET_KEYS" in lost.stdout + lost.stderr
    assert "Traceback" not in lost.stderr
    assert tocsin("keys", "status", url=filled, data_dir=tmp_path).returncode == 0
    refused = tocsin("migrate", url=filled, data_dir=tmp_path, TOCSIN_SECRET_KEY=NEW)
    assert refused.returncode == 1
    assert "another secret" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_ledger_that_cannot_be_read_is_one_line(filled: str, tmp_path: Path) -> None:
    assert tocsin("migrate", url=filled, data_dir=tmp_path).returncode == 0
    done = tocsin("erasures", "reapply", url=filled, data_dir=tmp_path)
    assert (done.returncode, done.stdout) == (0, "0 people were erased again\n")
    store = {"AWS_ENDPOINT": "http://127.0.0.1:9", "AWS_ALLOW_HTTP": "1"}
    away = {"TOCSIN_ERASURE_LEDGER_URL": "s3://no-such-bucket", **store}
    keys = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_REGION": "us-east-1"}
    refused = tocsin("erasures", "reapply", url=filled, data_dir=tmp_path, **away, **keys)
    assert refused.returncode == 1
    assert "TOCSIN_ERASURE_LEDGER_URL" in refused.stderr
    assert "Traceback" not in refused.stderr
