"""Does the log prove as much after an erasure as before (T10, GDPR Art. 17)? Nothing of the person has to leave it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from domain.identity.model import Role
from tests.api import Api, api_settings, running_api
from tests.integration.audit.conftest import SealedLog
from tests.integration.audit.test_commands import FOUND, INTACT, Program
from tests.integration.privacy.test_erasure import ALERT, erase, grace


@pytest.fixture
async def api(application_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(api_settings(application_url, tmp_path)) as opened:
        yield opened


async def test_after_an_erasure_the_log_is_whole_and_a_change_is_still_found(
    api: Api, log: SealedLog, superuser: asyncpg.Connection, application_url: str, tmp_path: Path
) -> None:
    person, admin = await grace(api), await api.person(Role.ADMIN)
    alert = (await api.change("createAlert", ALERT, "alert { id }", who=person))["alert"]
    await api.change("commentOnAlert", {"id": alert["id"], "text": "mine"}, "alert { id }", who=person)
    await api.data("{ users { nodes { email } } }", who=admin)
    await log.seal()
    await erase(api, person, who=admin, eraseComments=True)
    await api.data("{ users { nodes { email } } }", who=admin)
    await log.seal()
    environment = {"TOCSIN_DATABASE_URL": application_url, "TOCSIN_DATA_DIR": str(log.settings.data_dir)}
    program = Program(tmp_path)

    whole = await asyncio.to_thread(program.run, "audit", "verify", environment=environment)
    assert (whole.returncode, whole.stderr) == (INTACT, "")
    rows = await superuser.fetchval("SELECT count(*) FROM audit_log")
    assert f"{rows} rows in 2 seals, 2 heads outside: as they were sealed" in whole.stdout
    by_person = await superuser.fetchval("SELECT count(*) FROM audit_log WHERE actor_id = $1", person.id)
    assert by_person == 3, "what the erased person did is among what was verified: signed in, opened, commented"

    changed = await superuser.fetchval(
        "UPDATE audit_log SET actor_id = NULL WHERE actor_id = $1 AND action = 'commentOnAlert' RETURNING id", person.id
    )
    found = await asyncio.to_thread(program.run, "audit", "verify", environment=environment)
    assert found.returncode == FOUND
    assert f"row changed: seal 1, row {changed}: it is not what was sealed" in found.stdout
