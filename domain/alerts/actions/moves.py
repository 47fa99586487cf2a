"""How does a person move an alert through its life? Acknowledge, investigate, resolve, reopen."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from domain.alerts import lifecycle
from domain.alerts.actions.acting import Acting
from domain.alerts.actions.changing import Outcome, Plan, Step, change_alert, change_alerts, just
from domain.alerts.change import Change
from domain.alerts.model import Alert
from domain.alerts.ports import UnitOfWork
from domain.errors import NewerAlertOpen


async def acknowledge_alert(acting: Acting, *, alert_id: UUID, expected_version: int | None = None) -> Alert:
    """Somebody has seen it and takes care."""
    return await change_alert(
        acting, alert_id, _acknowledging(acting), action="acknowledgeAlert", expected_version=expected_version
    )


async def acknowledge_alerts(
    acting: Acting, *, ids: Sequence[UUID], action: str = "acknowledgeAlerts"
) -> list[Outcome]:
    """The same for many."""
    return await change_alerts(acting, ids, _acknowledging(acting), action=action)


async def investigate_alert(acting: Acting, *, alert_id: UUID, expected_version: int | None = None) -> Alert:
    """Somebody is looking for the cause."""

    def step(alert: Alert, now: datetime) -> Change:
        return lifecycle.investigate(alert, actor=acting.actor, now=now)

    return await change_alert(
        acting, alert_id, just(step), action="investigateAlert", expected_version=expected_version
    )


async def resolve_alert(
    acting: Acting,
    *,
    alert_id: UUID,
    reason: str | None = None,
    false_positive: bool = False,
    hold: timedelta,
    expected_version: int | None = None,
) -> Alert:
    """The problem is over, or was none. For `hold`, re-sends of the same episode do not open it again."""
    plan = _resolving(acting, reason=reason, false_positive=false_positive, hold=hold)
    return await change_alert(acting, alert_id, plan, action="resolveAlert", expected_version=expected_version)


async def resolve_alerts(
    acting: Acting,
    *,
    ids: Sequence[UUID],
    reason: str | None = None,
    false_positive: bool = False,
    hold: timedelta,
    action: str = "resolveAlerts",
) -> list[Outcome]:
    """The same for many."""
    plan = _resolving(acting, reason=reason, false_positive=false_positive, hold=hold)
    return await change_alerts(acting, ids, plan, action=action)


async def reopen_alert(acting: Acting, *, alert_id: UUID, expected_version: int | None = None) -> Alert:
    """It was not over after all: a new episode of the same alert."""

    async def plan(work: UnitOfWork, alerts: Sequence[Alert]) -> Step:
        # The key's lock is held, so no alert of this key can open between this look and the commit.
        newer = {alert.id: await work.alerts.newer_open(alert) for alert in alerts}
        sight = acting.viewer.sight
        named = {found for found in newer.values() if found and await work.alerts.is_in_sight(found, sight=sight)}

        def step(alert: Alert, now: datetime) -> Change:
            try:
                return lifecycle.reopen(alert, actor=acting.actor, now=now, newer_open=newer[alert.id])
            except NewerAlertOpen as refusal:
                # One of another team since: it stands in the way, but its name is not for everybody.
                if refusal.newer_alert_id not in named:
                    refusal.newer_alert_id = None
                raise

        return step

    return await change_alert(acting, alert_id, plan, action="reopenAlert", expected_version=expected_version)


def _acknowledging(acting: Acting) -> Plan:
    def step(alert: Alert, now: datetime) -> Change:
        return lifecycle.acknowledge(alert, actor=acting.actor, now=now)

    return just(step)


def _resolving(acting: Acting, *, reason: str | None, false_positive: bool, hold: timedelta) -> Plan:
    def step(alert: Alert, now: datetime) -> Change:
        return lifecycle.resolve(
            alert, actor=acting.actor, now=now, reason=reason, false_positive=false_positive, hold=hold
        )

    return just(step)
