"""How does a person put alerts together or take them apart? Move, remove, split, merge, rename; each keeps its reason.

What a person decided stays: rules place an alert only when it opens, and never take it out of a group.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from domain.alerts.actions.acting import Acting
from domain.alerts.actions.changing import MAX_BULK, too_many
from domain.alerts.change import Change, change
from domain.alerts.decisions import group_decision
from domain.alerts.edits import require_version
from domain.alerts.events import Actor, AlertEventKind
from domain.alerts.groups import GroupEvent, GroupEventKind, GroupRow
from domain.alerts.model import Alert
from domain.alerts.ports import AlertRepository
from domain.alerts.visibility import Sight
from domain.audit.writing import WriteAudit
from domain.correlation.model import GroupedBy
from domain.errors import InvalidInput, NotFound
from domain.ids import new_id
from domain.text import checked_text
from domain.versions import require_version as require_group_version

MAX_TITLE = 200
MAX_MERGED = 20
MAX_MEMBERS = 20_000
NO_SUCH_GROUP = "no such group"
# One statement carries this many alerts.
_CHUNK = 1_000


class Groups(Protocol):
    """The groups, within one transaction."""

    async def lock_everything(self) -> None:
        """Keep every writer of alerts out until the transaction ends; its first statement."""
        ...

    async def locked(self, ids: Sequence[UUID], *, sight: Sight) -> dict[UUID, GroupRow]:
        """The groups with a member in sight, locked until the transaction ends."""
        ...

    async def members(self, group_ids: Sequence[UUID], *, sight: Sight, limit: int) -> Sequence[Alert]:
        """The members within sight."""
        ...

    async def add(self, group: GroupRow) -> None:
        """Write a new group."""
        ...

    async def save(self, group: GroupRow) -> None:
        """Write a group's title, version and where it was merged into."""
        ...

    async def hand_keys_over(self, group_ids: Sequence[UUID], *, to: UUID) -> None:
        """From now on what would join these groups joins another."""
        ...

    async def append(self, *events: GroupEvent) -> None:
        """Tell what happened, on the groups' timelines."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One request to change groups by hand, within one transaction that the caller commits."""

    acting: Acting
    alerts: AlertRepository
    groups: Groups
    audit: WriteAudit

    @property
    def sight(self) -> Sight:
        """How far whoever asks sees."""
        return self.acting.viewer.sight

    def now(self) -> datetime:
        """After the locks: a change that waited comes later in time too."""
        return self.acting.clock.now()


async def move_alert(alert_id: UUID, group_id: UUID, *, expected_version: int | None, table: Table) -> Alert:
    """Put an alert into a group, out of the one it is in."""
    alert = await _alert(alert_id, expected_version, table)
    target = await _group(group_id, table, "groupId")
    if alert.group_id == group_id:
        return alert
    now = table.now()
    (made,) = await _regroup([alert], target, reason="a person put it into the group", now=now, table=table)
    told = {"alertIds": [str(alert_id)]}
    await table.groups.append(_event(target.id, GroupEventKind.ALERTS_ADDED, table, now=now, data=told))
    await _tell_left(alert, table, now)
    await table.audit(target_id=alert_id, before={"groupId": _text(alert.group_id)}, after={"groupId": str(group_id)})
    return made


async def remove_alert(alert_id: UUID, *, expected_version: int | None, table: Table) -> Alert:
    """Take an alert out of its group."""
    alert = await _alert(alert_id, expected_version, table)
    if alert.group_id is None:
        return alert
    now = table.now()
    updates = {"group_id": None, "group_reason": None}
    made = change(alert, AlertEventKind.UNGROUPED, actor=table.acting.actor, now=now, updates=updates)
    await table.alerts.save([made])
    await _tell_left(alert, table, now)
    await table.audit(target_id=alert_id, before={"groupId": _text(alert.group_id)}, after={"groupId": None})
    return made.after


async def split_group(group_id: UUID, ids: Sequence[UUID], title: str | None, *, table: Table) -> UUID:
    """Make some of a group's alerts a group of their own; the new group's id."""
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        raise InvalidInput("name at least one alert", ("alertIds",))
    if len(wanted) > MAX_BULK:
        raise too_many(len(wanted), "alertIds")
    found = await table.alerts.get_for_change(wanted, sight=table.sight)
    source = await _group(group_id, table, "id")
    for place, alert_id in enumerate(wanted):
        alert = found.get(alert_id)
        if alert is None or alert.group_id != group_id:
            raise NotFound("no such alert in this group", ("alertIds", str(place)))
    now = table.now()
    name = source.title if title is None else checked_text(title, path=("title",), limit=MAX_TITLE)
    made = GroupRow(id=new_id(), title=name, grouped_by=GroupedBy.PERSON, created_at=now, updated_at=now)
    await table.groups.add(made)
    members = [found[alert_id] for alert_id in wanted]
    await _regroup(members, made, reason="a person split it off another group", now=now, table=table)
    told = {"alertIds": [str(one) for one in wanted], "otherId": str(group_id)}
    await table.groups.append(
        _event(made.id, GroupEventKind.OPENED, table, now=now, data=told),
        _event(group_id, GroupEventKind.SPLIT, table, now=now, data={**told, "otherId": str(made.id)}),
    )
    await table.groups.save(source.changed(now))
    await table.audit(target_id=made.id, before={"groupId": str(group_id)}, after={"title": name, **told})
    return made.id


