"""Where is written who was erased? Outside the database, or a restore would bring them back.

One file a person, whose name says it all: `<id>.<seconds since 1970>[.comments]`. It holds no address and
no name, and is never written again. Files in a folder or a bucket need no lock, and a bucket with object lock keeps
them from everybody.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit
from uuid import UUID

import obstore
import structlog
from obstore.exceptions import AlreadyExistsError, BaseError

from domain.privacy.erasure import Erasure, ErasureLedger
from persistence.objects import Objects, ObjectStoreUnavailable, open_objects
from tocsin.settings import Settings

_log = structlog.get_logger(__name__)
_COMMENTS = "comments"
_BODY = b"erased\n"


@dataclass(frozen=True, slots=True)
class StoredLedger:
    """See domain.privacy.erasure.ErasureLedger: in a bucket."""

    objects: Objects

    async def append(self, erasure: Erasure) -> None:
        """Write a line; of the same moment it is there already, which is as good."""
        try:
            await obstore.put_async(self.objects.store, _name_of(erasure), _BODY, mode="create")
        except (AlreadyExistsError, FileExistsError):
            return
        except (BaseError, OSError) as error:
            message = f"the erasure ledger cannot be written: {error}"
            raise ObjectStoreUnavailable(message) from error

    async def entries(self) -> AsyncIterator[Erasure]:
        """All lines. A name that is none of ours is told in the log, and passed over."""
        try:
            async for page in obstore.list(self.objects.store):
                for meta in page:
                    erasure = _read(meta["path"])
                    if erasure is None:
                        _log.warning("the erasure ledger holds a strange file", name=meta["path"])
                    else:
                        yield erasure
        except (BaseError, OSError) as error:
            message = f"the erasure ledger cannot be read: {error}"
            raise ObjectStoreUnavailable(message) from error


@dataclass(frozen=True, slots=True)
class FolderLedger:
    """The same in a folder of this machine: a line is on the disk before anybody is erased."""

    folder: Path

    async def append(self, erasure: Erasure) -> None:
        """Write a line; of the same moment it is there already, which is as good."""
        try:
            await asyncio.to_thread(_write_durably, self.folder, _name_of(erasure))
        except FileExistsError:
            return
        except OSError as error:
            message = f"the erasure ledger cannot be written: {error}"
            raise ObjectStoreUnavailable(message) from error

    async def entries(self) -> AsyncIterator[Erasure]:
        """All lines. A folder nobody ever wrote to has none, and none is made by looking."""
        for name in await asyncio.to_thread(_names_in, self.folder):
            if (erasure := _read(name)) is None:
                _log.warning("the erasure ledger holds a strange file", name=name)
            else:
                yield erasure


def _write_durably(folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(_BODY)
        file.flush()
        os.fsync(file.fileno())
    # The name is of the folder, and that is written by itself.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _names_in(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir())
    except FileNotFoundError:
        return []


def open_ledger(settings: Settings) -> ErasureLedger:
    """The ledger of this installation. A folder is made by who writes to it first, not by who looks."""
    url = settings.effective_erasure_ledger_url
    parts = urlsplit(url)
    if parts.scheme == "file":
        return FolderLedger(Path(unquote(parts.path)))
    return StoredLedger(open_objects(url))


def _name_of(erasure: Erasure) -> str:
    parts = [str(erasure.user_id), str(int(erasure.erased_at.timestamp()))]
    return ".".join([*parts, *([_COMMENTS] if erasure.comments else [])])


def _read(path: str) -> Erasure | None:
    id_, _, rest = path.rpartition("/")[2].partition(".")
    seconds, _, words = rest.partition(".")
    try:
        return Erasure(
            user_id=UUID(id_),
            erased_at=datetime.fromtimestamp(int(seconds), tz=UTC),
            comments={"": False, _COMMENTS: True}[words],
        )
    except (ValueError, KeyError, OverflowError):
        return None
