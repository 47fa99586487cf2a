"""What is kept about a person? The sections of an export, each with the rows it is made of.

Each is read by short statements, a page at a time: no memory and no transaction grows with what a person did.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

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

PAGE = 500
Row: TypeAlias = Mapping[str, Any]
# The rows of one section, of the person with this id.
Section: TypeAlias = Callable[[AsyncEngine, UUID], AsyncIterator[Row]]
_EVENTS = sa.text("""
SELECT xid\\:\\:text AS xid, seq, id, alert_id AS "alertId", kind, occurred_at AS "occurredAt",
       data ->> 'comment' AS comment, data ->> 'reason' AS reason, data -> 'changes' AS changes
  FROM alert_events
 WHERE actor_kind = 'user' AND actor_id = :user_id AND (xid, seq) > (:xid\\:\\:text\\:\\:xid8, :seq)
 ORDER BY xid, seq LIMIT :page
""").bindparams(sa.bindparam("user_id", type_=sa.Uuid()), sa.bindparam("seq", type_=sa.BigInteger()))


def _rows(
    table: sa.Table,
    columns: str,
    *,
    whose: Sequence[str] = ("user_id",),
    sealed: str = "",
    where: sa.ColumnElement[bool] | None = None,
    key: str = "id",
) -> Section:
    """Columns of a table where one of `whose` is the person, those that are `sealed` under their key opened."""
    statement = _named(table, *columns.split(), *sealed.split())
    if where is not None:
        statement = statement.where(where)

    async def rows(engine: AsyncEngine, user_id: UUID) -> AsyncIterator[Row]:
        mine = statement.where(sa.or_(*(table.c[name] == user_id for name in whose)))
        opener = await _opener(engine, user_id) if sealed else None
        async for row_id, row in _pages(engine, mine, table.c[key]):
            if opener is not None:
                for name in sealed.split():
                    row[_camel(name)] = opener.open(row[_camel(name)], column=f"{table.name}.{name}", row=row_id)
            yield row

    return rows


async def _memberships(engine: AsyncEngine, user_id: UUID) -> AsyncIterator[Row]:
    """The teams they are in, by name as well."""
    statement = (
        sa.select(
            teams.c.id.label("teamId"),
            teams.c.name.label("team"),
            memberships.c.role.label("role"),
            memberships.c.created_at.label("since"),
        )
        .join(teams, teams.c.id == memberships.c.team_id)
        .where(memberships.c.user_id == user_id)
    )
    async for _, row in _pages(engine, statement, teams.c.id):
        yield row


async def _audit(engine: AsyncEngine, user_id: UUID, *, is_by_them: bool) -> AsyncIterator[Row]:
    """Entries in the order of their time, as the log's indexes are: what they did, or what others did about them."""
    mine = audit_log.c.actor_id == user_id
    if not is_by_them:
        mine = sa.and_(audit_log.c.target_id == user_id, audit_log.c.actor_id.is_distinct_from(user_id))
    # Not the address of others: where somebody else was is theirs.
    address = ("ip_address",) if is_by_them else ()
    columns = ("id", "occurred_at", "actor_id", *address, "action", "outcome", "target_kind", "target_id")
    statement = _named(audit_log, *columns, "before", "after").where(mine)
    place = sa.tuple_(audit_log.c.occurred_at, audit_log.c.id)
    last: tuple[Any, ...] | None = None
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


async def _events(engine: AsyncEngine, user_id: UUID) -> AsyncIterator[Row]:
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


# -- reading -----------------------------------------------------------------------------------------------------------


def _named(table: sa.Table, *columns: str) -> sa.Select[Any]:
    return sa.select(*(table.c[name].label(_camel(name)) for name in columns))


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


async def _pages(
    engine: AsyncEngine, statement: sa.Select[Any], key: sa.Column[Any]
) -> AsyncIterator[tuple[UUID, dict[str, Any]]]:
    """The rows by their key, a page a statement. The key itself is read beside them."""
    last: UUID | None = None
    while True:
        page = statement.add_columns(key.label("_key")).order_by(key).limit(PAGE)
        if last is not None:
            page = page.where(key > last)
        async with engine.connect() as connection:
            rows = [dict(row) for row in (await connection.execute(page)).mappings()]
        for row in rows:
            row_id = last = row.pop("_key")
            yield row_id, row
        if len(rows) < PAGE:
            return


async def _opener(engine: AsyncEngine, user_id: UUID) -> Opener:
    async with engine.connect() as connection:
        wrapped = await connection.scalar(sa.select(person_keys.c.wrapped).where(person_keys.c.user_id == user_id))
        erased_at = await connection.scalar(sa.select(users.c.erased_at).where(users.c.id == user_id))
        return vault_of(connection).opener(user_id, wrapped, is_erased=erased_at is not None)


SECTIONS: Mapping[str, Section] = {
    "sessions": _rows(sessions, "id created_at last_used_at expires_at revoked_at", sealed="user_agent ip_address"),
    "memberships": _memberships,
    "apiKeys": _rows(api_keys, "id name prefix scopes created_at expires_at last_used_at revoked_at"),
    "identities": _rows(identities, "id provider subject created_at last_used_at"),
    "passkeys": _rows(passkeys, "id name created_at last_used_at"),
    "contactMethods": _rows(
        contact_methods, "id kind created_at verified_at disabled_at disabled_reason", sealed="address label"
    ),
    "contactPreferences": _rows(contact_preferences, "rules quiet_hours updated_at", key="user_id"),
    "textMessages": _rows(text_messages, "id contact_method_id created_at sent_at delivered_at failed_at"),
    "notifications": _rows(notifications, "id kind alert_id state contact_method_id created_at mailed_at settled_at"),
    "scheduleOverrides": _rows(schedule_overrides, "id schedule_id starts_at ends_at reason created_at"),
    "silences": _rows(
        silences,
        "id comment starts_at ends_at created_at",
        whose=("actor_id",),
        where=silences.c.actor_kind == "user",
    ),
    "shiftSwaps": _rows(
        shift_swaps,
        "id schedule_id starts_at ends_at reason state created_at",
        whose=("user_id", "colleague_id"),
    ),
    "calendarFeeds": _rows(calendar_feeds, "id schedule_id created_at revoked_at"),
    "followedCalendars": _rows(followed_calendars, "id schedule_id meaning host created_at ended_at"),
    "drills": _rows(drills, "id policy_id schedule_id note started_at ended_at", whose=("started_by", "answered_by")),
    "auditEntriesByYou": partial(_audit, is_by_them=True),
    "auditEntriesAboutYou": partial(_audit, is_by_them=False),
    "alertEvents": _events,
    "attachments": _rows(
        attachments,
        "id alert_id file_name content_type size_bytes created_at deleted_at",
        whose=("uploaded_by",),
    ),
    "dataExports": _rows(data_exports, "id requested_by requested_at state finished_at expires_at"),
}
