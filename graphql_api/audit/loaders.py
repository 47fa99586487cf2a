"""How are seals and proofs of entries read many at a time?"""

from dataclasses import dataclass
from uuid import UUID

from domain.audit.canonical import ROW_FORM, canonical
from domain.audit.merkle import proves_inclusion
from domain.audit.sealing import Kept, Place, Seal, StoredRow
from graphql_api.context import Context
from persistence.audit_seals import kept_of, seals_of, stored_row


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The way from an entry to its seal's root."""

    place: int
    row: str
    leaf: bytes
    path: list[bytes]
    is_valid: bool


async def load_seals(context: Context, places: list[Place]) -> list[Seal | None]:
    """The seals that cover these places."""
    async with context.read() as connection:
        return await seals_of(connection, places)


async def load_proofs(context: Context, ids: list[UUID]) -> list[Proof | None]:
    """The proofs of entries; what a seal keeps of its rows is read once for all of them."""
    kept: dict[int, Kept | None] = {}
    proofs: list[Proof | None] = []
    async with context.read() as connection:
        rows = [await stored_row(connection, entry) for entry in ids]
        there = [row.place for row in rows if row is not None]
        seals = dict(zip(there, await seals_of(connection, there), strict=True))
        for row in rows:
            seal = seals.get(row.place) if row is not None else None
            if row is None or seal is None:
                proofs.append(None)
                continue
            if seal.number not in kept:
                kept[seal.number] = await kept_of(connection, seal.number)
            proofs.append(_proof(row, seal, kept[seal.number]))
    return proofs


def _proof(row: StoredRow, seal: Seal, kept: Kept | None) -> Proof:
    place = kept.ids.index(row.id) if kept is not None and row.id in kept.ids else -1
    path = kept.proof(place) if kept is not None and 0 <= place < len(kept.leaves) else []
    return Proof(
        place=place,
        row=canonical((ROW_FORM, *row.columns)).decode(),
        leaf=row.leaf,
        path=path,
        is_valid=proves_inclusion(row.leaf, place=place, count=seal.row_count, proof=path, root=seal.root),
    )
