"""What is a seal? The root over a run of rows, the hash of the seal before it, a time and a key, signed.

So a row cannot be changed without its seal, no seal without all that follow, and none of them without the key. The
signed content is an array of strings in the same form as a row (domain/audit/canonical.py), and it is what leaves the
database as a head: docs/audit.md says how it is checked by hand.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

from domain.audit.canonical import Columns, canonical, row_leaf
from domain.audit.merkle import HASH_BYTES, inclusion_proof, root_hash

SEAL_FORM = "tocsin-audit-seal-1"
ID_BYTES = 16
# The most rows of a seal: fourteen hashes prove one of them, and checking it takes some megabytes.
MAX_ROWS = 10_000
_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"


class SigningKey(Protocol):
    """The sealer's Ed25519 key."""

    @property
    def public(self) -> bytes:
        """The public key, 32 bytes; it is the key's name as well."""
        ...

    def sign(self, content: bytes) -> bytes:
        """The signature, 64 bytes."""
        ...


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A row's place in the order of sealing. See persistence/audit_seals.py for why it is safe."""

    era: int
    xid: int
    seq: int


START = Place(0, 0, 0)


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A row of the log as it is now, every column as text (domain/audit/canonical.py has their order)."""

    place: Place
    columns: Columns

    @property
    def id(self) -> UUID:
        """The entry's id."""
        return UUID(self.columns[0] or "")

    @property
    def leaf(self) -> bytes:
        """Its leaf hash."""
        return row_leaf(self.columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """A seal. It covers the `row_count` rows after the last place of the seal before, up to `last`.

    `first_row` counts all rows since the first seal, from 0.
    """

    number: int
    last: Place
    first_row: int
    row_count: int
    root: bytes
    previous: bytes
    sealed_at: datetime
    key: bytes
    signature: bytes = b""

    @property
    def content(self) -> bytes:
        """What is signed."""
        return canonical(self.fields)

    @property
    def fields(self) -> list[str]:
        """What is signed, as the array it is."""
        return [
            SEAL_FORM,
            str(self.number),
            str(self.last.era),
            str(self.last.xid),
            str(self.last.seq),
            str(self.first_row),
            str(self.row_count),
            self.root.hex(),
            self.previous.hex(),
            self.sealed_at.astimezone(UTC).strftime(_TIME),
            self.key.hex(),
        ]

    @property
    def hash(self) -> bytes:
        """What the next seal holds of this one."""
        return hashlib.sha256(self.content).digest()


@dataclass(frozen=True, slots=True)
class Kept:
    """What a seal keeps of its rows besides the root: their ids and leaf hashes, in their order."""

    ids: tuple[UUID, ...]
    leaves: tuple[bytes, ...]

    @classmethod
    def of(cls, entry_ids: bytes, leaves: bytes) -> "Kept":
        """Read from the two columns; what was cut in the middle of an id shows as one less."""
        return cls(
            tuple(UUID(bytes=part) for part in _parts(entry_ids, ID_BYTES)),
            tuple(_parts(leaves, HASH_BYTES)),
        )

    def proof(self, place: int) -> list[bytes]:
        """The inclusion proof of one row."""
        return inclusion_proof(self.leaves, place)


def _parts(joined: bytes, size: int) -> list[bytes]:
    return [joined[start : start + size] for start in range(0, len(joined) - size + 1, size)]


def seal_rows(rows: Sequence[StoredRow], *, after: Seal | None, key: SigningKey, now: datetime) -> tuple[Seal, Kept]:
    """The seal of these rows, which follow the seal `after` in the order of their places."""
    leaves = tuple(row.leaf for row in rows)
    unsigned = Seal(
        number=after.number + 1 if after else 1,
        last=rows[-1].place,
        first_row=after.first_row + after.row_count if after else 0,
        row_count=len(rows),
        root=root_hash(leaves),
        previous=after.hash if after else b"",
        sealed_at=now,
        key=key.public,
    )
    return replace(unsigned, signature=key.sign(unsigned.content)), Kept(tuple(row.id for row in rows), leaves)


def seal_of(fields: Sequence[str], signature: bytes) -> Seal:
    """The seal an array of its content says; ValueError for anything else."""
    form, number, era, xid, seq, first_row, row_count, root, previous, sealed_at, key = fields
    if form != SEAL_FORM:
        message = f"{form!r} is not the form {SEAL_FORM!r}"
        raise ValueError(message)
    return Seal(
        number=int(number),
        last=Place(int(era), int(xid), int(seq)),
        first_row=int(first_row),
        row_count=int(row_count),
        root=bytes.fromhex(root),
        previous=bytes.fromhex(previous),
        sealed_at=datetime.strptime(sealed_at, _TIME).replace(tzinfo=UTC),
        key=bytes.fromhex(key),
        signature=signature,
    )
