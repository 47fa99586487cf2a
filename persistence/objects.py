"""Where are the bytes of files kept? In S3-compatible storage or a local folder, as TOCSIN_OBJECT_STORE_URL says.

Files go in and out as streams: none is ever whole in memory. Access to S3 comes from the usual `AWS_*` variables.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

import obstore
import sqlalchemy as sa
import structlog
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store
from obstore.store import ObjectStore as Store
from sqlalchemy.ext.asyncio import AsyncConnection

from persistence.tables import attachments

log = structlog.get_logger(__name__)

CHUNK_BYTES = 256 * 1024
# S3 takes parts of at least 5 MB; a file is sent a part at a time, so this is what an upload holds in memory.
PART_BYTES = 5 * 1024 * 1024
PARTS_AT_ONCE = 2
# An upload that is not recorded after a day never will be.
ORPHAN_AGE = timedelta(days=1)


class ObjectStoreUnavailable(OSError):
    """The store cannot be reached, or refuses."""


@dataclass(frozen=True, slots=True)
class Objects:
    """Files by their key."""

    store: Store

    async def put(self, key: str, body: AsyncIterator[bytes]) -> None:
        """Keep what the stream brings. When the stream raises, nothing is kept and its error goes on."""
        failure: BaseException | None = None

        async def watched() -> AsyncIterator[bytes]:
            nonlocal failure
            try:
                async for chunk in body:
                    yield chunk
            except BaseException as error:
                failure = error
                raise

        try:
            await obstore.put_async(
                self.store, key, watched(), use_multipart=True, chunk_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE
            )
        except BaseException as error:
            # The store wraps the stream's own error in one of its.
            if failure is not None:
                raise failure from None
            if isinstance(error, BaseError):
                raise ObjectStoreUnavailable(str(error)) from error
            raise

    async def get(self, key: str) -> AsyncIterator[bytes]:
        """The file's bytes as they come; FileNotFoundError when there is none."""
        try:
            found = await obstore.get_async(self.store, key)
        except FileNotFoundError:
            raise
        except BaseError as error:
            raise ObjectStoreUnavailable(str(error)) from error
        return _chunks(found.stream(min_chunk_size=CHUNK_BYTES))

    async def discard(self, key: str) -> None:
        """Remove a file. One that cannot be removed now is an orphan, which the sweep removes later."""
        try:
            await obstore.delete_async(self.store, key)
        except FileNotFoundError:
            return
        except (BaseError, OSError) as error:
            log.warning("objects.discard_failed", key=key, error=str(error))

    async def sweep(self, connection: AsyncConnection, now: datetime) -> int:
        """Remove files that no record names (an upload that died half-way, a removal that failed); how many."""
        removed = 0
        async for page in obstore.list(self.store, prefix="attachments"):
            old = [meta["path"] for meta in page if meta["last_modified"] <= now - ORPHAN_AGE]
            if not old:
                continue
            known = set(
                await connection.scalars(
                    sa.select(attachments.c.object_key).where(
                        attachments.c.object_key.in_(old), attachments.c.deleted_at.is_(None)
                    )
                )
            )
            for key in old:
                if key not in known:
                    await self.discard(key)
                    removed += 1
        return removed


async def _chunks(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for chunk in stream:
        yield bytes(chunk)


def open_objects(url: str) -> Objects:
    """The store of an address: `s3://bucket/prefix` or `file:///folder`, which is made when it is missing."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        folder = Path(unquote(parts.path))
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return Objects(LocalStore(folder))
    if parts.scheme == "s3":
        prefix = parts.path.strip("/") or None
        return Objects(S3Store(parts.netloc, prefix=prefix))
    message = "TOCSIN_OBJECT_STORE_URL must begin with s3:// or file://"
    raise ValueError(message)
