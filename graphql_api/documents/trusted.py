"""Which text does a request run? The one it carries, or the one its hash stands for; and whether it may run at all.

A hash is looked for in what the program ships, in a bounded cache, and in the store. What the cache says counts for
seconds, so a removal takes effect in every process soon, and a hash that nobody registered costs one look-up.
"""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from graphql import GraphQLError

from domain.documents.model import document_hash
from domain.identity.model import Viewer
from graphql_api.graphql_request import GraphQLRequest
from tocsin.settings import Settings

CACHED = 512
CACHE_SECONDS = 5.0
UNKNOWN = "no document is registered under this hash: send its text as `query`, or have it registered"
ONLY_BOUND = "this API key may run one document alone, and this is another"
ONLY_TRUSTED = "this server runs registered documents alone, and this is none: an administrator can register it"

Lookup = Callable[[str], Awaitable[str | None]]


@dataclass(frozen=True, slots=True)
class _Cached:
    text: str | None
    until: float


class TrustedDocuments:
    """Answers for every transport. One a process."""

    def __init__(
        self,
        shipped: Mapping[str, str],
        lookup: Lookup,
        *,
        settings: Settings,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shipped = shipped
        self._lookup = lookup
        self._settings = settings
        self._clock = clock
        self._cache: OrderedDict[str, _Cached] = OrderedDict()

    def are_required_of(self, viewer: Viewer | None) -> bool:
        """Whether the caller may run nothing else. The one place that decides.

        No role is excepted: docs/decisions/022-registered-documents-bind-administrators-too.md. A key that is bound to
        a document runs that one alone, whatever the setting.
        """
        return self._settings.trusted_documents_only or _only_document_of(viewer) is not None

    async def is_registered(self, hash_: str) -> bool:
        """Whether a document can be run by this hash."""
        return await self._find(hash_) is not None

    async def resolved(self, asked: GraphQLRequest, viewer: Viewer | None) -> GraphQLRequest:
        """The request with the text to run; GraphQLError when there is none or it may not run."""
        hash_, only = asked.document_hash, _only_document_of(viewer)
        if only is not None and only != (hash_ or document_hash(asked.query)):
            raise GraphQLError(ONLY_BOUND, extensions={"code": "DOCUMENT_NOT_TRUSTED"})
        if hash_ is None:
            if self.are_required_of(viewer) and await self._find(document_hash(asked.query)) is None:
                raise GraphQLError(ONLY_TRUSTED, extensions={"code": "DOCUMENT_NOT_TRUSTED"})
            return asked
        if asked.query and document_hash(asked.query) != hash_:
            message = "the hash is not that of `query`"
            raise GraphQLError(message, extensions={"code": "PERSISTED_QUERY_HASH_MISMATCH"})
        text = await self._find(hash_)
        if text is not None:
            return replace(asked, query=text)
        if asked.query and not self.are_required_of(viewer):
            return asked  # a client that offers to register it: nothing is registered, and the text runs as any other
        raise GraphQLError(UNKNOWN, extensions={"code": "PERSISTED_QUERY_NOT_FOUND"})

    def forget(self, hash_: str) -> None:
        """Look again at the next request: this process has just changed it."""
        self._cache.pop(hash_, None)

    async def _find(self, hash_: str) -> str | None:
        shipped = self._shipped.get(hash_)
        if shipped is not None:
            return shipped
        cached = self._cache.get(hash_)
        if cached is not None and cached.until > self._clock():
            self._cache.move_to_end(hash_)
            return cached.text
        try:
            text = await self._lookup(hash_)
        except Exception as error:
            # An outage, or a bug of ours: the transports show either as graphql_api/masking.py has it.
            raise GraphQLError(str(error), original_error=error) from error
        self._cache[hash_] = _Cached(text, self._clock() + CACHE_SECONDS)
        self._cache.move_to_end(hash_)
        if len(self._cache) > CACHED:
            self._cache.popitem(last=False)
        return text


def _only_document_of(viewer: Viewer | None) -> str | None:
    """The document the caller's key is bound to."""
    return None if viewer is None or viewer.grant is None else viewer.grant.document_hash
