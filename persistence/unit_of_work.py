"""What is one change? Everything a use case writes, in one transaction: all of it or none.

The use case opens a unit of work, and commits it or leaves it; leaving without commit rolls back. It must not be held
across a `yield`, nor used by two coroutines at once.
"""

from collections.abc import Callable
from types import TracebackType
from typing import Self

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from persistence.account_requests import AccountRequestRepository
from persistence.admissions import AdmissionRepository
from persistence.alerts import AlertRepository
from persistence.api_keys import AccessRepository
from persistence.attachments import AttachmentRepository
from persistence.audit import AuditTrail
from persistence.erasing import ErasingStore
from persistence.factors import FactorRepository
from persistence.idempotency import IdempotencyKeys
from persistence.identities import IdentityRepository
from persistence.mail import MailRepository
from persistence.one_time_tokens import OneTimeTokenRepository
from persistence.passkeys import ChallengeRepository, PasskeyRepository
from persistence.people_directory import PeopleDirectory
from persistence.rules_of_teams import RulesOfTeams
from persistence.schedules import ScheduleRepository
from persistence.sessions import SessionRepository
from persistence.silences import StandingSilences
from persistence.team_events import TeamLog
from persistence.team_ownership import OwnershipLines
from persistence.teams import TeamRepository
from persistence.trusted_documents import TrustedDocumentRepository
from persistence.users import UserRepository


class UnitOfWork:
    """One transaction and the repositories that write in it. READ COMMITTED: locks, not retries, order the writers."""

    connection: AsyncConnection
    access: AccessRepository
    alerts: AlertRepository
    attachments: AttachmentRepository
    documents: TrustedDocumentRepository
    people: PeopleDirectory
    silences: StandingSilences
    teams: TeamRepository
    ownership: OwnershipLines
    rules_of_teams: RulesOfTeams
    team_log: TeamLog
    users: UserRepository
    schedules: ScheduleRepository
    sessions: SessionRepository
    identities: IdentityRepository
    factors: FactorRepository
    passkeys: PasskeyRepository
    challenges: ChallengeRepository
    erasing: ErasingStore
    idempotency: IdempotencyKeys
    audit: AuditTrail
    mail: MailRepository
    one_time_tokens: OneTimeTokenRepository
    admissions: AdmissionRepository
    account_requests: AccountRequestRepository

    def __init__(self, engine: AsyncEngine) -> None:
        self._pending = engine.connect()

    async def __aenter__(self) -> Self:
        self.connection = await self._pending.__aenter__()
        self.access = AccessRepository(self.connection)
        self.alerts = AlertRepository(self.connection)
        self.attachments = AttachmentRepository(self.connection)
        self.documents = TrustedDocumentRepository(self.connection)
        self.people = PeopleDirectory(self.connection)
        self.silences = StandingSilences(self.connection)
        self.teams = TeamRepository(self.connection)
        self.ownership = OwnershipLines(self.connection)
        self.rules_of_teams = RulesOfTeams(self.connection)
        self.team_log = TeamLog(self.connection)
        self.users = UserRepository(self.connection)
        self.schedules = ScheduleRepository(self.connection)
        self.sessions = SessionRepository(self.connection)
        self.identities = IdentityRepository(self.connection)
        self.factors = FactorRepository(self.connection)
        self.passkeys = PasskeyRepository(self.connection)
        self.challenges = ChallengeRepository(self.connection)
        self.erasing = ErasingStore(self.connection)
        self.idempotency = IdempotencyKeys(self.connection)
        self.audit = AuditTrail(self.connection)
        self.mail = MailRepository(self.connection)
        self.one_time_tokens = OneTimeTokenRepository(self.connection)
        self.admissions = AdmissionRepository(self.connection)
        self.account_requests = AccountRequestRepository(self.connection)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Closes (and so rolls back) shielded from cancellation: a request that is cancelled here must not leak its
        # connection, nor leave a transaction open.
        await self._pending.__aexit__(kind, error, trace)

    async def commit(self) -> None:
        """Make it durable. When this raises because the connection was lost, the outcome is unknown."""
        await self.connection.commit()


UnitOfWorkFactory = Callable[[], UnitOfWork]
