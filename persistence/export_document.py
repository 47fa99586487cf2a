"""What does an export of a person's data hold, and in which form? One JSON object, made as a stream.

Each section is read by short statements, a page at a time: no memory and no transaction grows with what a person did.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.identity.model import User
from persistence.person_keys import Opener, vault_of
from persistence.tables import (
    api_keys,
    attachments,
    audit_log,
    calendar_feeds,
    contact_methods,
    contact_preferences,
    data_exports,
    drills,
    followed_calendars,
    identities,
    memberships,
    notifications,
    passkeys,
    person_keys,
    schedule_overrides,
    sessions,
    shift_swaps,
    silences,
    teams,
    text_messages,
    users,
)

FORMAT = "tocsin-personal-data/1"
PAGE = 500
_Row = Mapping[str, Any]
_EVENTS = sa.text("""
SELECT xid\\:\\:text AS xid, seq, id, alert_id AS "alertId", kind, occurred_at AS "occurredAt",
       data ->> 'comment' AS comment, data ->> 'reason' AS reason, data -> 'changes' AS changes
  FROM alert_events
 WHERE actor_kind = 'user' AND actor_id = :user_id AND (xid, seq) > (:xid\\:\\:text\\:\\:xid8, :seq)
 ORDER BY xid, seq LIMIT :page
