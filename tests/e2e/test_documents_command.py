"""Does `tocsin documents register` trust what a client's build wrote, and nothing of it when one text is bad?"""

import json
from collections.abc import Iterator

import asyncpg
import pytest

from domain.documents.model import document_hash
from tests.e2e.running_program import Program
from tests.services.databases import run

ME = "query Me {\n  me { id }\n}\n"
VERSION = "{ serverInfo { version } }"


@pytest.fixture
def program(request: pytest.FixtureRequest) -> Iterator[Program]:
    program = Program(traced=request.node.get_closest_marker("traced") is not None)
    yield program
    program.close()


async def _registered(url: str) -> list[tuple[str, str | None, str | None]]:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch("SELECT hash, name, client_name FROM trusted_documents ORDER BY hash")
        return [(row["hash"], row["name"], row["client_name"]) for row in rows]
    finally:
        await connection.close()


async def _audited(url: str) -> list[dict[str, object]]:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(
            "SELECT after FROM audit_log WHERE action = 'registerDocuments' AND actor_kind = 'system'"
        )
        return [document for row in rows for document in json.loads(row["after"])["documents"]]
    finally:
        await connection.close()


@pytest.mark.traced
def test_files_and_manifests_are_registered(program: Program, database_url: str, application_url: str) -> None:
    document, manifest = program.folder / "me.graphql", program.folder / "persisted.json"
    document.write_text(ME)
    manifest.write_text(json.dumps({document_hash(VERSION): VERSION, document_hash(ME): ME}))
    command = ("documents", "register", str(document), str(manifest), "--client", "a build")
    environment = {"TOCSIN_DATABASE_URL": application_url}

    first = program.run(*command, environment=environment)
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.splitlines() == [
        f"registered sha256:{document_hash(ME)} Me",
        f"registered sha256:{document_hash(VERSION)}",
    ]
    expected = sorted([(document_hash(ME), "Me", "a build"), (document_hash(VERSION), None, "a build")])
    assert run(_registered(database_url)) == expected
    assert [one["isNew"] for one in run(_audited(database_url))] == [True, True]
    again = program.run(*command, environment=environment)
    assert again.stdout.count("known") == 2


def test_what_this_version_would_refuse_is_named(program: Program, database_url: str, application_url: str) -> None:
    document = program.folder / "me.graphql"
    document.write_text(ME)
    environment = {"TOCSIN_DATABASE_URL": application_url}
    registered = program.run("documents", "register", str(document), environment=environment)
    assert registered.returncode == 0
    well = program.run("documents", "check", environment=environment)
    assert (well.returncode, well.stdout) == (0, "1 registered, 0 would be refused\n")

    run(_forget_a_field(database_url))
    found = program.run("documents", "check", environment=environment)
    assert found.returncode == 1
    first, last = found.stdout.splitlines()
    assert first.startswith(f"sha256:{document_hash(ME)} Me: Cannot query field 'gone'")
    assert last == "1 registered, 1 would be refused"


async def _forget_a_field(url: str) -> None:
    """As if the schema had changed since."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("UPDATE trusted_documents SET body = replace(body, 'id', 'gone')")
    finally:
        await connection.close()


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("bad.graphql", "{ nothing }", "Cannot query field"),
        ("bad.json", json.dumps({"0" * 64: VERSION}), "is not the SHA-256"),
        ("bad.json", "[]", "an object of hash and text"),
        ("bad.json", "{", "Expecting"),
        ("absent.graphql", None, "No such file"),
    ],
)
def test_a_bad_one_is_named_and_none_is_registered(
    program: Program, application_url: str, name: str, text: str | None, says: str
) -> None:
    good, bad = program.folder / "good.graphql", program.folder / name
    good.write_text(ME)
    if text is not None:
        bad.write_text(text)
    environment = {"TOCSIN_DATABASE_URL": application_url}
    done = program.run("documents", "register", str(good), str(bad), environment=environment)
    assert done.returncode == 1
    assert done.stderr.startswith(f"tocsin: {bad}: ")
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert run(_registered(application_url)) == []
