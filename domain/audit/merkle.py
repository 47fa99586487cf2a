"""How do many rows become one hash? By the Merkle tree of RFC 9162 (§2.1, the same as RFC 6962's), over SHA-256.

A leaf is hashed with the prefix 0x00 and a node with 0x01, so no leaf can be passed off as a node. A row is proved by
the hashes beside its way to the root, one a level: fourteen for ten thousand rows.
"""

import hashlib
from collections.abc import Sequence

HASH_BYTES = 32
_LEAF, _NODE = b"\x00", b"\x01"


def leaf_hash(data: bytes) -> bytes:
    """The hash of one row's bytes."""
    return hashlib.sha256(_LEAF + data).digest()


def _node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(_NODE + left + right).digest()


def _above(level: Sequence[bytes]) -> list[bytes]:
    """The level above. A node without a neighbour goes up as it is: that is the RFC's split at a power of two."""
    above = [_node_hash(level[place], level[place + 1]) for place in range(0, len(level) - 1, 2)]
    if len(level) % 2:
        above.append(level[-1])
    return above


def root_hash(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes (§2.1.1)."""
    if not leaves:
        return hashlib.sha256().digest()
    level = list(leaves)
    while len(level) > 1:
        level = _above(level)
    return level[0]


def inclusion_proof(leaves: Sequence[bytes], place: int) -> list[bytes]:
    """The hashes that lead from the leaf at `place` to the root (§2.1.3.1)."""
    if not 0 <= place < len(leaves):
        message = f"there is no leaf {place} among {len(leaves)}"
        raise IndexError(message)
    proof: list[bytes] = []
    level = list(leaves)
    while len(level) > 1:
        beside = place ^ 1
        if beside < len(level):
            proof.append(level[beside])
        level, place = _above(level), place // 2
    return proof


def proves_inclusion(leaf: bytes, *, place: int, count: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the proof leads from the leaf, as number `place` of `count`, to the root (§2.1.3.2)."""
    if not 0 <= place < count:
        return False
    last, found = count - 1, leaf
    for beside in proof:
        if last == 0:
            return False
        if place % 2 or place == last:
            found = _node_hash(beside, found)
            while not place % 2 and place:
                place, last = place // 2, last // 2
        else:
            found = _node_hash(found, beside)
        place, last = place // 2, last // 2
    return last == 0 and found == root
