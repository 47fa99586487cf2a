"""A sealed file is whole or does not open: nothing cut off, put in another order or mixed in (T10)."""

import os
from collections.abc import AsyncIterator, Iterable

import pytest

from domain.ids import new_id
from persistence.person_keys import PersonKey
from persistence.sealed_files import CHUNK_BYTES, opened_file, sealed_file
from persistence.sealing import CannotUnseal

KEY, ROW, COLUMN = PersonKey(os.urandom(32)), new_id(), "data_exports.file"


async def stream(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def sealed(*pieces: bytes) -> list[bytes]:
    return [chunk async for chunk in sealed_file(stream(pieces), KEY, column=COLUMN, row=ROW)]


async def opened(pieces: Iterable[bytes], *, key: PersonKey = KEY, row: object = ROW) -> bytes:
    return b"".join([part async for part in opened_file(stream(pieces), key, column=COLUMN, row=row)])  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])
async def test_a_file_of_any_size_comes_back(size: int) -> None:
    plain = os.urandom(size)
    assert await opened(await sealed(plain)) == plain


async def test_however_it_is_cut_on_its_way() -> None:
    plain = os.urandom(2 * CHUNK_BYTES + 77)
    whole = b"".join(await sealed(plain[:10], plain[10 : CHUNK_BYTES + 5], plain[CHUNK_BYTES + 5 :]))
    assert await opened(whole[start : start + 1000] for start in range(0, len(whole), 1000)) == plain


async def test_a_file_that_was_cut_off_does_not_open() -> None:
    chunks = await sealed(os.urandom(3 * CHUNK_BYTES))
    for left in (chunks[:-1], [*chunks[:-1], chunks[-1][:-3]], []):
        with pytest.raises(CannotUnseal):
            await opened(left)


async def test_chunks_in_another_order_twice_or_left_out_do_not_open() -> None:
    first, second, third = await sealed(os.urandom(2 * CHUNK_BYTES + 9))
    for order in ([second, first, third], [first, first, third], [first, third], [first, second, third, third]):
        with pytest.raises(CannotUnseal):
            await opened(order)


async def test_another_files_chunks_or_another_persons_key_do_not_open() -> None:
    chunks = await sealed(b"personal")
    with pytest.raises(CannotUnseal):
        await opened(chunks, row=new_id())
    with pytest.raises(CannotUnseal):
        await opened(chunks, key=PersonKey(os.urandom(32)))


async def test_a_length_that_is_none_of_ours_is_refused_before_it_is_waited_for() -> None:
    with pytest.raises(CannotUnseal):
        await opened([b"\xff\xff\xff\xff" + b"x" * 100])
