"""Does the log keep no more of an address than it is told to, by every way into it; and does it stay whole?"""

from pathlib import Path

import asyncpg
import pytest

from domain.identity.model import Role
from tests.api import api_settings, running_api
from tests.integration.audit.conftest import SealedLog

ENTRIES = """query($filter: AuditFilter) { auditEntries(filter: $filter) { nodes { action ipAddress } } }"""
ALERT = {"title": "Disk full", "severity": "HIGH"}


@pytest.mark.parametrize(("form", "kept"), [("full", "127.0.0.1"), ("network", "127.0.0.0/24"), ("none", None)])
async def test_no_more_is_kept_than_the_setting_says(
    application_url: str, tmp_path: Path, log: SealedLog, superuser: asyncpg.Connection, form: str, kept: str | None
) -> None:
    """ASVS 14.2: personal data that is not needed is not kept. Alerts are opened over a connection of their own."""
    async with running_api(api_settings(application_url, tmp_path, audit_addresses=form)) as api:
        admin = await api.person(Role.ADMIN)
        await api.change("createAlert", ALERT, "alert { id }", who=admin)
        await api.change("createTeam", {"name": "Core"}, "team { id }", who=admin)
        await api.change("login", {"email": "nobody@example.com", "password": "wrong"}, "accessToken", who=None)
        await api.data("{ users { nodes { email } } }", who=admin)
        wanted = {} if kept is None else {"ipAddress": "127.0.0.1"}
        found = (await api.data(ENTRIES, {"filter": wanted}, who=admin))["auditEntries"]["nodes"]
    assert {entry["action"] for entry in found} >= {"createAlert", "createTeam", "login"}
    assert {entry["ipAddress"] for entry in found} == {kept}
    assert await superuser.fetchval("SELECT count(*) FROM audit_log WHERE ip_address IS DISTINCT FROM $1", kept) == 0
    await log.seal()
    assert (await log.verify()).findings == []


async def test_entries_that_wait_for_their_seal_are_a_metric(
    application_url: str, tmp_path: Path, log: SealedLog
) -> None:
    async with running_api(api_settings(application_url, tmp_path)) as api:
        await log.write(3)
        text = (await api.http.get("/metrics")).text
        assert "tocsin_audit_unsealed_entries 3.0" in text
        assert "# TYPE tocsin_audit_unsealed_seconds gauge" in text
        await log.seal()
        text = (await api.http.get("/metrics")).text
        assert "tocsin_audit_unsealed_entries 0.0" in text
        assert "tocsin_audit_unsealed_seconds 0.0" in text