async def merge_groups(group_id: UUID, ids: Sequence[UUID], *, table: Table) -> None:
    """Put the members of other groups that are in sight into this one; what would join the others joins it."""
    others = list(dict.fromkeys(ids))
    if not others or group_id in others:
        raise InvalidInput("name at least one other group", ("mergedIds",))
    if len(others) > MAX_MERGED:
        message = f"merge at most {MAX_MERGED} groups at once, not {len(others)}"
        raise InvalidInput(message, ("mergedIds",))
    await table.groups.lock_everything()
    rows = await table.groups.locked([group_id, *others], sight=table.sight)
    for path, one in ((("id",), group_id), *((("mergedIds", str(n)), other) for n, other in enumerate(others))):
        if one not in rows:
            raise NotFound(NO_SUCH_GROUP, path)
    target = rows[group_id]
    members = await table.groups.members(others, sight=table.sight, limit=MAX_MEMBERS + 1)
    if len(members) > MAX_MEMBERS:
        message = f"the groups have more than {MAX_MEMBERS} alerts: merge fewer at once"
        raise InvalidInput(message, ("mergedIds",))
    now = table.now()
    await _regroup(members, target, reason="a person merged its group into this one", now=now, table=table)
    await table.groups.hand_keys_over(others, to=group_id)
    for other in others:
        moved = [str(alert.id) for alert in members if alert.group_id == other]
        told = {"alertIds": moved[:MAX_BULK], "count": len(moved)}
        await table.groups.append(
            _event(other, GroupEventKind.MERGED_AWAY, table, now=now, data={**told, "otherId": str(group_id)}),
            _event(group_id, GroupEventKind.MERGED, table, now=now, data={**told, "otherId": str(other)}),
        )
        await table.groups.save(rows[other].changed(now, merged_into=group_id))
    await table.groups.save(target.changed(now))
    after = {"mergedIds": [str(other) for other in others], "alerts": len(members)}
    await table.audit(target_id=group_id, after=after)


async def rename_group(group_id: UUID, title: str, *, expected_version: int | None, table: Table) -> None:
    """Give a group another title."""
    name = checked_text(title, path=("title",), limit=MAX_TITLE)
    before = await _group(group_id, table, "id")
    require_group_version("group", actual=before.version, expected=expected_version)
    if before.title == name:
        return
    now = table.now()
    await table.groups.save(before.changed(now, title=name))
    told = {"reason": f"“{before.title}” is “{name}” now"}
    await table.groups.append(_event(group_id, GroupEventKind.RENAMED, table, now=now, data=told))
    await table.audit(target_id=group_id, before={"title": before.title}, after={"title": name})


async def tell_moved(group_id: UUID, kind: GroupEventKind, changed: int, *, table: Table) -> None:
    """Tell on the group's timeline that its open alerts were acknowledged or resolved, and how many."""
    await table.groups.append(_event(group_id, kind, table, now=table.now(), data={"count": changed}))
    await table.audit(target_id=group_id, after={"alerts": changed})


async def _alert(alert_id: UUID, expected_version: int | None, table: Table) -> Alert:
    alert = (await table.alerts.get_for_change([alert_id], sight=table.sight)).get(alert_id)
    if alert is None:
        raise NotFound("no such alert", ("alertId",))
    require_version(alert, expected_version)
    return alert


async def _group(group_id: UUID, table: Table, *path: str) -> GroupRow:
    found = (await table.groups.locked([group_id], sight=table.sight)).get(group_id)
    if found is None:
        raise NotFound(NO_SUCH_GROUP, path)
    return found


async def _regroup(
    alerts: Sequence[Alert], target: GroupRow, *, reason: str, now: datetime, table: Table
) -> list[Alert]:
    changes = [_grouped(alert, target, reason=reason, actor=table.acting.actor, now=now) for alert in alerts]
    for start in range(0, len(changes), _CHUNK):
        await table.alerts.save(changes[start : start + _CHUNK])
    return [made.after for made in changes]


def _grouped(alert: Alert, target: GroupRow, *, reason: str, actor: Actor, now: datetime) -> Change:
    decision = group_decision(target.id, reason, grouped_by=GroupedBy.PERSON, opened=False)
    return change(
        alert,
        AlertEventKind.GROUPED,
        actor=actor,
        now=now,
        data={"decisions": [decision.as_json()]},
        updates={"group_id": target.id, "group_reason": reason},
    )


async def _tell_left(alert: Alert, table: Table, now: datetime) -> None:
    if alert.group_id is not None:
        told = {"alertIds": [str(alert.id)]}
        await table.groups.append(_event(alert.group_id, GroupEventKind.ALERTS_REMOVED, table, now=now, data=told))


def _event(group_id: UUID, kind: GroupEventKind, table: Table, *, now: datetime, data: dict[str, Any]) -> GroupEvent:
    return GroupEvent(id=new_id(), group_id=group_id, kind=kind, occurred_at=now, actor=table.acting.actor, data=data)


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)
