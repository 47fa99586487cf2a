"""What is a trusted document? The text of a GraphQL document, known by its SHA-256, and who vouched for it."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

MAX_BODY = 64 * 1024
MAX_NAME = 200
MAX_CLIENT_NAME = 100
MAX_AT_ONCE = 100
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedDocument:
    """A registered document. `name` is that of its operations, where they have names."""

    id: UUID
    hash: str
    body: str
    created_at: datetime
    name: str | None = None
    client_name: str | None = None
    created_by: UUID | None = None


def document_hash(text: str) -> str:
    """The hash a document goes by: SHA-256 of its text in UTF-8, in lower-case hexadecimal."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def is_hash(value: str) -> bool:
    """Whether the value could be such a hash."""
    return _HASH.fullmatch(value) is not None
