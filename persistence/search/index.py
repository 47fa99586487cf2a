"""How is the index written, and reached? Behind an alias, so that a rebuilt one takes its place in one step."""

from collections.abc import Iterator, Sequence
from typing import Any

import orjson
import structlog
from elastic_transport import ObjectApiResponse, TransportError
from elasticsearch import ApiError, AsyncElasticsearch

from domain.alerts.model import Alert
from persistence.search.documents import MAPPING, SETTINGS, document_of, number_of
from tocsin.settings import Settings

_log = structlog.get_logger(__name__)
BULK_SECONDS = 30.0
BULK_ANSWER = "errors,items.*.status,items.*._id,items.*.error"
TROUBLE = (TransportError, ApiError)
REFUSED, NOT_FOUND, CONFLICT = 400, 404, 409
# Of the 100 MB that a server takes at once, what it takes without holding up who searches.
CHUNK_BYTES = 8_000_000
_PLACE = b'{"index":{"_id":"%b","version":%d,"version_type":"external_gte"}}\n'


class IndexUnavailable(OSError):
    """Elasticsearch does not answer, or refuses to write just now."""


class IndexMissing(Exception):
    """There is no index behind the alias: it has to be built."""


def open_client(settings: Settings, *, seconds: float) -> AsyncElasticsearch:
    """A client that tries once: who asks knows better whether to ask again."""
    key = settings.elasticsearch_api_key
    return AsyncElasticsearch(
        settings.elasticsearch_url,
        api_key=key.get_secret_value() if key is not None else None,
        request_timeout=seconds,
        max_retries=0,
        retry_on_timeout=False,
    )


class AlertIndex:
    """The documents behind one alias."""

    def __init__(self, client: AsyncElasticsearch, alias: str) -> None:
        self._client, self.alias = client, alias

    async def exists(self) -> bool:
        """Whether something is behind the alias."""
        try:
            return bool(await self._client.indices.exists_alias(name=self.alias))
        except TROUBLE as error:
            raise IndexUnavailable(type(error).__name__) from error

    async def write(self, alerts: Sequence[Alert], *, into: str | None = None) -> int:
        """Write the documents; how many were refused for what they hold, each told in the log.

        An older state than the index has is no fault. IndexUnavailable where all is to be given again.
        """
        return sum([await self._write(chunk, into) for chunk in _chunks(alerts)])

    async def _write(self, lines: bytes, into: str | None) -> int:
        if not (await self._bulk(lines, into, answer="errors"))["errors"]:
            return 0
        # What became of each is told on demand: nearly always it would be a line for each that says nothing.
        answer = await self._bulk(lines, into, answer=BULK_ANSWER)
        return _refused(answer["items"])

    async def _bulk(self, lines: bytes, into: str | None, *, answer: str) -> ObjectApiResponse[Any]:
        operations: Any = lines  # encoded they are as welcome to the client, which does not say so
        try:
            return await self._client.bulk(
                index=into or self.alias, operations=operations, require_alias=into is None, filter_path=answer
            )
        except TROUBLE as error:
            raise IndexUnavailable(type(error).__name__) from error

    async def create(self, name: str) -> None:
        """A new index, not yet behind the alias."""
        try:
            await self._client.indices.create(index=name, mappings=MAPPING, settings=SETTINGS)
        except TROUBLE as error:
            raise IndexUnavailable(str(error)) from error

    async def switch(self, name: str) -> None:
        """Put the index behind the alias, in one step, and remove those that were there."""
        try:
            await self._client.indices.refresh(index=name)
            behind: list[str] = []
            if await self._client.indices.exists_alias(name=self.alias):
                behind = list(await self._client.indices.get_alias(name=self.alias))
            await self._client.indices.update_aliases(
                actions=[
                    {"add": {"index": name, "alias": self.alias}},
                    *({"remove_index": {"index": old}} for old in behind if old != name),
                ]
            )
        except TROUBLE as error:
            raise IndexUnavailable(str(error)) from error

    async def drop(self, name: str) -> None:
        """Remove an index that was not finished."""
        try:
            await self._client.indices.delete(index=name, ignore_unavailable=True)
        except TROUBLE as error:
            raise IndexUnavailable(str(error)) from error


def _chunks(alerts: Sequence[Alert]) -> Iterator[bytes]:
    """The bodies of bulk requests of a bounded size, encoded here: the client's own way takes several times as long."""
    pairs: list[bytes] = []
    size = 0
    for alert in alerts:
        document = orjson.dumps(document_of(alert), option=orjson.OPT_APPEND_NEWLINE)
        pair = _PLACE % (str(alert.id).encode(), number_of(alert)) + document
        if pairs and size + len(pair) > CHUNK_BYTES:
            yield b"".join(pairs)
            pairs, size = [], 0
        pairs.append(pair)
        size += len(pair)
    if pairs:
        yield b"".join(pairs)


def _refused(items: Sequence[dict[str, Any]]) -> int:
    """Count the documents that can never be written; raise for what time or a rebuild mends."""
    refused = 0
    for item in items:
        outcome = item["index"]
        error = outcome.get("error")
        if error is None or outcome["status"] == CONFLICT:
            continue
        if outcome["status"] == NOT_FOUND:
            raise IndexMissing(error.get("type"))
        if outcome["status"] != REFUSED:  # too busy, out of disk, closed for writing: it may pass
            raise IndexUnavailable(error.get("type"))
        refused += 1
        _log.error("an alert cannot be indexed", alert_id=outcome["_id"], reason=error.get("type"))
    return refused
