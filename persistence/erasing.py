"""What is forgotten of a person, table by table? `GOES` says what is deleted, `STAYS` what is kept and why.

A test walks all tables: a column that names a person stands in one of the two, or the test fails. So nobody adds a
table about people without deciding this.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.events import SYSTEM
from domain.identity.model import Role, User
from domain.ids import new_id
from domain.privacy.erasure import Erasure
from domain.teams.events import TeamEvent, TeamEventKind
from persistence.attempts import forget_attempts
from persistence.locks import TEAMS_LOCK
from persistence.person_keys import vault_of
from persistence.sealed_columns import PERSONAL
from persistence.tables import (
    api_keys,
    calendar_feeds,
    code_guesses,
    contact_codes,
    contact_methods,
    contact_preferences,
    data_exports,
    federation_codes,
    followed_calendars,
    idempotency_keys,
    identities,
    identity_challenges,
    memberships,
    metadata,
    one_time_tokens,
    outgoing_mail,
    passkeys,
    person_keys,
    recovery_codes,
    sessions,
    slack_messages,
    text_messages,
    totp_secrets,
    users,
)
from persistence.team_events import TeamLog
from persistence.users import select_people, user_of

# Rows that are about the person alone, by the column that names them. The key goes first: with it everything sealed.
GOES: tuple[sa.Column[Any], ...] = (
    person_keys.c.user_id,
    memberships.c.user_id,
    one_time_tokens.c.user_id,
    outgoing_mail.c.user_id,
    data_exports.c.user_id,
    data_exports.c.requested_by,
    idempotency_keys.c.actor_id,
    api_keys.c.user_id,
    identities.c.user_id,
    federation_codes.c.user_id,
    totp_secrets.c.user_id,
    recovery_codes.c.user_id,
    passkeys.c.user_id,
    identity_challenges.c.user_id,
    code_guesses.c.user_id,
    contact_methods.c.user_id,
    contact_codes.c.user_id,
    contact_preferences.c.user_id,
    text_messages.c.user_id,
    calendar_feeds.c.user_id,
    followed_calendars.c.user_id,
    slack_messages.c.user_id,
)
# Told with the commit, without saying who: whoever keeps what was made of names forgets it.
ERASED_CHANNEL = "tocsin_erased"
ONLY_AN_ID = "what was done stays; the id says nothing without a name"
# `table.column`: why it stays.
STAYS: Mapping[str, str] = {
    "users.id": "the row stays for what points at it, without address, names, password and digest",
    "sessions.user_id": "ended at once, without where they came from; deleted with the ended sessions",
    "alerts.assigned_to": ONLY_AN_ID,
    "alert_events.actor_id": ONLY_AN_ID,
    "alert_rules.created_by": ONLY_AN_ID,
    "alert_rule_versions.changed_by": ONLY_AN_ID,
    "routing_rule_versions.changed_by": ONLY_AN_ID,
    "alert_rule_events.actor_id": ONLY_AN_ID,
    "alert_group_events.actor_id": ONLY_AN_ID,
    "attachments.uploaded_by": ONLY_AN_ID,
    "integrations.created_by": ONLY_AN_ID,
    "trusted_documents.created_by": ONLY_AN_ID,
    "admissions.invited_by": ONLY_AN_ID,
    "service_accounts.created_by": ONLY_AN_ID,
    "api_keys.created_by": ONLY_AN_ID,
    "schedule_versions.created_by": ONLY_AN_ID,
    "schedule_overrides.user_id": ONLY_AN_ID,
    "schedule_overrides.created_by": ONLY_AN_ID,
    "followed_calendars.cover_id": ONLY_AN_ID,
    "followed_calendars.created_by": ONLY_AN_ID,
    "shift_swaps.user_id": ONLY_AN_ID,
    "shift_swaps.colleague_id": ONLY_AN_ID,
    "shift_swaps.created_by": ONLY_AN_ID,
    "shift_swaps.settled_by": ONLY_AN_ID,
    "drills.started_by": ONLY_AN_ID,
    "drills.answered_by": ONLY_AN_ID,
    "notifications.user_id": ONLY_AN_ID,
    "team_events.actor_id": ONLY_AN_ID,
    "team_handovers.actor_id": ONLY_AN_ID,
    "audit_log.actor_id": "who did what must stay provable; the log holds no address and no name",
    "silences.actor_id": ONLY_AN_ID,
    "threshold_rules.created_by": ONLY_AN_ID,
    "heartbeats.created_by": ONLY_AN_ID,
    "maintenance_windows.actor_id": ONLY_AN_ID,
    "silences.created_by": "written by whoever made the silence over /api/v2, as Alertmanager keeps it",
}


class ErasingStore:
    """See domain.privacy.erasure.Erasing."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def locked(self, user_id: UUID) -> User | None:
        """The person, held with every administrator, in one order: of two at once the second sees the first."""
        await self._lock_teams()
        await self._connection.execute(
            sa.select(users.c.id)
            .where(sa.or_(users.c.id == user_id, users.c.role == Role.ADMIN.value))
            .order_by(users.c.id)
            .with_for_update()
        )
        statement = select_people().where(users.c.id == user_id, users.c.erased_at.is_(None))
        row = (await self._connection.execute(statement)).mappings().one_or_none()
        return None if row is None else user_of(row, vault_of(self._connection))

    async def other_admins(self, user_id: UUID) -> int:
        """How many administrators there are beside this person."""
        statement = sa.select(sa.func.count()).where(
            users.c.role == Role.ADMIN.value, users.c.is_active, users.c.id != user_id
        )
        return int(await self._connection.scalar(statement) or 0)

    async def erase(self, erasure: Erasure) -> list[str]:
        """Forget the person; the keys of files that are to go. Of one who is erased already nothing changes."""
        user_id = erasure.user_id
        await self._lock_teams()
        # Before anything else, as in key_to_write: whoever writes about the person has finished, and nobody begins.
        await self._connection.execute(sa.select(users.c.id).where(users.c.id == user_id).with_for_update())
        files = await self._connection.scalars(
            sa.select(data_exports.c.object_key).where(
                data_exports.c.object_key.is_not(None),
                sa.or_(data_exports.c.user_id == user_id, data_exports.c.requested_by == user_id),
            )
        )
        found = list(files)
        await self._leave_teams(erasure)
        # What a provider said may name the number: it goes while it is still known whose it was.
        await forget_attempts(self._connection, user_id)
        for column in GOES:
            await self._connection.execute(sa.delete(column.table).where(column == user_id))
        await self._empty_sealed(user_id)
        await self._connection.execute(
            sa.update(sessions)
            .where(sessions.c.user_id == user_id, sessions.c.revoked_at.is_(None))
            .values(revoked_at=erasure.erased_at)
        )
        await self._connection.execute(
            sa.update(users)
            .where(users.c.id == user_id, users.c.erased_at.is_(None))
            .values(
                email_digest=None,
                password_hash=None,
                team_id=None,
                last_login=None,
                email_verified_at=None,
                is_active=False,
                erased_at=erasure.erased_at,
                erases_comments=erasure.comments,
                version=users.c.version + 1,
            )
        )
        await self._connection.execute(sa.select(sa.func.pg_notify(ERASED_CHANNEL, "")))
        return found

    async def _lock_teams(self) -> None:
        """The order of the log of teams is that of the changes: persistence/team_events.py."""
        await self._connection.execute(sa.select(sa.func.pg_advisory_xact_lock(TEAMS_LOCK)))

    async def _leave_teams(self, erasure: Erasure) -> None:
        """Who follows a team learns that a member went."""
        statement = sa.delete(memberships).where(memberships.c.user_id == erasure.user_id)
        left = await self._connection.execute(statement.returning(memberships.c.team_id, memberships.c.role))
        events = [
            TeamEvent(
                id=new_id(),
                team_id=row.team_id,
                kind=TeamEventKind.MEMBER_REMOVED,
                occurred_at=erasure.erased_at,
                actor=SYSTEM,
                data={"user_id": str(erasure.user_id), "role": row.role},
            )
            for row in left
        ]
        await TeamLog(self._connection).append(*events)

    async def _empty_sealed(self, user_id: UUID) -> None:
        """What is under the person's key is noise by now. It goes as well, so that nobody has to believe that."""
        by_table: dict[sa.Table, tuple[sa.Column[Any], list[str]]] = {}
        for sealed in PERSONAL:
            if sealed.person is not None and sealed.column.nullable:
                by_table.setdefault(sealed.table, (sealed.person, []))[1].append(sealed.column.name)
        for table, (person, names) in by_table.items():
            await self._connection.execute(
                sa.update(table).where(person == user_id).values(dict.fromkeys(names, sa.null()))
            )


def undecided() -> list[str]:
    """Columns that name a person and stand in neither table: for the test that asks for a decision."""
    decided = {f"{column.table}.{column.name}" for column in GOES} | set(STAYS)
    found = []
    for table in metadata.sorted_tables:
        for column in table.c:
            points_at_person = any(key.column.table is users for key in column.foreign_keys)
            is_named_so = column.name in {"user_id", "actor_id", "created_by", "uploaded_by", "requested_by"}
            if (points_at_person or is_named_so) and f"{table}.{column.name}" not in decided:
                found.append(f"{table}.{column.name}")
    return found
