"""Who is told of a swap of shifts, by what and when? Notifications like any other, about no alert.

They are planned as a page of the lowest severity is: by the person's own rule, held by their quiet hours. What was
answered meanwhile is not asked any more. A message about a shift carries nothing else, so no page waits behind it.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.alerts.events import ActorKind
from domain.alerts.model import Severity
from domain.alerts.visibility import Sight
from domain.audit.model import AuditEntry
from domain.escalations.model import Notification, NotificationKind
from domain.ids import new_id
from domain.schedules.model import Span
from domain.schedules.swaps import ShiftSwap, SwapState, expired, people_concerned, shown_swap
from persistence.among import among
from persistence.audit import AuditTrail
from persistence.contact_wishes import planned, wishes_of
from persistence.escalation_rows import notification_row
from persistence.person_viewer import viewers_of_people
from persistence.reads.visibility import teams_in_sight
from persistence.tables import notifications, schedules, shift_swaps, teams

SAME = (
    *("id", "schedule_id", "user_id", "colleague_id", "reason", "created_by", "created_at", "expires_at"),
    *("settled_by", "settled_at", "override_id", "return_override_id"),
)
BATCH = 100
_WHY = {
    NotificationKind.SWAP_ASKED: "you are asked to take over a shift",
    NotificationKind.SWAP_SETTLED: "a swap of shifts that you are part of was settled",
}


def swap_of(row: Mapping[Any, Any]) -> ShiftSwap:
    """The object of a row."""
    returns = row["return_starts_at"]
    return ShiftSwap(
        **{name: row[name] for name in SAME},
        given=Span(row["starts_at"], row["ends_at"]),
        returned=None if returns is None else Span(returns, row["return_ends_at"]),
        state=SwapState(row["state"]),
    )


async def tell_of_swap(
    connection: AsyncConnection,
    swap: ShiftSwap,
    kind: NotificationKind,
    people: AbstractSet[UUID],
    *,
    now: datetime,
) -> None:
    """Write what those of the people are told who may sign in and see the schedule."""
    told = await _seeing(connection, people, swap.schedule_id)
    wanted = await wishes_of(connection, told)
    rows = [
        notification_row(one)
        for user_id in told
        for one in planned(
            Notification(id=new_id(), kind=kind, why=_WHY[kind], created_at=now, user_id=user_id, swap_id=swap.id),
            wanted[user_id],
            severity=Severity.LOW,
            now=now,
        )
    ]
    if rows:
        await connection.execute(insert(notifications).on_conflict_do_nothing(), rows)


async def _seeing(connection: AsyncConnection, people: AbstractSet[UUID], schedule_id: UUID) -> list[UUID]:
    """Those of the people who may sign in and see the schedule, in one order."""
    statement = (
        sa.select(schedules.c.team_id, teams.c.is_private)
        .outerjoin(teams, teams.c.id == schedules.c.team_id)
        .where(schedules.c.id == schedule_id)
    )
    its = (await connection.execute(statement)).one()
    private = {its.team_id} if its.is_private else set[UUID]()
    viewers = await viewers_of_people(connection, people)
    return [one for one in sorted(viewers) if viewers[one].sight.sees(its.team_id, private)]


async def heard_of_swap(connection: AsyncConnection, swap_id: UUID, people: AbstractSet[UUID]) -> frozenset[UUID]:
    """Those of the people to whom the question has gone out."""
    table = notifications
    statement = sa.select(table.c.user_id).where(
        table.c.swap_id == swap_id,
        table.c.kind == NotificationKind.SWAP_ASKED.value,
        table.c.mailed_at.is_not(None),
        among(table.c.user_id, people),
    )
    return frozenset(await connection.scalars(statement))


async def reasons_against_swaps(
    connection: AsyncConnection, queued: Sequence[Notification], *, sight: Sight, now: datetime
) -> dict[UUID, str]:
    """Of those that tell of swaps, why they need not be told any more: by the notification's id."""
    ids = {one.swap_id for one in queued if one.swap_id is not None}
    if not ids:
        return {}
    found = await swaps_with_schedules(connection, ids)
    team_ids = {row["team_id"] for row in found.values() if row["team_id"] is not None}
    seen = await teams_in_sight(connection, team_ids, sight=sight)
    reasons: dict[UUID, str] = {}
    for one in queued:
        row = None if one.swap_id is None else found.get(one.swap_id)
        if row is None:
            continue
        state = swap_of(row).state_at(now)
        if row["team_id"] is not None and row["team_id"] not in seen:
            reasons[one.id] = "the person may no longer see the schedule"
        elif one.kind is NotificationKind.SWAP_ASKED and state is not SwapState.ASKED:
            reasons[one.id] = f"the swap was {state.value} before this could leave"
    return reasons


async def swaps_with_schedules(connection: AsyncConnection, ids: AbstractSet[UUID]) -> dict[UUID, sa.RowMapping]:
    """The rows of swaps, each with its schedule's team, name and zone."""
    named = (schedules.c.team_id, schedules.c.name.label("schedule_name"), schedules.c.time_zone.label("schedule_zone"))
    statement = (
        sa.select(shift_swaps, *named)
        .join(schedules, schedules.c.id == shift_swaps.c.schedule_id)
        .where(among(shift_swaps.c.id, ids))
    )
    return {row["id"]: row for row in (await connection.execute(statement)).mappings()}


async def swap_notifications(connection: AsyncConnection, swap_ids: Sequence[UUID]) -> dict[UUID, list[sa.RowMapping]]:
    """The rows of what was told of each swap, the oldest first."""
    statement = sa.select(notifications).where(among(notifications.c.swap_id, swap_ids)).order_by(notifications.c.id)
    found: dict[UUID, list[sa.RowMapping]] = {swap_id: [] for swap_id in swap_ids}
    for row in (await connection.execute(statement)).mappings():
        found[row["swap_id"]].append(row)
    return found


async def expire_swaps(engine: AsyncEngine, *, now: datetime) -> int:
    """Settle what nobody answered in time, and let those know who asked; how many."""
    table = shift_swaps
    due = (
        sa.select(table)
        .where(table.c.state == SwapState.ASKED.value, table.c.expires_at <= now)
        .order_by(table.c.expires_at)
        .limit(BATCH)
        # Somebody who answers this moment holds it, and is told that it is over.
        .with_for_update(skip_locked=True)
    )
    async with engine.begin() as connection:
        late = [expired(swap_of(row)) for row in (await connection.execute(due)).mappings()]
        trail = AuditTrail(connection)
        for swap in late:
            over = {"state": swap.state.value, "settled_at": swap.settled_at}
            await connection.execute(sa.update(table).where(table.c.id == swap.id).values(over))
            await tell_of_swap(connection, swap, NotificationKind.SWAP_SETTLED, people_concerned(swap), now=now)
            await trail.append(_entry(swap, now=now))
    return len(late)


def _entry(swap: ShiftSwap, *, now: datetime) -> AuditEntry:
    return AuditEntry(
        id=new_id(),
        occurred_at=now,
        actor_kind=ActorKind.SYSTEM,
        action="expireShiftSwap",
        target_kind="schedule",
        target_id=swap.schedule_id,
        after=shown_swap(swap),
    )
