"""People get all that is kept about them, for themselves alone and for a while (T10; API1:2023)."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from domain.identity.model import Role
from domain.ids import new_id
from graphql_api.identity.cookies import ACCESS, cookie_name
from jobs.exports import expire_data_exports, make_data_exports
from persistence.objects import Objects, ObjectStoreUnavailable
from persistence.tables import audit_log, data_exports, identities
from tests.api import Api, Person
from tests.integration.privacy.conftest import copies_in_files

EXPORT = "export { id state url expiresAt sizeBytes user { id } requestedBy { id } }"
ALERT = {"title": "Disk full", "severity": "HIGH"}


async def ask(api: Api, who: Person, **more: object) -> dict[str, Any]:
    answer = await api.change("exportMyData", more, EXPORT, who=who)
    assert answer["__typename"] == "ExportMyDataSuccess", answer
    export: dict[str, Any] = answer["export"]
    return export


async def make(api: Api) -> int:
    return await make_data_exports(api.engine, api.settings, api.clock.now())


async def fetch(api: Api, export: dict[str, Any], who: Person | None) -> Any:  # noqa: ANN401 - an answer of the client
    return await api.http.get(f"/exports/{export['id']}", headers=api.headers(who))


async def test_a_person_gets_all_that_is_kept_about_them(api: Api, tmp_path: Path) -> None:
    team = await api.team("Core")
    person = await api.person(Role.OPERATOR, email="ada@example.com", teams=(team,))
    alert = (await api.change("createAlert", ALERT, "alert { id }", who=person))["alert"]
    comment = {"id": alert["id"], "text": "I looked at it"}
    await api.change("commentOnAlert", comment, "alert { id }", who=person)
    silence = {"matchers": [{"name": "alertname", "value": "Moved"}], "comment": "moving racks"}
    until = (api.clock.now() + timedelta(hours=1)).isoformat()
    await api.change("createSilence", {**silence, "endsAt": until}, "silence { id }", who=person)
    async with api.engine.begin() as connection:
        identity = {"provider": "google", "subject": "1234567890", "created_at": api.clock.now()}
        await connection.execute(sa.insert(identities).values(id=new_id(), user_id=person.id, **identity))
    export = await ask(api, person)
    assert (export["state"], export["url"]) == ("WAITING", None)
    assert await make(api) == 1
    (shown,) = (await api.data("{ dataExports { id state url sizeBytes } }", who=person))["dataExports"]
    assert shown["state"] == "READY"
    answer = await fetch(api, export, person)
    assert answer.status_code == 200
    assert len(answer.content) == shown["sizeBytes"] == int(answer.headers["content-length"])
    assert answer.headers["cache-control"] == "private, no-store"
    kept = json.loads(answer.content)
    assert kept["profile"]["email"] == "ada@example.com"
    assert [session["id"] for session in kept["sessions"]] == [str(person.session_id)]
    assert kept["memberships"][0]["team"] == "Core"
    assert [(one["provider"], one["subject"]) for one in kept["identities"]] == [("google", "1234567890")]
    assert set(kept) == {
        *("format", "createdAt", "profile", "sessions", "memberships", "apiKeys", "identities", "passkeys"),
        *("notifications", "scheduleOverrides", "shiftSwaps", "calendarFeeds", "drills", "auditEntriesByYou"),
        *("auditEntriesAboutYou", "alertEvents", "followedCalendars"),
        *("attachments", "dataExports", "contactMethods", "contactPreferences", "textMessages", "silences"),
    }
    assert [silence["comment"] for silence in kept["silences"]] == ["moving racks"]
    assert [event["comment"] for event in kept["alertEvents"] if event["kind"] == "commented"] == ["I looked at it"]
    assert {entry["action"] for entry in kept["auditEntriesByYou"]} >= {"createAlert", "commentOnAlert"}
    assert copies_in_files(tmp_path / "objects", "ada@example.com", "I looked at it") == [], "the file is sealed"


async def test_of_much_every_page_comes(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("persistence.export_sections.PAGE", 7)
    person = await api.person(Role.OPERATOR)
    alert = (await api.change("createAlert", ALERT, "alert { id }", who=person))["alert"]
    for number in range(20):
        await api.change("commentOnAlert", {"id": alert["id"], "text": f"note {number}"}, "alert { id }", who=person)
    export = await ask(api, person)
    await make(api)
    kept = (await fetch(api, export, person)).json()
    assert [event["comment"] for event in kept["alertEvents"] if event["comment"]] == [f"note {n}" for n in range(20)]
    assert len([entry for entry in kept["auditEntriesByYou"] if entry["action"] == "commentOnAlert"]) == 20


async def test_nobody_else_can_tell_that_there_is_one(api: Api) -> None:
    """Broken object level authorization (API1:2023): another's export looks like none, to administrators as well."""
    person, other, admin = [await api.person(role) for role in (Role.VIEWER, Role.MANAGER, Role.ADMIN)]
    export = await ask(api, person)
    await make(api)
    absent = {"id": "01a20c5a-94e5-7298-974a-3a44fd3ce6dc"}
    for who in (other, admin):
        refused, missing = await fetch(api, export, who), await fetch(api, absent, who)
        assert (refused.status_code, refused.content) == (missing.status_code, missing.content)
        assert refused.status_code == 404
        assert (await api.data("{ dataExports { id } }", who=who))["dataExports"] == []
    assert (await fetch(api, export, None)).status_code == 401
    assert (await fetch(api, {"id": "nonsense"}, person)).status_code == 404