""").bindparams(sa.bindparam("user_id", type_=sa.Uuid()), sa.bindparam("seq", type_=sa.BigInteger()))


async def export_document(engine: AsyncEngine, user: User, *, now: datetime) -> AsyncIterator[bytes]:
    """The pieces of the document."""
    head = {"format": FORMAT, "createdAt": now, "profile": _profile(user)}
    yield _json(head)[:-1]
    for name, rows in _sections(engine, user.id).items():
        yield b',"' + name.encode() + b'":['
        is_first = True
        async for row in rows:
            yield _json(row) if is_first else b"," + _json(row)
            is_first = False
        yield b"]"
    yield b"}\n"


def _profile(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "email": user.email,
        "firstName": user.first_name,
        "lastName": user.last_name,
        "role": user.role.value,
        "primaryTeamId": user.team_id,
        "createdAt": user.created_at,
        "lastLogin": user.last_login,
        "isActive": user.is_active,
    }


def _sections(engine: AsyncEngine, user_id: UUID) -> dict[str, AsyncIterator[_Row]]:
    return {
        "sessions": _sessions(engine, user_id),
        "memberships": _listed(
            engine,
            sa.select(
                teams.c.id.label("teamId"),
                teams.c.name.label("team"),
                memberships.c.role.label("role"),
                memberships.c.created_at.label("since"),
            )
            .join(teams, teams.c.id == memberships.c.team_id)
            .where(memberships.c.user_id == user_id),
            teams.c.id,
        ),
        "apiKeys": _listed(
            engine,
            _named(
                api_keys, "id", "name", "prefix", "scopes", "created_at", "expires_at", "last_used_at", "revoked_at"
            ).where(api_keys.c.user_id == user_id),
            api_keys.c.id,
        ),
        "identities": _listed(
            engine,
            _named(identities, "id", "provider", "subject", "created_at", "last_used_at").where(
                identities.c.user_id == user_id
            ),
            identities.c.id,
        ),
        "passkeys": _listed(
            engine,
            _named(passkeys, "id", "name", "created_at", "last_used_at").where(passkeys.c.user_id == user_id),
            passkeys.c.id,
        ),
        "contactMethods": _contact_methods(engine, user_id),
        "contactPreferences": _listed(
            engine,
            _named(contact_preferences, "rules", "quiet_hours", "updated_at").where(
                contact_preferences.c.user_id == user_id
            ),
            contact_preferences.c.user_id,
        ),
        "textMessages": _listed(
            engine,
            _named(
                text_messages, "id", "contact_method_id", "created_at", "sent_at", "delivered_at", "failed_at"
            ).where(text_messages.c.user_id == user_id),
            text_messages.c.id,
        ),
        "notifications": _listed(
            engine,
            _named(
                notifications,
                "id",
                "kind",
                "alert_id",
                "state",
                "contact_method_id",
                "created_at",
                "mailed_at",
                "settled_at",
            ).where(notifications.c.user_id == user_id),
            notifications.c.id,
        ),
        "scheduleOverrides": _listed(
            engine,
            _named(schedule_overrides, "id", "schedule_id", "starts_at", "ends_at", "reason", "created_at").where(
                schedule_overrides.c.user_id == user_id
            ),
            schedule_overrides.c.id,
        ),
        "silences": _listed(
            engine,
            _named(silences, "id", "comment", "starts_at", "ends_at", "created_at").where(
                silences.c.actor_kind == "user", silences.c.actor_id == user_id
            ),
            silences.c.id,
        ),
        "shiftSwaps": _listed(
            engine,
            _named(shift_swaps, "id", "schedule_id", "starts_at", "ends_at", "reason", "state", "created_at").where(
                sa.or_(shift_swaps.c.user_id == user_id, shift_swaps.c.colleague_id == user_id)
            ),
            shift_swaps.c.id,
        ),
        "calendarFeeds": _listed(
            engine,
            _named(calendar_feeds, "id", "schedule_id", "created_at", "revoked_at").where(
                calendar_feeds.c.user_id == user_id
            ),
            calendar_feeds.c.id,
        ),
        "followedCalendars": _listed(
            engine,
            _named(followed_calendars, "id", "schedule_id", "meaning", "host", "created_at", "ended_at").where(
                followed_calendars.c.user_id == user_id
            ),
            followed_calendars.c.id,
        ),
        "drills": _listed(
            engine,
            _named(drills, "id", "policy_id", "schedule_id", "note", "started_at", "ended_at").where(
                sa.or_(drills.c.started_by == user_id, drills.c.answered_by == user_id)
            ),
            drills.c.id,
        ),
        "auditEntriesByYou": _audit(engine, audit_log.c.actor_id == user_id, "ip_address"),
        # Without the address: where somebody else was is theirs.
        "auditEntriesAboutYou": _audit(
            engine, sa.and_(audit_log.c.target_id == user_id, audit_log.c.actor_id.is_distinct_from(user_id))
        ),
        "alertEvents": _events(engine, user_id),
        "attachments": _listed(
            engine,
            _named(
                attachments, "id", "alert_id", "file_name", "content_type", "size_bytes", "created_at", "deleted_at"
            ).where(attachments.c.uploaded_by == user_id),
            attachments.c.id,
        ),
        "dataExports": _listed(
            engine,
            _named(data_exports, "id", "requested_by", "requested_at", "state", "finished_at", "expires_at").where(
                data_exports.c.user_id == user_id
            ),
            data_exports.c.id,
        ),
    }


def _named(table: sa.Table, *columns: str) -> sa.Select[Any]:
    return sa.select(*(table.c[name].label(_camel(name)) for name in columns))


async def _listed(
    engine: AsyncEngine,
    statement: sa.Select[Any],
    key: sa.Column[Any],
    made: Callable[[_Row], _Row] = lambda row: row,
) -> AsyncIterator[_Row]:
    """The rows by their key, a page a statement. The key itself is read beside them and left out."""
    last: UUID | None = None
    while True:
        page = statement.add_columns(key.label("_key")).order_by(key).limit(PAGE)
        if last is not None:
            page = page.where(key > last)
        async with engine.connect() as connection:
            rows = [dict(row) for row in (await connection.execute(page)).mappings()]
        for row in rows:
            last = row.pop("_key")
            yield made(row)
        if len(rows) < PAGE:
            return


async def _opener(engine: AsyncEngine, user_id: UUID) -> Opener:
    async with engine.connect() as connection:
        wrapped = await connection.scalar(sa.select(person_keys.c.wrapped).where(person_keys.c.user_id == user_id))
        erased_at = await connection.scalar(sa.select(users.c.erased_at).where(users.c.id == user_id))
        return vault_of(connection).opener(user_id, wrapped, is_erased=erased_at is not None)


async def _contact_methods(engine: AsyncEngine, user_id: UUID) -> AsyncIterator[_Row]:
    """What reaches them, with the numbers and addresses."""
    opener = await _opener(engine, user_id)

    def opened(row: _Row) -> _Row:
        return {
            **row,
            "address": opener.open(row["address"], column="contact_methods.address", row=row["id"]),
            "label": opener.open(row["label"], column="contact_methods.label", row=row["id"]),
        }

    columns = ("id", "kind", "address", "label", "created_at", "verified_at", "disabled_at", "disabled_reason")
    statement = _named(contact_methods, *columns).where(contact_methods.c.user_id == user_id)
    async for row in _listed(engine, statement, contact_methods.c.id, opened):
        yield row


async def _sessions(engine: AsyncEngine, user_id: UUID) -> AsyncIterator[_Row]:
    """Sign-ins with where they came from, opened one by one."""
    opener = await _opener(engine, user_id)

    def opened(row: _Row) -> _Row:
        return {
            **row,
            "userAgent": opener.open(row["userAgent"], column="sessions.user_agent", row=row["id"]),
            "ipAddress": opener.open(row["ipAddress"], column="sessions.ip_address", row=row["id"]),
        }

    statement = _named(
        sessions, "id", "created_at", "last_used_at", "expires_at", "revoked_at", "user_agent", "ip_address"
    ).where(sessions.c.user_id == user_id)
    async for row in _listed(engine, statement, sessions.c.id, opened):
        yield row


async def _audit(engine: AsyncEngine, condition: sa.ColumnElement[bool], *more: str) -> AsyncIterator[_Row]:
    """Entries in the order of their time, as the log's indexes are; with these columns as well."""
    place = sa.tuple_(audit_log.c.occurred_at, audit_log.c.id)
    columns = ("id", "occurred_at", "actor_id", *more, "action", "outcome", "target_kind", "target_id")
    statement = _named(audit_log, *columns, "before", "after").where(condition)
    last: tuple[datetime, UUID] | None = None
    while True:
        page = statement.order_by(audit_log.c.occurred_at, audit_log.c.id).limit(PAGE)
        if last is not None:
            page = page.where(place > sa.tuple_(*(sa.literal(value) for value in last)))
        async with engine.connect() as connection:
            rows = (await connection.execute(page)).mappings().all()
        for row in rows:
            last = (row["occurredAt"], row["id"])
            yield row
        if len(rows) < PAGE:
            return


async def _events(engine: AsyncEngine, user_id: UUID) -> AsyncIterator[_Row]:
    """What the person did to alerts, in the order of the log."""
    place = {"xid": "0", "seq": 0}
    while True:
        async with engine.connect() as connection:
            arguments = {"user_id": user_id, "page": PAGE, **place}
            rows = [dict(row) for row in (await connection.execute(_EVENTS, arguments)).mappings()]
        for row in rows:
            place = {"xid": row.pop("xid"), "seq": row.pop("seq")}
            yield row
        if len(rows) < PAGE:
            return


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _json(value: object) -> bytes:
    return orjson.dumps(value, default=_plain)


def _plain(value: object) -> object:
    """What orjson does not know: rows of the database, and addresses on the network."""
    return dict(value) if isinstance(value, Mapping) else str(value)
