"""Where do the heads of seals go, out of the database's reach? Into a file, and into an object store if there is one.

Each is asked for the newest head it has, and given all that came after: nothing is lost by a process that died between
the seal and its head, nor by a store that was away. What is there is never written again.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore

from domain.audit.heads import BadHead, head_line, read_head
from domain.audit.sealing import Seal
from persistence.objects import Objects, ObjectStoreUnavailable, open_objects
from tocsin.settings import Settings

FOLDER = "audit-heads"
LISTED_AT_ONCE = 1_000
# The last line of a file is found from its end; a head has some 600 bytes.
TAIL_BYTES = 8 * 1024


class Heads(Protocol):
    """A place outside."""

    @property
    def name(self) -> str:
        """What to call it."""
        ...

    async def newest(self) -> Seal | None:
        """The newest head that is there."""
        ...

    async def add(self, seal: Seal) -> None:
        """Write one head, durably."""
        ...


class HeadsFile:
    """One line a head, only ever appended."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def name(self) -> str:
        """Its path."""
        return str(self._path)

    async def newest(self) -> Seal | None:
        """The head of the last line that is whole."""
        return await asyncio.to_thread(self._newest)

    async def add(self, seal: Seal) -> None:
        """Append the line."""
        await asyncio.to_thread(self._append, head_line(seal))

    def _newest(self) -> Seal | None:
        try:
            with self._path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - TAIL_BYTES))
                lines = file.read().split(b"\n")
        except FileNotFoundError:
            return None
        # What stands after the last line's end was cut off while it was written.
        whole = [line for line in lines[:-1] if line]
        return read_head(whole[-1]) if whole else None

    def _append(self, line: bytes) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Read as well: to see whether the last line has its end.
        descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o640)
        try:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                line = b"\n" + line
            written = os.write(descriptor, line)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if written != len(line):
            message = f"only {written} of {len(line)} bytes were written to {self._path}: the disk is full"
            raise OSError(message)


class HeadsStore:
    """One object a head, named by its number and its hash; created, never replaced."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._objects: Objects | None = None
        self._newest: Seal | None = None

    @property
    def name(self) -> str:
        """Its address."""
        return self._url

    async def newest(self) -> Seal | None:
        """The newest head: looked for once, by halves of the numbers there can be, and remembered."""
        if self._newest is None:
            number = await self._newest_number()
            if number:
                self._newest = await anext(self._heads_of(number), None)
        return self._newest

    async def add(self, seal: Seal) -> None:
        """Create the object."""
        key = f"{_folder(seal.number)}/{seal.hash.hex()}.json"
        try:
            await obstore.put_async(self._store(), key, head_line(seal), mode="create")
        except AlreadyExistsError:
            pass  # by a process that died before it could say so
        except BaseError as error:
            raise ObjectStoreUnavailable(str(error)) from error
        self._newest = seal

    async def all(self) -> AsyncIterator["StoredHead"]:
        """Every head, in the order of their numbers; by its name, which says what most need to know of it."""
        try:
            async for path in self._paths():
                number, _, name = path.removeprefix(f"{FOLDER}/").partition("/")
                if number.isdigit():
                    yield StoredHead(int(number), name.removesuffix(".json"), path, self)
        except BaseError as error:
            raise ObjectStoreUnavailable(str(error)) from error

    async def _paths(self) -> AsyncIterator[str]:
        store = self._store()
        if isinstance(store, LocalStore):
            # A folder has no order; a bucket lists by name, a page at a time.
            for path in sorted([meta["path"] async for page in obstore.list(store, prefix=FOLDER) for meta in page]):
                yield path
            return
        async for page in obstore.list(store, prefix=FOLDER, chunk_size=LISTED_AT_ONCE):
            for meta in page:
                yield meta["path"]

    async def _newest_number(self) -> int:
        """The greatest number that has a head, where none is left out below it; 0 for none."""
        beyond = 1
        while await self._has(beyond):
            beyond *= 2
        known = beyond // 2
        while beyond - known > 1:
            middle = (known + beyond) // 2
            known, beyond = (middle, beyond) if await self._has(middle) else (known, middle)
        return known

    async def _has(self, number: int) -> bool:
        return await anext(self._heads_of(number), None) is not None

    async def _heads_of(self, number: int) -> AsyncIterator[Seal]:
        try:
            async for page in obstore.list(self._store(), prefix=_folder(number)):
                for meta in page:
                    yield await self.read(meta["path"])
        except BaseError as error:
            raise ObjectStoreUnavailable(str(error)) from error

    async def read(self, path: str) -> Seal:
        """One head; BadHead for an object that holds none."""
        try:
            found = await obstore.get_async(self._store(), path)
            return read_head(bytes(await found.bytes_async()))
        except BaseError as error:
            raise ObjectStoreUnavailable(str(error)) from error

    def _store(self) -> obstore.store.ObjectStore:
        if self._objects is None:
            self._objects = open_objects(self._url)
        return self._objects.store


@dataclass(frozen=True, slots=True)
class StoredHead:
    """A head in an object store, as its name tells: read it where that is not enough."""

    number: int
    hash: str
    path: str
    store: HeadsStore


def _folder(number: int) -> str:
    # As wide as a bigint: names are sorted as text.
    return f"{FOLDER}/{number:019}"


def places_of(settings: Settings) -> list[Heads]:
    """Where this installation's heads go."""
    places: list[Heads] = [HeadsFile(settings.effective_audit_heads_file)]
    if settings.audit_heads_url is not None:
        places.append(HeadsStore(settings.audit_heads_url))
    return places


def heads_in_file(path: Path) -> Iterator[Seal | BadHead]:
    """Every head of a file, a line at a time; a line that holds none says so. A last line without its end is passed."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                yield read_head(line, number=number)
            except BadHead as bad:
                if line.endswith(b"\n"):
                    yield bad