async def test_an_administrator_does_it_on_a_persons_request_and_it_is_written_down(api: Api) -> None:
    person, admin, other = [await api.person(role) for role in (Role.VIEWER, Role.ADMIN, Role.ADMIN)]
    refused = await api.change("exportMyData", {"userId": str(admin.id)}, EXPORT, who=person)
    assert refused["code"] == "FORBIDDEN"
    missing = await api.change("exportMyData", {"userId": str(person.session_id)}, EXPORT, who=admin)
    assert missing["code"] == "NOT_FOUND"
    export = await ask(api, admin, userId=str(person.id))
    await make(api)
    assert (await fetch(api, export, admin)).json()["profile"]["id"] == str(person.id)
    assert (await fetch(api, export, person)).status_code == 200, "it is the person's own data"
    assert (await fetch(api, export, other)).status_code == 404
    async with api.engine.connect() as connection:
        rows = await connection.execute(
            sa.select(audit_log.c.action, audit_log.c.actor_id)
            .where(audit_log.c.target_id == person.id)
            .order_by(audit_log.c.occurred_at)
        )
    assert [tuple(row) for row in rows] == [
        ("exportMyData", admin.id),
        ("downloadDataExport", admin.id),
        ("downloadDataExport", person.id),
    ]


async def test_asked_twice_at_once_it_is_made_once(api: Api) -> None:
    person = await api.person(Role.VIEWER)
    asked = await asyncio.gather(*(ask(api, person) for _ in range(5)))
    assert len({export["id"] for export in asked}) == 1
    made = await asyncio.gather(make(api), make(api))
    assert sum(made) == 1


async def test_asked_again_soon_it_is_the_same_one(api: Api) -> None:
    """Unrestricted resource consumption (API4:2023): an export reads all that a person ever did."""
    person = await api.person(Role.VIEWER)
    first = await ask(api, person)
    await make(api)
    assert (await ask(api, person))["id"] == first["id"]
    assert await make(api) == 0
    async with api.engine.begin() as connection:
        earlier = data_exports.c.requested_at - timedelta(hours=2)
        await connection.execute(sa.update(data_exports).values(requested_at=earlier))
    assert (await ask(api, person))["id"] != first["id"]


async def test_after_its_time_it_is_gone(api: Api, tmp_path: Path) -> None:
    person = await api.person(Role.VIEWER)
    export = await ask(api, person)
    await make(api)
    api.clock.ahead = api.settings.export_retention + timedelta(seconds=1)
    assert (await fetch(api, export, person)).status_code == 404
    assert await expire_data_exports(api.engine, api.settings, api.clock.now()) >= 1
    assert not [path for path in (tmp_path / "objects" / "exports").rglob("*") if path.is_file()]
    (shown,) = (await api.data("{ dataExports { state url } }", who=person))["dataExports"]
    assert shown == {"state": "EXPIRED", "url": None}


