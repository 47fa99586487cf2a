"""Whom does a step reach? Persons, the members of a team, whoever is on call by a schedule at the moment, channels."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, TypeAlias
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.escalations.model import Target, TargetKind
from domain.schedules.final import on_call_at
from domain.schedules.model import Span
from persistence.schedules import plans_of
from persistence.tables import channels, memberships, schedules, teams, users


class Recipient(NamedTuple):
    """A person, or a channel."""

    id: UUID
    is_channel: bool = False


# Each once, with the first reason there is.
Reach: TypeAlias = dict[Recipient, str]


async def reach(connection: AsyncConnection, steps: Sequence[Sequence[Target]], *, now: datetime) -> list[Reach]:
    """For each list of targets who is reached and why; only people who may sign in."""
    targets = {target for step in steps for target in step}
    found: dict[Target, Reach] = {target: {} for target in targets}
    for target in targets:
        if target.kind is TargetKind.USER:
            found[target] = {Recipient(target.id): "you are named by it"}
    found |= await _members(connection, [target for target in targets if target.kind is TargetKind.TEAM])
    found |= await _on_call(connection, [target for target in targets if target.kind is TargetKind.SCHEDULE], now=now)
    people = {recipient.id for reached in found.values() for recipient in reached}
    there = {Recipient(user_id) for user_id in await _active(connection, people)}
    channel_ids = {target.id for target in targets if target.kind is TargetKind.CHANNEL}
    for channel_id in await _open(connection, channel_ids):
        recipient = Recipient(channel_id, is_channel=True)
        found[Target(TargetKind.CHANNEL, channel_id)] = {recipient: "the channel is named by it"}
        there.add(recipient)
    return [_together((found[target] for target in step), there) for step in steps]


def _together(found: Iterable[Reach], there: set[Recipient]) -> Reach:
    merged: Reach = {}
    for reached in found:
        for recipient, why in reached.items():
            if recipient in there:
                merged.setdefault(recipient, why)
    return merged


async def _members(connection: AsyncConnection, targets: Sequence[Target]) -> dict[Target, Reach]:
    if not targets:
        return {}
    statement = (
        sa.select(memberships.c.team_id, memberships.c.user_id, teams.c.name)
        .join(teams, teams.c.id == memberships.c.team_id)
        .where(memberships.c.team_id.in_([target.id for target in targets]))
        .order_by(memberships.c.created_at)
    )
    found: dict[Target, Reach] = {}
    for row in await connection.execute(statement):
        found.setdefault(Target(TargetKind.TEAM, row.team_id), {})[Recipient(row.user_id)] = (
            f"you are in the team {row.name}"
        )
    return found


async def _on_call(connection: AsyncConnection, targets: Sequence[Target], *, now: datetime) -> dict[Target, Reach]:
    if not targets:
        return {}
    ids = [target.id for target in targets]
    plans = await plans_of(connection, ids, Span(now, now + timedelta(microseconds=1)))
    statement = sa.select(schedules.c.id, schedules.c.name).where(schedules.c.id.in_(ids))
    names = {row.id: row.name for row in await connection.execute(statement)}
    found: dict[Target, Reach] = {}
    for target in targets:
        shift = on_call_at(*plans[target.id], now)
        if shift is not None:
            found[target] = {Recipient(shift.user_id): f"you are on call by the schedule {names[target.id]}"}
    return found


async def _active(connection: AsyncConnection, ids: set[UUID]) -> set[UUID]:
    if not ids:
        return set()
    return set(await connection.scalars(sa.select(users.c.id).where(users.c.id.in_(ids), users.c.is_active)))


async def _open(connection: AsyncConnection, ids: set[UUID]) -> set[UUID]:
    if not ids:
        return set()
    there = sa.select(channels.c.id).where(channels.c.id.in_(ids), channels.c.archived_at.is_(None))
    return set(await connection.scalars(there))
