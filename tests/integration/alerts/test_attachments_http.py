"""Do files come onto alerts, and back, by HTTP: streamed, named by their bytes, and never run by a browser?"""

import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
import sqlalchemy as sa
from moto.server import ThreadedMotoServer
from obstore.store import S3Store

from domain.alerts.attachments import object_key
from domain.identity.model import Role
from domain.ids import new_id
from persistence.objects import Objects, open_objects
from persistence.tables import alert_events, audit_log
from tests.alert_builder import an_alert
from tests.alert_rows import put_alerts
from tests.api import Api, Person, api_settings, running_api

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 3000
LIMIT = 1024 * 1024
BOUNDARY = b"-----x"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def api(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    settings = api_settings(module_database_url, tmp_path_factory.mktemp("api"), attachment_max_bytes=LIMIT)
    async with running_api(settings) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def operator(api: Api) -> Person:
    return await api.person(Role.OPERATOR)


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def _alert(api: Api, **fields: object) -> str:
    alert = an_alert(**fields)
    async with api.engine.begin() as connection:
        await put_alerts(connection, [alert])
    return str(alert.id)


async def _send(
    api: Api, alert_id: str, body: bytes, *, who: Person | None, name: str = "graph.png", **headers: str
) -> httpx2.Response:
    return await api.http.post(
        f"/attachments/{alert_id}", params={"fileName": name}, content=body, headers={**api.headers(who), **headers}
    )


def _form(*parts: tuple[str, str | None, bytes]) -> tuple[bytes, dict[str, str]]:
    body = b""
    for field, name, content in parts:
        file_name = b"" if name is None else b'; filename="' + name.encode() + b'"'
        body += b"--" + BOUNDARY + b'\r\nContent-Disposition: form-data; name="' + field.encode() + b'"' + file_name
        body += b"\r\nContent-Type: text/html\r\n\r\n" + content + b"\r\n"
    body += b"--" + BOUNDARY + b"--\r\n"
    return body, {"content-type": f"multipart/form-data; boundary={BOUNDARY.decode()}"}


def _stored(api: Api) -> list[Path]:
    folder = api.settings.data_dir / "objects"
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_a_file_goes_up_is_shown_comes_down_and_is_removed(api: Api, operator: Person) -> None:
    alert_id = await _alert(api)
    sent = await _send(api, alert_id, PNG, who=operator, name="../Größe 1.png")
    assert sent.status_code == 201, sent.text
    told = sent.json()
    assert (told["fileName"], told["contentType"], told["sizeBytes"]) == ("Größe 1.png", "image/png", len(PNG))
    assert told["sha256"] == hashlib.sha256(PNG).hexdigest()
    query = """query($id: ID!) { alert(id: $id) { version
        attachments { id fileName contentType sizeBytes sha256 url uploadedBy { id } }
        timeline { nodes { kind attachment { id fileName } } } } }"""
    shown = (await api.data(query, {"id": alert_id}, who=operator))["alert"]
    assert shown["attachments"] == [
        {
            "id": told["id"],
            "fileName": "Größe 1.png",
            "contentType": "image/png",
            "sizeBytes": len(PNG),
            "sha256": told["sha256"],
            "url": told["url"],
            "uploadedBy": {"id": str(operator.id)},
        }
    ]
    assert shown["timeline"]["nodes"] == [
        {"kind": "ATTACHMENT_ADDED", "attachment": {"id": told["id"], "fileName": "Größe 1.png"}}
    ]
    path = f"/attachments/{alert_id}/{told['id']}"
    viewer = await api.person(Role.VIEWER)
    got = await api.http.get(path, headers=api.headers(viewer))
    assert got.status_code == 200
    assert got.content == PNG
    assert got.headers["content-type"] == "image/png"
    assert got.headers["content-disposition"] == "attachment; filename*=UTF-8''Gr%C3%B6%C3%9Fe%201.png"
    assert got.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in got.headers["content-security-policy"]
    assert "default-src 'none'" in got.headers["content-security-policy"]
    removed = await api.change("deleteAttachment", {"id": told["id"]}, "alert { attachments { id } }", who=operator)
    assert removed["alert"] == {"attachments": []}
    assert (await api.http.get(path, headers=api.headers(viewer))).status_code == 404
    assert not any(told["id"] in str(stored) for stored in _stored(api))
    again = await api.change("deleteAttachment", {"id": told["id"]}, "alert { id }", who=operator)
    assert again["__typename"] == "NotFound"
    async with api.engine.connect() as connection:
        actions = await connection.scalars(
            sa.select(audit_log.c.action)
            .where(sa.cast(audit_log.c.target_id, sa.Text) == alert_id)
            .order_by(audit_log.c.id)
        )
        assert list(actions) == ["attachFile", "downloadAttachment", "deleteAttachment"]


async def test_a_form_brings_a_file_too(api: Api, operator: Person) -> None:
    alert_id = await _alert(api)
    body, headers = _form(("note", None, b"not the file"), ("file", "app.log", b"12:00 disk full\n" * 5000))
    sent = await api.http.post(f"/attachments/{alert_id}", content=body, headers={**api.headers(operator), **headers})
    assert sent.status_code == 201, sent.text
    told = sent.json()
    # The type is what the bytes say, not what the part claims.
    assert (told["fileName"], told["contentType"], told["sizeBytes"]) == ("app.log", "text/plain", 16 * 5000)
    got = await api.http.get(f"/attachments/{alert_id}/{told['id']}", headers=api.headers(operator))
    assert got.content == b"12:00 disk full\n" * 5000


@pytest.mark.parametrize(
    ("parts", "cut"),
    [
        ([("note", None, b"no file")], 0),
        ([("a", "a.txt", b"one"), ("b", "b.txt", b"two")], 0),
        ([("a", "a.txt", b"one" * 100)], 20),
        ([], 0),
    ],
)
async def test_a_form_without_one_whole_file_is_refused(
    api: Api, operator: Person, parts: list[tuple[str, str | None, bytes]], cut: int
) -> None:
    alert_id = await _alert(api)
    before = _stored(api)
    body, headers = _form(*parts)
    sent = await api.http.post(
        f"/attachments/{alert_id}", content=body[: len(body) - cut], headers={**api.headers(operator), **headers}
    )
    assert sent.status_code == 422, sent.text
    assert _stored(api) == before


@pytest.mark.parametrize(
    ("body", "name", "status"),
    [
        (b"<!DOCTYPE html><script>alert(1)</script>", "a.png", 415),
        (b"<svg onload=alert(1)>", "a.svg", 415),
        (b"\x7fELF" + bytes(100), "tool", 415),
        (b"", "empty.txt", 422),
        (b"text", "", 422),
        (b"text", "..", 422),
        (PNG + bytes(LIMIT), "big.png", 413),
    ],
)
async def test_a_file_that_is_not_taken_leaves_nothing_behind(
    api: Api, operator: Person, body: bytes, name: str, status: int
) -> None:
    alert_id = await _alert(api)
    before = _stored(api)
    sent = await _send(api, alert_id, body, who=operator, name=name)
    assert sent.status_code == status, sent.text
    assert sent.json()["code"] == "INVALID_INPUT"
    assert _stored(api) == before
    async with api.engine.connect() as connection:
        events = sa.select(sa.func.count()).where(sa.cast(alert_events.c.alert_id, sa.Text) == alert_id)
        assert await connection.scalar(events) == 0


async def test_a_stream_that_grows_beyond_the_limit_is_cut_off_while_it_comes(api: Api, operator: Person) -> None:
    alert_id = await _alert(api)
    before, sent_chunks = _stored(api), 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent_chunks
        yield PNG[:8]
        for _ in range(10_000):
            sent_chunks += 1
            yield bytes(64 * 1024)

    sent = await api.http.post(
        f"/attachments/{alert_id}", params={"fileName": "x.png"}, content=endless(), headers=api.headers(operator)
    )
    assert sent.status_code == 413
    assert sent_chunks <= LIMIT // (64 * 1024) + 1
    assert _stored(api) == before


async def test_who_may_not_see_the_alert_finds_neither_it_nor_its_files(api: Api) -> None:
    secret = await api.team(f"Secret {new_id()}", is_private=True)
    alert_id = await _alert(api, team_id=secret.id)
    member = await api.person(Role.OPERATOR, teams=(secret,))
    outsider = await api.person(Role.MANAGER)
    assert (await _send(api, alert_id, PNG, who=outsider)).status_code == 404
    told = (await _send(api, alert_id, PNG, who=member)).json()
    path = f"/attachments/{alert_id}/{told['id']}"
    assert (await api.http.get(path, headers=api.headers(outsider))).status_code == 404
    assert (await api.http.get(path, headers=api.headers(member))).status_code == 200
    # Right file, wrong alert.
    other = await _alert(api)
    assert (await api.http.get(f"/attachments/{other}/{told['id']}", headers=api.headers(member))).status_code == 404


async def test_roles_and_signing_in_count_here_too(api: Api) -> None:
    alert_id = await _alert(api)
    viewer = await api.person(Role.VIEWER)
    nobody = await _send(api, alert_id, PNG, who=None)
    assert (nobody.status_code, nobody.json()["code"]) == (401, "UNAUTHENTICATED")
    refused = await _send(api, alert_id, PNG, who=viewer)
    assert (refused.status_code, refused.json()["code"]) == (403, "FORBIDDEN")
    async with api.engine.connect() as connection:
        found = sa.select(audit_log.c.action, audit_log.c.outcome).where(audit_log.c.actor_id == viewer.id)
        assert (await connection.execute(found)).all() == [("attachFile", "refused")]
    assert (await api.http.get(f"/attachments/{alert_id}/{new_id()}")).status_code == 401
    for unknown in (str(new_id()), "x"):
        assert (await _send(api, unknown, PNG, who=await api.person(Role.OPERATOR))).status_code == 404


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Objects]:
    """An S3-compatible server, reached as in production: by a URL and the usual variables."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT": f"http://{host}:{port}",
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "tests",
        "AWS_SECRET_ACCESS_KEY": "tests-only",
        "AWS_REGION": "eu-central-1",
    }.items():
        monkeypatch.setenv(name, value)
    objects = open_objects("s3://evidence/tocsin")
    assert isinstance(objects.store, S3Store)
    yield objects
    server.stop()


async def _bytes(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def _all(objects: Objects, key: str) -> bytes:
    return b"".join([chunk async for chunk in await objects.get(key)])


async def test_s3_keeps_and_gives_back_and_forgets(s3: Objects) -> None:
    assert s3.store is not None
    async with httpx2.AsyncClient() as http:
        await http.put(f"{os.environ['AWS_ENDPOINT']}/evidence")
    key = object_key(new_id(), new_id())
    # More than one part of a multipart upload.
    body = os.urandom(6 * 1024 * 1024)
    await s3.put(key, _bytes(body[:100], body[100:]))
    assert await _all(s3, key) == body
    await s3.discard(key)
    with pytest.raises(FileNotFoundError):
        await s3.get(key)
    await s3.discard(key)


async def test_s3_keeps_nothing_of_a_stream_that_broke(s3: Objects) -> None:
    async with httpx2.AsyncClient() as http:
        await http.put(f"{os.environ['AWS_ENDPOINT']}/evidence")

    async def broken() -> AsyncIterator[bytes]:
        yield b"begin"
        message = "cut"
        raise ConnectionError(message)

    key = object_key(new_id(), new_id())
    with pytest.raises(ConnectionError, match="cut"):
        await s3.put(key, broken())
    with pytest.raises(FileNotFoundError):
        await s3.get(key)


async def test_the_sweep_removes_what_no_record_names(api: Api, operator: Person) -> None:
    alert_id = await _alert(api)
    kept = (await _send(api, alert_id, PNG, who=operator)).json()
    objects = open_objects(api.settings.effective_object_store_url)
    orphan = object_key(new_id(), new_id())
    await objects.put(orphan, _bytes(b"half an upload"))
    now = api.clock.now()
    async with api.engine.connect() as connection:
        assert await objects.sweep(connection, now) == 0
        assert await objects.sweep(connection, now + timedelta(days=2)) == 1
    with pytest.raises(FileNotFoundError):
        await objects.get(orphan)
    got = await api.http.get(f"/attachments/{alert_id}/{kept['id']}", headers=api.headers(operator))
    assert got.content == PNG
