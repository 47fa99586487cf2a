"""How does a client's build register its documents, and an operator look after them? At the command line.

Whoever may reach the database may register, from files, without signing in.

A `.json` file is a manifest, an object of hash and text as client builds write it; any other file is one document.
Checked as the mutation checks: against this version's schema and the settings' limits; of a bad one none is registered.
"""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

from domain.alerts.events import ActorKind
from domain.audit.model import AuditEntry
from domain.documents.actions import NewDocument, Registered, check_documents, register_documents
from domain.documents.model import MAX_AT_ONCE, TrustedDocument
from domain.errors import DomainError
from domain.ids import new_id
from domain.ports import SystemClock
from graphql_api.documents.checking import checker
from graphql_api.limits import Documents, Limits
from graphql_api.schema import build_schema
from persistence.engine import create_engine
from persistence.trusted_documents import page_of_documents
from persistence.unit_of_work import UnitOfWork
from tocsin.errors import StartError
from tocsin.settings import Settings

PAGE = 500


def register_files(settings: Settings, files: Sequence[Path], client_name: str | None) -> list[Registered]:
    """Register what the files hold, in one transaction; StartError names the file that is in the way."""
    documents = Documents(Limits.of(settings))
    check = checker(documents, build_schema(documents)._schema)  # noqa: SLF001 - strawberry has no public way to it
    now = SystemClock().now()
    made: list[TrustedDocument] = []
    for file in files:
        try:
            given = _read(file)
            for start in range(0, len(given), MAX_AT_ONCE):
                some = given[start : start + MAX_AT_ONCE]
                made += check_documents(some, check=check, client_name=client_name, created_by=None, now=now)
        except (OSError, ValueError) as error:
            raise StartError(f"{file}: {error}") from error
        except DomainError as error:
            raise StartError(f"{file}: {'.'.join(error.path)}: {error.message}") from error
    return asyncio.run(_write(settings, made)) if made else []


def broken_documents(settings: Settings) -> tuple[int, list[tuple[TrustedDocument, str]]]:
    """How many are registered, and those that this version or its limits would refuse, each with the reason."""
    documents = Documents(Limits.of(settings))
    check = checker(documents, build_schema(documents)._schema)  # noqa: SLF001 - as above
    registered = asyncio.run(_all(settings))
    broken = []
    for document in registered:
        try:
            check(document.body)
        except DomainError as error:
            broken.append((document, error.message))
    return len(registered), broken


async def _all(settings: Settings) -> list[TrustedDocument]:
    engine = create_engine(settings, pool_size=1)
    found: list[TrustedDocument] = []
    try:
        async with engine.connect() as connection:
            while page := await page_of_documents(connection, limit=PAGE, after=found[-1].id if found else None):
                found += page
    finally:
        await engine.dispose()
    return found


def _read(file: Path) -> list[NewDocument]:
    # Bytes, not lines: the hash is of the text as it is.
    text = file.read_bytes().decode()
    if file.suffix != ".json":
        return [NewDocument(body=text)]
    manifest = json.loads(text)
    if not isinstance(manifest, dict) or not all(isinstance(body, str) for body in manifest.values()):
        raise ValueError("a manifest is an object of hash and text")
    return [NewDocument(body=body, hash=hash_.removeprefix("sha256:")) for hash_, body in manifest.items()]


async def _write(settings: Settings, documents: Sequence[TrustedDocument]) -> list[Registered]:
    entry = AuditEntry(
        id=new_id(),
        occurred_at=documents[0].created_at,
        actor_kind=ActorKind.SYSTEM,
        action="registerDocuments",
        target_kind="trusted_document",
    )
    engine = create_engine(settings, pool_size=1)
    try:
        async with UnitOfWork(engine) as uow:
            registered = await register_documents(documents, unit=uow, entry=entry)
            await uow.commit()
            return registered
    finally:
        await engine.dispose()
