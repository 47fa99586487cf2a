"""Is the tree the one of RFC 9162, for every size, and does a proof prove its row and no other?"""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.audit.merkle import inclusion_proof, leaf_hash, proves_inclusion, root_hash

# The leaves and roots that implementations of Certificate Transparency (RFC 6962) are tested with.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
TWO = 2


def by_the_rfc(entries: list[bytes]) -> bytes:
    """MTH as §2.1.1 writes it down: split at the greatest power of two that is smaller."""
    if not entries:
        return hashlib.sha256().digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    split = 1
    while split * TWO < len(entries):
        split *= TWO
    return hashlib.sha256(b"\x01" + by_the_rfc(entries[:split]) + by_the_rfc(entries[split:])).digest()


@pytest.mark.parametrize("size", range(len(ROOTS)))
def test_the_roots_are_those_that_others_compute(size: int) -> None:
    assert root_hash([leaf_hash(leaf) for leaf in LEAVES[:size]]).hex() == ROOTS[size]


@given(st.lists(st.binary(max_size=40), max_size=70))
def test_any_size_is_as_the_rfc_writes_it_down(entries: list[bytes]) -> None:
    assert root_hash([leaf_hash(entry) for entry in entries]) == by_the_rfc(entries)


def test_the_proofs_are_those_that_others_compute() -> None:
    # The path of the sixth of eight leaves, and of the second of seven in a tree with an odd end.
    hashes = [leaf_hash(leaf) for leaf in LEAVES]
    assert [one.hex() for one in inclusion_proof(hashes, 5)] == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]
    assert [one.hex() for one in inclusion_proof(hashes[:3], 2)] == [
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
    ]


@given(st.integers(min_value=1, max_value=130), st.data())
def test_a_proof_proves_its_row_and_nothing_else(size: int, data: st.DataObject) -> None:
    hashes = [leaf_hash(str(number).encode()) for number in range(size)]
    root = root_hash(hashes)
    place = data.draw(st.integers(min_value=0, max_value=size - 1))
    proof = inclusion_proof(hashes, place)
    assert proves_inclusion(hashes[place], place=place, count=size, proof=proof, root=root)

    other = data.draw(st.integers(min_value=0, max_value=size - 1))
    if other != place:
        assert not proves_inclusion(hashes[other], place=place, count=size, proof=proof, root=root)
        assert not proves_inclusion(hashes[place], place=other, count=size, proof=proof, root=root)
    assert not proves_inclusion(leaf_hash(b"forged"), place=place, count=size, proof=proof, root=root)
    assert not proves_inclusion(hashes[place], place=place, count=size, proof=[*proof, root], root=root)
    if proof:
        assert not proves_inclusion(hashes[place], place=place, count=size, proof=proof[:-1], root=root)


@pytest.mark.parametrize("place", [-1, 3])
def test_there_is_no_proof_of_what_is_not_there(place: int) -> None:
    hashes = [leaf_hash(leaf) for leaf in LEAVES[:3]]
    with pytest.raises(IndexError):
        inclusion_proof(hashes, place)
    assert not proves_inclusion(hashes[0], place=place, count=3, proof=[], root=root_hash(hashes))


def test_a_node_cannot_pass_for_a_leaf() -> None:
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert leaf_hash(left + right) != root_hash([left, right])
