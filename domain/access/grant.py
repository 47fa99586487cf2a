"""What does the API key of a request allow? It narrows what its owner may do, and says from where."""

from dataclasses import dataclass
from uuid import UUID

from domain.access.networks import Network
from domain.access.scopes import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A key that counts now. `scopes` holds the included ones too; `document_hash` is the only document it may run."""

    key_id: UUID
    scopes: frozenset[Scope]
    document_hash: str | None = None
    networks: tuple[Network, ...] = ()
