"""What does one API process hold for its whole life? Settings, clock, pools and the parts that others plug in."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.access.devices import DeviceTokens
from domain.access.issuing import KeyDesk
from domain.access.throttle import AttemptKind
from domain.alerts.submission import Ingest
from domain.escalations.answer import AnswerLinks
from domain.identity.account_desk import AccountDesk
from domain.identity.enrolment import FactorDesk
from domain.identity.federation import FederationDesk, FederationPolicy
from domain.identity.letters import Letters
from domain.identity.model import Role
from domain.identity.passwords import PasswordRules
from domain.identity.proving import Prover
from domain.identity.second_step import SecondStep
from domain.identity.sessions import RefreshTokens, SessionPolicy
from domain.identity.sign_in import SignInDesk
from domain.identity.step_up import StepUpDesk
from domain.ports import Clock
from graphql_api.access.limiting import OperationLimits
from graphql_api.audit.lately import Lately
from graphql_api.documents.shipped import shipped_documents
from graphql_api.documents.trusted import TrustedDocuments
from graphql_api.identity.ceremonies import RelyingParty, WebAuthnCeremonies
from graphql_api.identity.providers import Provider
from graphql_api.identity.tokens import AccessTokens
from graphql_api.limits import Documents, Limits
from graphql_api.live.hub import Hub
from graphql_api.live.on_call import OnCallFeed
from graphql_api.live.sessions import SessionWatch
from graphql_api.live.team_feed import RuleFeed, TeamFeed
from graphql_api.observability.metrics import Metrics
from persistence.account_rules import account_rules
from persistence.key_viewers import KeyLookup, KeyUse
from persistence.known_places import has_signed_in_from
from persistence.objects import Objects, open_objects
from persistence.password_strength import ZxcvbnJudge
from persistence.passwords import Argon2Hasher
from persistence.rate_limiter import RateLimiter
from persistence.sealing import Sealer
from persistence.search.searcher import Searcher
from persistence.sessions import ViewerLookup
from persistence.throttle import AttemptThrottle, BucketThrottle
from persistence.trusted_documents import trusted_body
from persistence.unit_of_work import UnitOfWork
from tocsin.settings import Settings


@dataclass(kw_only=True)
class AppState:
    """Made by graphql_api/app.py; opened and closed by its lifespan.

    `engine` writes; `reads` is the same pool without transactions around single statements. `directory` finds an
    integration by its key, `hub` feeds subscriptions, `sessions` ends them; all are opened by the lifespan.
    `writing_seconds` is for how long `ingest` was writing something; `began` is when this was made, by the monotonic
    clock, in seconds.
    """

    settings: Settings
    clock: Clock
    engine: AsyncEngine
    ingest: Ingest | None = None
    writing_seconds: Callable[[], float] = field(default=lambda: 0.0)
    directory: Any = None
    hub: Hub | None = None
    sessions: SessionWatch | None = None
    team_feed: TeamFeed | None = None
    rule_feed: RuleFeed | None = None
    on_call: OnCallFeed | None = None
    redis: Redis | None = None
    metrics: Metrics = field(default_factory=Metrics)
    lockouts: Lately = field(default_factory=Lately)
    began: float = field(default_factory=time.monotonic)
    reads: AsyncEngine = field(init=False)
    viewers: ViewerLookup = field(init=False)
    keys: KeyLookup = field(init=False)
    key_use: KeyUse = field(init=False)
    # A key is looked for under the current secret, then under former ones.
    api_key_digest_keys: tuple[bytes, ...] = field(init=False)
    key_desk: KeyDesk = field(init=False)
    limiter: RateLimiter = field(init=False)
    operation_limits: OperationLimits = field(init=False)
    devices: DeviceTokens = field(init=False)
    access_tokens: AccessTokens = field(init=False)
    hasher: Argon2Hasher = field(default_factory=Argon2Hasher)
    judge: ZxcvbnJudge = field(default_factory=ZxcvbnJudge)
    passwords: PasswordRules = field(init=False)
    accounts: AccountDesk = field(init=False)
    sign_in_desk: SignInDesk = field(init=False)
    second_step: SecondStep = field(init=False)
    step_up_desk: StepUpDesk = field(init=False)
    factor_desk: FactorDesk = field(init=False)
    federation: FederationDesk = field(init=False)
    providers: Mapping[str, Provider] = field(init=False)
    sealer: Sealer = field(init=False)
    searcher: Searcher = field(init=False)
    documents: Documents = field(init=False)
    trusted: TrustedDocuments = field(init=False)

    answer_links: AnswerLinks = field(init=False)

    def __post_init__(self) -> None:
        # A read is one statement: without AUTOCOMMIT each would cost a BEGIN and a ROLLBACK on the wire as well.
        self.reads = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self.documents = Documents(Limits.of(self.settings))
        self.trusted = TrustedDocuments(shipped_documents(), self._body, settings=self.settings)
        self.viewers = ViewerLookup(self.reads, self.clock)
        key = self.settings.derived_key
        older = self.settings.older_derived_keys
        self.answer_links = AnswerLinks(key("answer-link"))
        self.sealer = Sealer.of(self.settings)
        self.searcher = Searcher(self.settings)
        self.limiter = RateLimiter(self.redis)
        self.operation_limits = OperationLimits(self.settings, self.limiter)
        self.devices = DeviceTokens(key("device"))
        self.keys, self.key_use = KeyLookup(self.reads, self.clock), KeyUse(self.engine)
        self.api_key_digest_keys = (key("api-key"), *older("api-key"))
        self.key_desk = KeyDesk(digest_key=key("api-key"), max_lifetime=self.settings.api_key_max_lifetime)
        self.access_tokens = AccessTokens(
            key("access-token"), lifetime=self.settings.access_token_ttl, older_keys=older("access-token")
        )
        prover = Prover(
            units=self.uow,
            sealer=self.sealer,
            recovery_keys=(key("recovery-code"), *older("recovery-code")),
            ceremonies=WebAuthnCeremonies(RelyingParty.of(self.settings.effective_public_url)),
            letters=Letters(self.settings.effective_public_url),
            clock=self.clock,
        )
        self.factor_desk = FactorDesk(units=self.uow, prover=prover, clock=self.clock)
        self.sign_in_desk = SignInDesk(
            units=self.uow,
            hasher=self.hasher,
            throttle=self.attempts(AttemptKind.LOGIN),
            tokens=RefreshTokens(key("refresh-token"), older("refresh-token")),
            policy=SessionPolicy(self.settings.session_idle_timeout, self.settings.session_absolute_timeout),
            clock=self.clock,
            prover=prover,
            address_key=key("email-hash"),
            older_address_keys=older("email-hash"),
        )
        self.passwords = PasswordRules(judge=self.judge, hasher=self.hasher, least=self.settings.password_min_score)
        self.accounts = AccountDesk(
            units=self.uow,
            passwords=self.passwords,
            throttles=self.attempts,
            clock=self.clock,
            rules=account_rules(self.settings),
            is_open=self.settings.open_registration,
        )
        self.second_step = SecondStep(self.sign_in_desk)
        self.step_up_desk = StepUpDesk(self.sign_in_desk)

        self.providers = {given.name: Provider(given) for given in self.settings.identity_providers}
        self.federation = FederationDesk(
            units=self.uow,
            policy=FederationPolicy(
                providers=frozenset(self.providers),
                sign_up_role=Role(self.settings.oidc_sign_up_role.value) if self.settings.oidc_sign_up else None,
                link_by_email=self.settings.oidc_link_by_email,
            ),
            clock=self.clock,
            letters=prover.letters,
            address_keys=self.sign_in_desk.address_keys,
        )

    def attempts(self, kind: AttemptKind) -> AttemptThrottle:
        """What slows guesses of one kind. Subjects are digests of addresses."""
        return AttemptThrottle(
            BucketThrottle(self.limiter), kind, devices=self.devices, known_place=self._has_signed_in_from
        )

    async def _has_signed_in_from(self, email_digest: bytes, place: str) -> bool:
        async with self.reads.connect() as connection:
            return await has_signed_in_from(connection, email_digest, place, now=self.clock.now())

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
