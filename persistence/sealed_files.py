"""How is a file kept under a person's key? In chunks, each sealed with its number and whether it is the last.

So a file of any size goes in and out as a stream, and one that was cut, reordered or mixed with another does not open.
Form of a chunk: 4 bytes of length, then what persistence/person_keys.py makes of it.
"""

from collections.abc import AsyncIterator
from uuid import UUID

from persistence.person_keys import PersonKey
from persistence.sealing import CannotUnseal

CHUNK_BYTES = 256 * 1024
_LENGTH_BYTES = 4
# Nonce and tag come on top; a length beyond this is none of ours.
_MOST = CHUNK_BYTES + 1024


async def sealed_file(plain: AsyncIterator[bytes], key: PersonKey, *, column: str, row: UUID) -> AsyncIterator[bytes]:
    """The sealed chunks of a stream; the last one may be empty."""
    number, waiting = 0, b""
    async for piece in plain:
        waiting += piece
        while len(waiting) > CHUNK_BYTES:
            yield _sealed(key, waiting[:CHUNK_BYTES], place=_place(column, number, is_last=False), row=row)
            number, waiting = number + 1, waiting[CHUNK_BYTES:]
    yield _sealed(key, waiting, place=_place(column, number, is_last=True), row=row)


async def opened_file(sealed: AsyncIterator[bytes], key: PersonKey, *, column: str, row: UUID) -> AsyncIterator[bytes]:
    """The bytes of a sealed file; CannotUnseal where it is not whole or not this one."""
    number, waiting = 0, b""
    held: bytes | None = None
    async for piece in sealed:
        waiting += piece
        while (chunk := _first_chunk(waiting)) is not None:
            if held is not None:
                yield key.open_bytes(held, column=_place(column, number, is_last=False), row=row)
                number += 1
            held, waiting = chunk, waiting[_LENGTH_BYTES + len(chunk) :]
    if held is None or waiting:
        message = f"{column} of {row} is not whole"
        raise CannotUnseal(message)
    yield key.open_bytes(held, column=_place(column, number, is_last=True), row=row)


def _sealed(key: PersonKey, plain: bytes, *, place: str, row: UUID) -> bytes:
    chunk = key.seal_bytes(plain, column=place, row=row)
    return len(chunk).to_bytes(_LENGTH_BYTES, "big") + chunk


def _first_chunk(waiting: bytes) -> bytes | None:
    if len(waiting) < _LENGTH_BYTES:
        return None
    length = int.from_bytes(waiting[:_LENGTH_BYTES], "big")
    if length > _MOST:
        message = "a sealed file is damaged"
        raise CannotUnseal(message)
    chunk = waiting[_LENGTH_BYTES : _LENGTH_BYTES + length]
    return chunk if len(chunk) == length else None


def _place(column: str, number: int, *, is_last: bool) -> str:
    return f"{column}.{number}.{'last' if is_last else 'more'}"
