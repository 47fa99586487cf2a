"""Is the log as it was sealed? Each seal is held against its rows, the seal before it, and a key that is known.

What does not agree is a finding, and names the row where one can be named. Pure: who reads the rows, from the database
or from an export, gives them here, a seal at a time.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from domain.audit.merkle import root_hash
from domain.audit.sealing import Kept, Seal, StoredRow

# Public key, signature, content: whether the signature is good. Given from outside: the domain does no cryptography
# beyond hashes.
SignatureCheck = Callable[[bytes, bytes, bytes], bool]


class FindingKind(StrEnum):
    """What can be wrong."""

    CHANGED = "row changed"
    REMOVED = "row removed"
    INSERTED = "row inserted"
    MOVED = "row moved"
    LEAVES = "leaf hashes changed"
    MISSING_SEAL = "seal missing"
    CHAIN = "chain broken"
    SIGNATURE = "signature wrong"
    UNKNOWN_KEY = "key unknown"
    CUT_TAIL = "tail cut off"
    OTHER_HEAD = "another head left the database"
    LOST_IN_RESTORE = "seal lost in a restore"
    NO_HEAD = "no head outside"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong."""

    kind: FindingKind
    detail: str
    seal: int | None = None
    row: UUID | None = None

    def __str__(self) -> str:
        where = [f"seal {self.seal}"] if self.seal is not None else []
        if self.row is not None:
            where.append(f"row {self.row}")
        return f"{self.kind.value}: {', '.join(where)}{': ' if where else ''}{self.detail}"


@dataclass(frozen=True, slots=True)
class Trust:
    """Which keys count, and how a signature is checked."""

    keys: frozenset[bytes]
    check: SignatureCheck


class ChainCheck:
    """Checks seals in the order of their numbers. `before` is the seal before the first that is checked."""

    def __init__(self, trust: Trust, *, before: Seal | None = None) -> None:
        self._trust = trust
        self._before = before
        self._unknown: set[bytes] = set()
        self.seals = self.rows = 0

    @property
    def last(self) -> Seal | None:
        """The seal that was checked last."""
        return self._before

    def check(self, seal: Seal, rows: Sequence[StoredRow], kept: Kept) -> Iterator[Finding]:
        """What is wrong with one seal and its rows."""
        yield from self._check_chain(seal)
        yield from self._check_signature(seal)
        yield from check_rows(seal, rows, kept)
        self._before = seal
        self.seals += 1
        self.rows += len(rows)

    def _check_chain(self, seal: Seal) -> Iterator[Finding]:
        before = self._before
        number, previous, first_row = (1, b"", 0) if before is None else _expected(before)
        if seal.number != number:
            missing = str(number) if seal.number == number + 1 else f"{number} to {seal.number - 1}"
            yield Finding(
                kind=FindingKind.MISSING_SEAL, seal=seal.number, detail=f"seal {missing} should come before it"
            )
            return
        if seal.previous != previous:
            yield Finding(
                kind=FindingKind.CHAIN,
                seal=seal.number,
                detail="it does not hold the hash of the seal before it as that one is now",
            )
        if seal.first_row != first_row:
            yield Finding(
                kind=FindingKind.CHAIN, seal=seal.number, detail=f"it begins at row {seal.first_row}, not {first_row}"
            )
        if before is not None and seal.last <= before.last:
            yield Finding(kind=FindingKind.CHAIN, seal=seal.number, detail="its rows lie before those of the last seal")

    def _check_signature(self, seal: Seal) -> Iterator[Finding]:
        if not self._trust.check(seal.key, seal.signature, seal.content):
            yield Finding(kind=FindingKind.SIGNATURE, seal=seal.number, detail=f"not made by the key {seal.key.hex()}")
        elif seal.key not in self._trust.keys and seal.key not in self._unknown:
            self._unknown.add(seal.key)
            yield Finding(
                kind=FindingKind.UNKNOWN_KEY,
                seal=seal.number,
                detail=f"{seal.key.hex()} is neither this installation's key nor one it had (told once for each key)",
            )


def _expected(before: Seal) -> tuple[int, bytes, int]:
    return before.number + 1, before.hash, before.first_row + before.row_count


def check_rows(seal: Seal, rows: Sequence[StoredRow], kept: Kept) -> Iterator[Finding]:
    """Whether these are the rows that were sealed, in their order; each that is not is named."""
    leaves = [row.leaf for row in rows]
    is_whole = len(rows) == seal.row_count and root_hash(leaves) == seal.root
    ids = [row.id for row in rows]
    is_kept = len(kept.ids) == len(kept.leaves) == seal.row_count and root_hash(kept.leaves) == seal.root
    if is_whole:
        if not is_kept or tuple(ids) != kept.ids:
            yield Finding(
                kind=FindingKind.LEAVES,
                seal=seal.number,
                detail="the rows are as they were sealed, the ids and leaf hashes kept of them are not",
            )
        return
    found = list(_differences(seal.number, list(zip(ids, leaves, strict=True)), kept))
    yield from found
    if not is_kept or not found:
        yield Finding(
            kind=FindingKind.LEAVES,
            seal=seal.number,
            detail=f"neither its {len(rows)} rows nor the leaf hashes kept of them lead to its root: "
            "a row that was changed together with its leaf hash cannot be named",
        )


def _differences(number: int, rows: Sequence[tuple[UUID, bytes]], kept: Kept) -> Iterator[Finding]:
    """Each row that was changed, put in, taken out or moved, by what the seal kept of its rows."""
    known = {row: place for place, row in reversed(list(enumerate(kept.ids)))}
    places: list[int] = []
    for row, leaf in rows:
        place = known.pop(row, None)
        if place is None:
            yield Finding(kind=FindingKind.INSERTED, seal=number, row=row, detail="it was not there when it was sealed")
            continue
        places.append(place)
        if place < len(kept.leaves) and leaf != kept.leaves[place]:
            yield Finding(kind=FindingKind.CHANGED, seal=number, row=row, detail="it is not what was sealed")
    for row in known:
        yield Finding(kind=FindingKind.REMOVED, seal=number, row=row, detail="it was there when it was sealed")
    staying = _longest_increasing(places)
    for place in places:
        if place not in staying:
            yield Finding(
                kind=FindingKind.MOVED, seal=number, row=kept.ids[place], detail="it does not stand where it stood"
            )


def _longest_increasing(places: Sequence[int]) -> set[int]:
    """The most places that are still in order: the rest were moved."""
    tails: list[int] = []
    before: dict[int, int] = {}
    for place in places:
        at = bisect_left(tails, place)
        if at:
            before[place] = tails[at - 1]
        tails[at : at + 1] = [place]
    staying: set[int] = set()
    last = tails[-1] if tails else None
    while last is not None:
        staying.add(last)
        last = before.get(last)
    return staying
