"""Does an unmodified amtool work with an integration's key? Alerts, silences, configuration."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from domain.integrations.model import IntegrationSource
from tests.e2e.real_tools import Amtool, alert_rows, event_kinds
from tests.served_door import make_integration, opened_door, served

ALERT = ("alertname=DiskFull", "instance=db-01", "severity=critical")


@pytest.fixture
async def url(database_url: str) -> AsyncIterator[str]:
    async with opened_door(database_url) as (app, _), served(app) as address:
        yield address


@pytest.fixture(params=["bearer", "basic"])
async def amtool(request: pytest.FixtureRequest, tmp_path: Path, url: str, database: asyncpg.Connection) -> Amtool:
    _, key = await make_integration(database, IntegrationSource.PROMETHEUS)
    return Amtool(tmp_path, url=url, key=key, how=request.param)


async def test_alerts_are_added_and_found(amtool: Amtool, database: asyncpg.Connection) -> None:
    await amtool("alert", "add", *ALERT, "--annotation=summary=disk 95%", "--generator-url=http://prom/graph")
    await amtool("alert", "add", "alertname=Other", "instance=web-01")
    (disk, other) = await alert_rows(database)
    assert disk["title"] == "disk 95%"
    assert disk["severity"] == "critical"
    assert disk["labels"] == {"alertname": "DiskFull", "instance": "db-01", "severity": "critical"}

    (found,) = await amtool.json("alert", "query", 'instance=~"db-.*"')
    assert found["labels"] == disk["labels"]
    assert found["annotations"] == {"summary": "disk 95%"}
    assert found["generatorURL"] == "http://prom/graph"
    assert found["status"] == {"inhibitedBy": [], "silencedBy": [], "state": "active"}
    assert len(await amtool.json("alert", "query")) == 2
    assert await amtool.json("alert", "query", "alertname=Nothing") == []
    assert "DiskFull" in await amtool("alert", "query", "DiskFull")
    assert other["status"] == "active"


async def test_a_silence_marks_the_alerts_it_holds_and_its_end_unmarks_them(
    amtool: Amtool, database: asyncpg.Connection
) -> None:
    await amtool("alert", "add", *ALERT)
    await amtool("alert", "add", "alertname=Other")
    added = await amtool("silence", "add", "alertname=DiskFull", 'instance=~"db-.+"', "--comment=moving disks")
    silence_id = added.strip()

    disk, other = await alert_rows(database)
    assert [str(holder) for holder in disk["suppressed_by"]] == [silence_id]
    assert other["suppressed_by"] == []
    (silenced,) = await amtool.json("alert", "query", "--silenced")
    assert silenced["status"]["silencedBy"] == [silence_id]
    assert silenced["status"]["state"] == "suppressed"
    (active,) = await amtool.json("alert", "query")  # by default amtool leaves the silenced ones out
    assert active["labels"] == {"alertname": "Other"}

    await amtool("alert", "add", "alertname=DiskFull", "instance=db-02")  # arrives while the silence stands
    later = (await alert_rows(database))[2]
    assert [str(holder) for holder in later["suppressed_by"]] == [silence_id]

    await amtool("silence", "expire", silence_id)
    assert all(row["suppressed_by"] == [] for row in await alert_rows(database))
    assert await event_kinds(database, disk["id"]) == ["opened", "suppressed", "unsuppressed"]
    assert await event_kinds(database, later["id"]) == ["opened", "unsuppressed"]
    assert await amtool.json("silence", "query") == []
    (ended,) = await amtool.json("silence", "query", "--expired")
    assert ended["id"] == silence_id
    assert ended["status"]["state"] == "expired"


async def test_a_silence_is_listed_and_updated(amtool: Amtool, database: asyncpg.Connection) -> None:
    silence_id = (await amtool("silence", "add", "alertname=DiskFull", "--comment=c", "--author=me")).strip()
    (listed,) = await amtool.json("silence", "query")
    assert listed["id"] == silence_id
    assert listed["createdBy"] == "me"
    assert listed["matchers"] == [{"isEqual": True, "isRegex": False, "name": "alertname", "value": "DiskFull"}]
    assert await amtool.json("silence", "query", "alertname=Other") == []

    await amtool("silence", "update", silence_id, "--duration=4h", "--comment=longer")
    (updated,) = await amtool.json("silence", "query")
    assert updated["id"] == silence_id  # in place: only what is to come has changed
    assert updated["comment"] == "longer"
    assert updated["endsAt"] > listed["endsAt"]
    actions = [row["action"] for row in await database.fetch("SELECT action FROM audit_log ORDER BY id")]
    assert actions == ["createSilence", "updateSilence"]


async def test_silences_move_from_one_server_to_another(
    amtool: Amtool, url: str, tmp_path: Path, database: asyncpg.Connection
) -> None:
    """What `query` printed, `import` takes: in another place as new ones, in the same place twice."""
    for name, comment in (("DiskFull", "moving disks"), ("Other", "away")):
        await amtool("silence", "add", f"alertname={name}", 'instance=~"db-.+"', f"--comment={comment}", "--author=me")
    printed = await amtool.json("silence", "query")
    kept = tmp_path / "silences.json"
    kept.write_text(json.dumps(printed))

    _, other_key = await make_integration(database, IntegrationSource.PROMETHEUS)
    folder = tmp_path / "import"
    folder.mkdir()
    other = Amtool(folder, url=url, key=other_key)
    await other("alert", "add", *ALERT)
    await other("silence", "import", str(kept))
    imported = await other.json("silence", "query")

    def told(one: dict[str, Any]) -> tuple[Any, ...]:
        return (one["comment"], one["createdBy"], one["endsAt"][:19], json.dumps(one["matchers"]))

    assert sorted(map(told, imported)) == sorted(map(told, printed))
    assert {one["id"] for one in imported}.isdisjoint(one["id"] for one in printed)
    (row,) = await alert_rows(database)
    assert len(row["suppressed_by"]) == 1

    await amtool("silence", "import", str(kept))  # into its own place: known ids are updated, not doubled
    assert {one["id"] for one in await amtool.json("silence", "query")} == {one["id"] for one in printed}
    await amtool("silence", "import", "--force", str(kept))
    assert len(await amtool.json("silence", "query")) == 4
    ids = [one["id"] for one in await amtool.json("silence", "query", "alertname=Other")]
    assert len(ids) == 2
    await amtool("silence", "expire", *ids)
    assert {one["comment"] for one in await amtool.json("silence", "query")} == {"moving disks"}
    bounded = await amtool.json("silence", "query", "--within=30m")
    assert [one["comment"] for one in bounded] == []


async def test_what_the_protocol_cannot_say_stays_through_an_update(
    amtool: Amtool, database: asyncpg.Connection
) -> None:
    silence_id = (await amtool("silence", "add", "alertname=DiskFull", "--comment=c")).strip()
    await database.execute("UPDATE silences SET condition = 'alert.severity < HIGH' WHERE id = $1", UUID(silence_id))
    await amtool("silence", "update", silence_id, "--duration=4h")
    assert await database.fetchval("SELECT condition FROM silences WHERE id = $1", UUID(silence_id))
    await amtool("alert", "add", *ALERT)  # critical: the condition keeps it out
    (row,) = await alert_rows(database)
    assert row["suppressed_by"] == []


async def test_a_silence_may_not_last_for_ever(amtool: Amtool) -> None:
    refused = await amtool("silence", "add", "alertname=DiskFull", "--comment=c", "--duration=2y", fails=True)
    assert "at most 366 days" in refused


async def test_the_negative_operators_work(amtool: Amtool, database: asyncpg.Connection) -> None:
    for name in ("a", "b", "c"):
        await amtool("alert", "add", f"alertname={name}", "env=prod")
    await amtool("silence", "add", "env=prod", "alertname!=a", "alertname!~b|x", "--comment=c")
    marked = [row["labels"]["alertname"] for row in await alert_rows(database) if row["suppressed_by"]]
    assert marked == ["c"]


async def test_the_configuration_is_shown_and_its_routes_are_readable(amtool: Amtool) -> None:
    assert "receiver: tocsin" in await amtool("config", "show")
    assert "tocsin" in await amtool("config", "routes")
    assert "tocsin" in await amtool("config", "routes", "test", "severity=critical")
    assert "disabled" in await amtool("cluster", "show")


async def test_refusals_reach_the_person(amtool: Amtool, url: str, tmp_path: Path) -> None:
    assert "empty string" in await amtool("silence", "add", 'a=""', "--comment=c", fails=True)
    assert "404" in await amtool("silence", "expire", "01939000-0000-7000-8000-000000000001", fails=True)
    stranger = Amtool(tmp_path, url=url, key="tcs_wrong", how="bearer")
    assert "401" in await stranger("alert", "query", fails=True)


async def test_an_integration_sees_and_silences_its_own_alerts_only(
    amtool: Amtool, url: str, tmp_path: Path, database: asyncpg.Connection
) -> None:
    _, other_key = await make_integration(database, IntegrationSource.PROMETHEUS)
    other_folder = tmp_path / "other"
    other_folder.mkdir()
    other = Amtool(other_folder, url=url, key=other_key)
    await amtool("alert", "add", *ALERT)
    await other("alert", "add", *ALERT)
    silence_id = (await other("silence", "add", "alertname=DiskFull", "--comment=c")).strip()
    mine, theirs = await alert_rows(database)
    assert mine["suppressed_by"] == []
    assert [str(holder) for holder in theirs["suppressed_by"]] == [silence_id]
    assert len(await amtool.json("alert", "query")) == 1
    assert await amtool.json("silence", "query") == []
    await amtool("silence", "expire", silence_id, fails=True)
