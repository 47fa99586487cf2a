"""How do people want to be told? Their usable contact methods, rules and quiet hours, read for many at once.

Addresses stay sealed: who is told by what is decided without them.
"""

import dataclasses
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.model import Severity
from domain.contacts.model import ContactKind
from domain.contacts.planning import (
    PersonalRule,
    Preferences,
    QuietHours,
    Rest,
    RuleStep,
    Way,
    hold_of,
    plan,
    rests_of,
)
from domain.escalations.model import Notification, NotificationState
from domain.ids import new_id
from persistence.among import among
from persistence.tables import contact_methods, contact_preferences


@dataclass(frozen=True, slots=True)
class Wishes:
    """Of one person. The account's address is the first of the ways."""

    ways: tuple[Way, ...]
    preferences: Preferences


async def wishes_of(connection: AsyncConnection, user_ids: Collection[UUID]) -> dict[UUID, Wishes]:
    """Everybody's, also of those who said nothing."""
    if not user_ids:
        return {}
    table = contact_methods
    statement = (
        sa.select(table.c.id, table.c.user_id, table.c.kind)
        .where(among(table.c.user_id, user_ids), table.c.verified_at.is_not(None), table.c.disabled_at.is_(None))
        .order_by(table.c.id)
    )
    ways = {user_id: [Way(user_id, ContactKind.EMAIL)] for user_id in user_ids}
    for row in await connection.execute(statement):
        ways[row.user_id].append(Way(row.id, ContactKind(row.kind)))
    preferences = await preferences_of(connection, user_ids)
    return {user_id: Wishes(tuple(found), preferences[user_id]) for user_id, found in ways.items()}


async def preferences_of(connection: AsyncConnection, user_ids: Collection[UUID]) -> dict[UUID, Preferences]:
    """The rules and quiet hours of people."""
    table = contact_preferences
    found = {user_id: Preferences() for user_id in user_ids}
    for row in (await connection.execute(sa.select(table).where(among(table.c.user_id, user_ids)))).mappings():
        found[row["user_id"]] = _preferences_of(row)
    return found


async def save_preferences(
    connection: AsyncConnection, user_id: UUID, preferences: Preferences, *, now: datetime
) -> None:
    """Write what a person wants; whoever calls holds the person's row."""
    values = {
        "rules": [
            {
                "severities": sorted(severity.value for severity in rule.severities),
                "steps": [
                    {"methodId": str(step.method_id), "delay": step.delay.total_seconds()} for step in rule.steps
                ],
            }
            for rule in preferences.rules
        ],
        "quiet_hours": None if preferences.quiet_hours is None else quiet_json(preferences.quiet_hours),
        "updated_at": now,
        "version": preferences.version,
    }
    statement = insert(contact_preferences).values(user_id=user_id, **values)
    await connection.execute(statement.on_conflict_do_update(index_elements=["user_id"], set_=values))


def quiet_json(quiet: QuietHours) -> dict[str, str]:
    """What a row holds of quiet hours."""
    return {
        "starts": quiet.starts.isoformat(),
        "ends": quiet.ends.isoformat(),
        "zone": quiet.zone,
        "floor": quiet.floor.value,
    }


def _preferences_of(row: sa.RowMapping) -> Preferences:
    return Preferences(
        rules=tuple(_rule_of(rule) for rule in row["rules"]),
        quiet_hours=None if row["quiet_hours"] is None else quiet_of(row["quiet_hours"]),
        version=row["version"],
    )


def _rule_of(rule: Mapping[str, Any]) -> PersonalRule:
    return PersonalRule(
        severities=frozenset(map(Severity, rule["severities"])),
        steps=tuple(RuleStep(UUID(step["methodId"]), timedelta(seconds=step["delay"])) for step in rule["steps"]),
    )


def quiet_of(quiet: Mapping[str, str]) -> QuietHours:
    """The quiet hours a row holds."""
    return QuietHours(
        starts=time.fromisoformat(quiet["starts"]),
        ends=time.fromisoformat(quiet["ends"]),
        zone=quiet["zone"],
        floor=Severity(quiet["floor"]),
    )


def planned(
    page: Notification, wishes: Wishes | None, *, severity: Severity, now: datetime, team: Rest | None = None
) -> Iterator[Notification]:
    """A page to a person, once for each message it takes; `team` are the quiet hours of the alert's team.

    A channel wishes nothing: its page is one message.
    """
    if wishes is None:
        yield page
        return
    for one in plan(wishes.ways, wishes.preferences, severity=severity, now=now, team=team):
        is_account = one.way.method_id == page.user_id
        yield dataclasses.replace(
            page,
            id=new_id(),
            contact_method_id=None if is_account else one.way.method_id,
            contact_kind=one.way.kind.value,
            rule_step=one.rule_step,
            next_attempt_at=one.at,
            why=f"{page.why}; {one.because}" if one.because else page.why,
            state=NotificationState.QUEUED if one.held is None else NotificationState.HELD,
            problem=one.held,
            held_reason=one.held,
            held_until=None if one.held is None else one.at,
        )


def held(
    notice: Notification, wishes: Wishes | None, *, severity: Severity, now: datetime, team: Rest | None = None
) -> Notification:
    """A notice to a person, until the end of the quiet hours that hold it; a channel has none."""
    hold = None if wishes is None else hold_of(rests_of(wishes.preferences, team), severity, now)
    if hold is None:
        return notice
    return dataclasses.replace(
        notice,
        state=NotificationState.HELD,
        next_attempt_at=hold.until,
        problem=hold.reason,
        held_reason=hold.reason,
        held_until=hold.until,
    )