async def test_a_job_that_died_is_done_by_the_next(api: Api, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    person = await api.person(Role.VIEWER)
    export = await ask(api, person)

    async def dies(*_: object, **__: object) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr("jobs.exports.finish_export", dies)
    with pytest.raises(asyncio.CancelledError):
        await make(api)
    monkeypatch.undo()
    assert await make(api) == 0, "claimed by the one that died"
    api.clock.ahead = timedelta(hours=1)
    assert await make(api) == 1
    assert (await fetch(api, export, person)).status_code == 200
    api.clock.ahead = timedelta(days=2)
    await expire_data_exports(api.engine, api.settings, api.clock.now())
    left = [path.name for path in (tmp_path / "objects" / "exports").rglob("*") if path.is_file()]
    assert left == [f"{export['id']}.2"], "the file of the job that died was swept"


async def test_a_store_that_is_away_is_tried_again_and_given_up_in_the_end(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await api.person(Role.VIEWER)
    await ask(api, person)

    async def away(*_: object, **__: object) -> None:
        message = "no such host"
        raise ObjectStoreUnavailable(message)

    monkeypatch.setattr(Objects, "put", away)
    for attempt in range(6):
        api.clock.ahead = timedelta(minutes=10 * attempt)
        assert await make(api) == 0
    async with api.engine.connect() as connection:
        row = (await connection.execute(sa.select(data_exports))).one()
    assert (row.state, row.attempts) == ("failed", 5)


async def test_a_file_that_was_swapped_for_another_is_not_served(api: Api, tmp_path: Path) -> None:
    ada, bob = await api.person(Role.VIEWER), await api.person(Role.VIEWER)
    first, second = await ask(api, ada), await ask(api, bob)
    await make(api)
    folder = tmp_path / "objects" / "exports"
    (folder / f"{first['id']}.1").write_bytes((folder / f"{second['id']}.1").read_bytes())
    with pytest.raises(Exception, match="does not open"):
        await fetch(api, first, ada)


async def test_an_export_is_a_stream_in_bounded_memory(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    person = await api.person(Role.VIEWER)
    export = await ask(api, person)
    largest = 0

    async def huge(*_: object, **__: object) -> Any:  # noqa: ANN401 - an async generator
        for _chunk in range(300):
            yield b"x" * 100_000

    original = Objects.put

    async def watched(self: Objects, key: str, body: Any) -> None:  # noqa: ANN401 - as above
        async def measured() -> Any:  # noqa: ANN401 - as above
            nonlocal largest
            async for piece in body:
                largest = max(largest, len(piece))
                yield piece

        await original(self, key, measured())

    monkeypatch.setattr("jobs.exports.export_document", huge)
    monkeypatch.setattr(Objects, "put", watched)
    assert await make(api) == 1
    assert largest < 300_000
    answer = await fetch(api, export, person)
    assert len(answer.content) == 30_000_000


async def test_a_signed_in_browser_follows_the_link_and_a_page_of_another_site_cannot(api: Api) -> None:
    """A link carries no header, so cookies count for it: from our own pages alone (ASVS 3.5)."""
    person = await api.person(Role.VIEWER)
    export = await ask(api, person)
    await make(api)
    cookie = {"cookie": f"{cookie_name(ACCESS, is_secure=True)}={person.token}"}
    for site, status in (("same-origin", 200), ("same-site", 401), ("cross-site", 401), ("none", 401)):
        headers = {**cookie, "sec-fetch-site": site}
        assert (await api.http.get(f"/exports/{export['id']}", headers=headers)).status_code == status, site


async def test_where_others_were_is_not_in_ones_own_export(api: Api) -> None:
    """API3:2023: what an administrator did about me is mine to know; the address they did it from is theirs."""
    person, admin = await api.person(Role.VIEWER), await api.person(Role.ADMIN)
    await api.change("changeUserRole", {"id": str(person.id), "role": "OPERATOR"}, "user { id }", who=admin)
    export = await ask(api, person)
    await make(api)
    kept = (await fetch(api, export, person)).json()
    (about,) = kept["auditEntriesAboutYou"]
    assert (about["action"], about["actorId"], "ipAddress" in about) == ("changeUserRole", str(admin.id), False)
    assert {entry["ipAddress"] for entry in kept["auditEntriesByYou"]} == {"127.0.0.1"}
