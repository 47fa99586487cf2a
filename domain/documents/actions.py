"""How does a document become trusted, and cease to be? Checked against the schema as it is now, and on the audit log.

A document's hash is its identity, so registering is idempotent by nature: the same text again finds the row there is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from domain.audit.model import AuditEntry
from domain.documents.model import (
    MAX_AT_ONCE,
    MAX_BODY,
    MAX_CLIENT_NAME,
    MAX_NAME,
    TrustedDocument,
    document_hash,
    is_hash,
)
from domain.documents.ports import CheckDocument, DocumentsUnit
from domain.errors import InvalidInput, NotFound
from domain.ids import new_id
from domain.text import checked_text


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDocument:
    """A text to be trusted. A hash that is given must be that of the text: the client's build then agrees with us."""

    body: str
    hash: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A document that is trusted, and whether it was made so just now."""

    document: TrustedDocument
    is_new: bool


def check_documents(
    given: Sequence[NewDocument],
    *,
    check: CheckDocument,
    client_name: str | None,
    created_by: UUID | None,
    now: datetime,
) -> list[TrustedDocument]:
    """The documents to be; InvalidInput names the first that cannot be trusted. Then none is registered."""
    if not 1 <= len(given) <= MAX_AT_ONCE:
        raise InvalidInput(f"give 1 to {MAX_AT_ONCE} documents at once", ("documents",))
    client = None if client_name is None else checked_text(client_name, limit=MAX_CLIENT_NAME, path=("clientName",))
    made = []
    for place, one in enumerate(given):
        path = ("documents", str(place))
        hash_ = document_hash(one.body)
        if one.hash is not None and one.hash != hash_:
            what = "is not the SHA-256 of the body" if is_hash(one.hash) else "is not 64 lower-case hexadecimal digits"
            raise InvalidInput(f"the hash {what}", (*path, "hash"))
        if len(one.body.encode(errors="surrogatepass")) > MAX_BODY:
            raise InvalidInput(f"a trusted document has at most {MAX_BODY} bytes", (*path, "body"))
        try:
            names = check(one.body)
        except InvalidInput as error:
            raise InvalidInput(error.message, (*path, "body")) from None
        made.append(
            TrustedDocument(
                id=new_id(),
                hash=hash_,
                body=one.body,
                name=", ".join(names)[:MAX_NAME] or None,
                client_name=client,
                created_at=now,
                created_by=created_by,
            )
        )
    return made


async def register_documents(
    documents: Sequence[TrustedDocument], *, unit: DocumentsUnit, entry: AuditEntry
) -> list[Registered]:
    """Write what is not there yet, with the audit entry; the answer is in the order given, each text once."""
    wanted = {document.hash: document for document in documents}
    await unit.documents.add_missing(list(wanted.values()))
    kept = await unit.documents.by_hashes(list(wanted))
    answers = [Registered(document=kept[hash_], is_new=kept[hash_].id == one.id) for hash_, one in wanted.items()]
    shown = [
        {"hash": one.document.hash, "name": one.document.name, "isNew": one.is_new, "client": one.document.client_name}
        for one in answers
    ]
    await unit.audit.append(replace(entry, after={"documents": shown}))
    return answers


async def remove_document(document_id: UUID, *, unit: DocumentsUnit, entry: AuditEntry) -> TrustedDocument:
    """Trust a document no longer; its text stays on the audit log."""
    gone = await unit.documents.remove(document_id)
    if gone is None:
        raise NotFound("no such document", ("id",))
    before = {"hash": gone.hash, "name": gone.name, "client": gone.client_name, "body": gone.body}
    await unit.audit.append(replace(entry, target_id=gone.id, before=before))
    return gone
