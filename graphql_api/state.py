"""What does one API process hold for its whole life? Settings, clock, pools and the parts that others plug in."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.alerts.submission import Ingest
from domain.identity.sessions import RefreshTokens, SessionPolicy
from domain.identity.sign_in import SignInDesk
from domain.ports import Clock
from graphql_api.documents.shipped import shipped_documents
from graphql_api.documents.trusted import TrustedDocuments
from graphql_api.identity.tokens import AccessTokens
from graphql_api.limits import Documents, Limits
from graphql_api.live.hub import Hub
from graphql_api.live.sessions import SessionWatch
from graphql_api.observability.metrics import Metrics
from persistence.login_attempts import LoginAttempts
from persistence.objects import Objects, open_objects
from persistence.passwords import Argon2Hasher
from persistence.sealing import Sealer
from persistence.search.searcher import Searcher
from persistence.sessions import ViewerLookup
from persistence.trusted_documents import trusted_body
from persistence.unit_of_work import UnitOfWork
from tocsin.settings import Settings


@dataclass(kw_only=True)
class AppState:
    """Made by graphql_api/app.py; opened and closed by its lifespan.

    `engine` writes; `reads` is the same pool without transactions around single statements. `directory` finds an
    integration by its key, `hub` feeds subscriptions, `sessions` ends them; all are opened by the lifespan.
    """

    settings: Settings
    clock: Clock
    engine: AsyncEngine
    ingest: Ingest | None = None
    directory: Any = None
    hub: Hub | None = None
    sessions: SessionWatch | None = None
    redis: Redis | None = None
    metrics: Metrics = field(default_factory=Metrics)
    reads: AsyncEngine = field(init=False)
    viewers: ViewerLookup = field(init=False)
    access_tokens: AccessTokens = field(init=False)
    hasher: Argon2Hasher = field(default_factory=Argon2Hasher)
    sign_in_desk: SignInDesk = field(init=False)
    sealer: Sealer = field(init=False)
    searcher: Searcher = field(init=False)
    documents: Documents = field(init=False)
    trusted: TrustedDocuments = field(init=False)

    def __post_init__(self) -> None:
        # A read is one statement: without AUTOCOMMIT each would cost a BEGIN and a ROLLBACK on the wire as well.
        self.reads = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self.documents = Documents(Limits.of(self.settings))
        self.trusted = TrustedDocuments(shipped_documents(), self._body, settings=self.settings)
        self.viewers = ViewerLookup(self.reads, self.clock)
        key = self.settings.derived_key
        self.sealer = Sealer(key("sealing"))
        self.searcher = Searcher(self.settings)
        self.access_tokens = AccessTokens(key("access-token"), lifetime=self.settings.access_token_ttl)
        self.sign_in_desk = SignInDesk(
            units=self.uow,
            hasher=self.hasher,
            throttle=LoginAttempts(self.redis),
            tokens=RefreshTokens(key("refresh-token")),
            policy=SessionPolicy(self.settings.session_idle_timeout, self.settings.session_absolute_timeout),
            clock=self.clock,
            address_key=key("email-hash"),
        )

    @cached_property
    def objects(self) -> Objects:
        """Where files are kept; opened when the first one comes, so a folder that cannot be made stops no start."""
        return open_objects(self.settings.effective_object_store_url)

    async def _body(self, hash_: str) -> str | None:
        async with self.reads.connect() as connection:
            return await trusted_body(connection, hash_)

    def uow(self) -> UnitOfWork:
        """One change: a transaction of its own."""
        return UnitOfWork(self.engine)
