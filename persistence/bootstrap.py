"""How does the first administrator get in, and the first tool? Both are made at the first start, once, and told once.

Synchronous: the command calls these before any event loop runs. Of two starts at the same time one makes them and the
other finds them made.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import structlog

from domain.alerts.events import ActorKind
from domain.alerts.visibility import EVERYTHING
from domain.audit.model import AuditEntry
from domain.errors import AlreadyExists
from domain.identity.addresses import address_digest, address_digests, checked_address
from domain.identity.model import Role, User
from domain.identity.passwords import words_about
from domain.ids import new_id
from domain.integrations.actions import NewIntegration, create_integration
from domain.integrations.model import IntegrationSource
from domain.ports import SystemClock
from persistence.engine import create_engine
from persistence.integrations import IntegrationRepository, any_integration
from persistence.locks import BOOTSTRAP_LOCK
from persistence.password_strength import judged
from persistence.passwords import Argon2Hasher
from persistence.sealing import Sealer
from persistence.unit_of_work import UnitOfWork
from tocsin.settings import Settings

log = structlog.get_logger(__name__)

FIRST_INTEGRATION = "First integration"
GENERATED_BYTES = 15


def ensure_first_administrator(settings: Settings) -> str | None:
    """Make an administrator where there is none. The password if it was generated, else None."""
    return asyncio.run(_in_one_change(settings, _administrator))


def ensure_first_integration(settings: Settings) -> str | None:
    """Make an integration of the generic source where there never was one. Its key, or None when there was."""
    return asyncio.run(_in_one_change(settings, _integration))


async def _in_one_change(
    settings: Settings, work: Callable[[Settings, UnitOfWork], Awaitable[str | None]]
) -> str | None:
    engine = create_engine(settings, pool_size=1)
    try:
        async with UnitOfWork(engine) as uow:
            await uow.connection.execute(sa.select(sa.func.pg_advisory_xact_lock(BOOTSTRAP_LOCK)))
            result = await work(settings, uow)
            await uow.commit()
            return result
    finally:
        await engine.dispose()


async def _administrator(settings: Settings, uow: UnitOfWork) -> str | None:
    if await uow.users.any_admin():
        return None
    given = settings.admin_password.get_secret_value() if settings.admin_password else None
    if given is not None:
        strength = judged(given, words_about(settings.admin_email))
        if strength.score < settings.password_min_score:
            # Whoever sets the environment may do so, and is told.
            log.warning("TOCSIN_ADMIN_PASSWORD is easy to guess", score=strength.score)
    password = given or secrets.token_urlsafe(GENERATED_BYTES)
    hasher = Argon2Hasher()
    try:
        user = User(
            id=new_id(),
            email=checked_address(settings.admin_email, "TOCSIN_ADMIN_EMAIL"),
            role=Role.ADMIN,
            created_at=SystemClock().now(),
            password_hash=await hasher.hash(password),
        )
    finally:
        hasher.close()
    address = address_digest(user.email, settings.derived_key("email-hash"))
    older = address_digests(user.email, settings.older_derived_keys("email-hash"))
    if not await uow.users.add(user, email_digest=address, older_digests=older):
        message = f"{user.email} belongs to a person who is no administrator: set TOCSIN_ADMIN_EMAIL to another address"
        raise AlreadyExists(message, ("TOCSIN_ADMIN_EMAIL",))
    await uow.audit.append(_entry("createUser", user.created_at, kind="user", target_id=user.id))
    return None if given else password


async def _integration(settings: Settings, uow: UnitOfWork) -> str | None:
    if await any_integration(uow.connection):
        return None
    now = SystemClock().now()

    async def audit(
        *, target_id: UUID, before: dict[str, Any] | None = None, after: dict[str, Any] | None = None
    ) -> None:
        entry = _entry("createIntegration", now, kind="integration", target_id=target_id)
        await uow.audit.append(replace(entry, before=before, after=after))

    made = await create_integration(
        NewIntegration(name=FIRST_INTEGRATION, source=IntegrationSource.GENERIC),
        stores=IntegrationRepository(uow.connection, Sealer.of(settings)),
        engine=None,
        created_by=None,
        sight=EVERYTHING,
        now=now,
        audit=audit,
    )
    return made.secret


def _entry(action: str, now: datetime, *, kind: str, target_id: UUID) -> AuditEntry:
    return AuditEntry(
        id=new_id(),
        occurred_at=now,
        actor_kind=ActorKind.SYSTEM,
        action=action,
        target_kind=kind,
        target_id=target_id,
    )
