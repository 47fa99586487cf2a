"""How are escalations and notifications kept? A row each; the mapping between rows and objects."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.model import Severity
from domain.escalations.model import NO_POLICY, Escalation, EscalationState, Notification
from persistence.escalation_steps import steps_json, steps_of
from persistence.tables import escalations

# What may change once it is at work.
_CHANGING = (
    *("alert_id", "episode", "position", "state", "next_at", "wakes_at", "ended_at", "reason", "answered_at"),
    *("group_id", "team_id", "is_standing", "severity", "severities", "first_position", "succeeded_by"),
    *("has_reached", "unreached_since"),
)


def escalation_of(row: sa.RowMapping) -> Escalation:
    """The object of a row."""
    values = {field.name: row[field.name] for field in dataclasses.fields(Escalation)}
    values["steps"] = steps_of(values["steps"])
    values["state"] = EscalationState(values["state"])
    values["policy_id"] = values["policy_id"] or NO_POLICY
    if values["severity"] is not None:
        values["severity"] = Severity(values["severity"])
    if values["severities"] is not None:
        values["severities"] = frozenset(map(Severity, values["severities"]))
    return Escalation(**values)


def _row_of(escalation: Escalation) -> dict[str, Any]:
    values = {field.name: getattr(escalation, field.name) for field in dataclasses.fields(escalation)}
    values["steps"] = steps_json(escalation.steps)
    values["policy_id"] = None if escalation.policy_id == NO_POLICY else escalation.policy_id
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:  # noqa: ANN401 - a column's value
    if isinstance(value, (EscalationState, Severity)):
        return value.value
    return sorted(one.value for one in value) if isinstance(value, frozenset) else value


async def add_escalations(connection: AsyncConnection, fresh: Sequence[Escalation]) -> None:
    """Write new ones. A policy is at work once for an episode, and once at a time for a group: a second is left out."""
    if fresh:
        statement = insert(escalations).on_conflict_do_nothing()
        await connection.execute(statement, [_row_of(escalation) for escalation in fresh])


async def save_escalations(connection: AsyncConnection, changed: Sequence[Escalation]) -> None:
    """Write what changed."""
    if not changed:
        return
    statement = (
        sa.update(escalations)
        .where(escalations.c.id == sa.bindparam("row_id"))
        .values({name: sa.bindparam(f"new_{name}") for name in _CHANGING})
    )
    rows = [{"row_id": one.id, **{f"new_{name}": _plain(getattr(one, name)) for name in _CHANGING}} for one in changed]
    await connection.execute(statement, rows)


def notification_row(notification: Notification) -> dict[str, Any]:
    """The columns of a notification."""
    # Not asdict(), which copies deeply: it took a third of the time of firing a step.
    values = {field.name: getattr(notification, field.name) for field in dataclasses.fields(notification)}
    return {**values, "kind": notification.kind.value, "state": notification.state.value}
