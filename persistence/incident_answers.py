"""What does an incident of PagerDuty change here? Its alert, once, in one transaction with what says that it did.

Only an alert that this very channel was told of in its present episode: neither another team's by its id, nor one that
began anew since. What came from there is written down as told there, so it is not sent back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.alerts.afar import AfarMove, moved_afar
from domain.alerts.change import Change
from domain.alerts.events import SYSTEM, Via
from domain.alerts.visibility import EVERYTHING
from domain.audit.model import AuditEntry
from domain.channels.model import Channel
from domain.escalations.incidents import rule_of_key
from domain.escalations.model import Notification, NotificationKind, NotificationState
from domain.ids import new_id
from domain.ports import Clock
from persistence.channels import list_channels
from persistence.escalations import TOLD, notification_row
from persistence.group_answers import LedGroup, group_led_by, group_told_by_rule
from persistence.inbound import is_first
from persistence.retention import INBOUND_CALLS
from persistence.tables import notifications
from persistence.unit_of_work import UnitOfWork
from tocsin.settings import Settings

MOVES: Mapping[str, AfarMove] = {
    "incident.acknowledged": AfarMove.ACKNOWLEDGE,
    "incident.unacknowledged": AfarMove.UNACKNOWLEDGE,
    "incident.resolved": AfarMove.RESOLVE,
    "incident.reopened": AfarMove.REOPEN,
}
_ACTIONS: Mapping[AfarMove, str] = {
    AfarMove.ACKNOWLEDGE: "acknowledgeAlert",
    AfarMove.UNACKNOWLEDGE: "unacknowledgeAlert",
    AfarMove.RESOLVE: "resolveAlert",
    AfarMove.REOPEN: "reopenAlert",
}
_SAME: Mapping[AfarMove, NotificationKind] = {
    AfarMove.ACKNOWLEDGE: NotificationKind.ACKNOWLEDGED,
    AfarMove.RESOLVE: NotificationKind.RESOLVED,
}
SOURCE = "pagerduty"
FROM_THERE = "it came from PagerDuty itself"
# How far their clock may be behind ours.
SLACK = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """What happened to one: the alert it is of, and who did it there, by their id.

    `key` is what it is known by where the alert stands for its group there; None: by the alert.
    """

    event_id: str
    kind: str
    alert_id: UUID
    occurred_at: datetime
    key: str | None = None
    number: str | None = None
    agent: str | None = None

    @property
    def reason(self) -> str:
        """A sentence for the timeline."""
        where = "in PagerDuty" if self.number is None else f"in PagerDuty's incident {self.number}"
        return where if self.agent is None else f"{where}, by its user {self.agent}"


async def channel_to_answer(connection: AsyncConnection, channel_id: UUID) -> Channel | None:
    """The channel with its values; None for one that ended."""
    found = await list_channels(connection, sight=EVERYTHING, ids=[channel_id])
    return found[0] if found else None


async def answer_incident(
    engine: AsyncEngine, channel: Channel, incident: Incident, *, settings: Settings, clock: Clock
) -> bool:
    """Do to the alert what was done to the incident; False when there was nothing to do."""
    move = MOVES[incident.kind]
    if incident.occurred_at < clock.now() - INBOUND_CALLS:
        return False  # that it was taken before may be forgotten by now
    async with engine.connect() as connection:
        led = await _group_of(connection, channel, incident)
    # An incident of a group is all of the group: what is opened again there is the one alert it is known by.
    of_group = () if led is None or move is AfarMove.REOPEN else led.alert_ids
    async with UnitOfWork(engine) as work:
        # First the alerts' locks, then anything else (persistence/locks.py).
        found = await work.alerts.get_for_change([incident.alert_id, *of_group], sight=EVERYTHING)
        alert = found.get(incident.alert_id)
        now = clock.now()
        name = f"{channel.id} {incident.event_id}".encode()
        if alert is None or not await is_first(work.connection, SOURCE, name, now=now):
            return False
        episode = alert.episode if led is None else led.episode
        told_at = await _told_at(work.connection, channel, incident, episode)
        if told_at is None or incident.occurred_at < told_at - SLACK:
            await work.commit()
            return False
        moved = partial(
            moved_afar,
            move=move,
            via=Via.PAGERDUTY,
            reason=incident.reason,
            hold=settings.manual_resolve_hold,
            now=now,
        )
        change = moved(alert, is_free=await work.alerts.newer_open(alert) is None)
        others = [moved(found[one], is_free=True) for one in of_group if one in found and one != alert.id]
        # The alert it is known by may have left the group since.
        changes = [one for one in ([change] if alert.id in of_group or not of_group else []) + others if one.events]
        await work.alerts.save(changes)
        for one in changes:
            await work.audit.append(_entry(one, _ACTIONS[move], channel, now=now))
        await _not_back(work.connection, channel, change, move, key=incident.key, now=now)
        await work.commit()
    return bool(changes)


async def _group_of(connection: AsyncConnection, channel: Channel, incident: Incident) -> LedGroup | None:
    """The group the incident stands for; None where it is of this one alert by itself."""
    rule_id = None if incident.key is None else rule_of_key(incident.key)
    if rule_id is None:
        led = await group_led_by(connection, incident.alert_id)
    else:
        led = await group_told_by_rule(connection, incident.alert_id, rule_id)
    if led is None or not await _hears_of_group(connection, channel, incident):
        return None
    return led


async def _hears_of_group(connection: AsyncConnection, channel: Channel, incident: Incident) -> bool:
    """Whether the incident is of what stands for the group, rather than of this one alert by itself."""
    table, alert_id = notifications, incident.alert_id
    of_group = sa.exists().where(
        table.c.alert_id == alert_id,
        table.c.incident_key.is_not_distinct_from(incident.key),
        table.c.channel_id == channel.id,
        table.c.group_id.is_not(None),
    )
    return bool(await connection.scalar(sa.select(of_group)))


async def _told_at(connection: AsyncConnection, channel: Channel, incident: Incident, episode: int) -> datetime | None:
    """When the channel was told of this episode by the incident, or is being told; None when it was not."""
    table = notifications
    is_told = sa.or_(
        table.c.state.in_([state.value for state in TOLD]),
        sa.and_(table.c.attempts > 0, table.c.state == NotificationState.QUEUED.value),
    )
    told_at: datetime | None = await connection.scalar(
        sa.select(sa.func.min(sa.func.coalesce(table.c.settled_at, table.c.created_at))).where(
            table.c.alert_id == incident.alert_id,
            table.c.incident_key.is_not_distinct_from(incident.key),
            table.c.episode == episode,
            table.c.channel_id == channel.id,
            table.c.kind == NotificationKind.PAGE.value,
            is_told,
        )
    )
    return told_at


async def _not_back(
    connection: AsyncConnection, channel: Channel, change: Change, move: AfarMove, *, key: str | None, now: datetime
) -> None:
    """On the record as not sent; what was sent already stays so. Let go there, it may be taken again from here."""
    table, alert = notifications, change.before
    if move is AfarMove.UNACKNOWLEDGE:
        await connection.execute(
            sa.delete(table).where(
                table.c.alert_id == alert.id,
                table.c.episode == alert.episode,
                table.c.channel_id == channel.id,
                table.c.kind == NotificationKind.ACKNOWLEDGED.value,
                table.c.problem == FROM_THERE,
            )
        )
    kind = _SAME.get(move)
    if kind is None:
        return
    same = Notification(
        id=new_id(),
        kind=kind,
        why="told when it was open",
        created_at=now,
        alert_id=alert.id,
        episode=alert.episode,
        channel_id=channel.id,
        state=NotificationState.DROPPED,
        settled_at=now,
        problem=FROM_THERE,
        incident_key=key,
    )
    await connection.execute(insert(table).on_conflict_do_nothing(), [notification_row(same)])


def _entry(change: Change, action: str, channel: Channel, *, now: datetime) -> AuditEntry:
    return AuditEntry(
        id=new_id(),
        occurred_at=now,
        actor_kind=SYSTEM.kind,
        action=action,
        target_kind="alert",
        target_id=change.after.id,
        before={"version": change.before.version, "status": change.before.status.value},
        after={
            "version": change.after.version,
            "status": change.after.status.value,
            "via": Via.PAGERDUTY.value,
            "channelId": str(channel.id),
        },
    )
