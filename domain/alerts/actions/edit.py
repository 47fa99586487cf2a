"""What else does a person do to an alert? Edit, assign, comment, snooze, wake: none of them moves its status."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from domain.alerts import edits
from domain.alerts.actions.acting import Acting
from domain.alerts.actions.changing import Outcome, Plan, Step, change_alert, change_alerts, just
from domain.alerts.change import Change
from domain.alerts.edits import AlertPatch
from domain.alerts.model import Alert
from domain.alerts.ports import UnitOfWork
from domain.errors import InvalidInput


async def update_alert(
    acting: Acting, *, alert_id: UUID, patch: AlertPatch, expected_version: int | None = None
) -> Alert:
    """Edit what people read; the source no longer overwrites what was edited."""

    async def plan(work: UnitOfWork, _alerts: Sequence[Alert]) -> Step:
        silences = await work.silences.standing()
        private = await work.people.private_teams() if silences else frozenset()

        def step(alert: Alert, now: datetime) -> Change:
            return edits.update(
                alert, patch=patch, actor=acting.actor, now=now, silences=silences, private_teams=private
            )

        return step

    return await change_alert(acting, alert_id, plan, action="updateAlert", expected_version=expected_version)


async def assign_alert(
    acting: Acting, *, alert_id: UUID, assignee: UUID | None, expected_version: int | None = None
) -> Alert:
    """Give it to somebody who can see it, or to nobody."""
    return await change_alert(
        acting, alert_id, _assigning(acting, assignee), action="assignAlert", expected_version=expected_version
    )


async def assign_alerts(acting: Acting, *, ids: Sequence[UUID], assignee: UUID | None) -> list[Outcome]:
    """The same for many."""
    return await change_alerts(acting, ids, _assigning(acting, assignee), action="assignAlerts")


async def snooze_alert(
    acting: Acting, *, alert_id: UUID, until: datetime, expected_version: int | None = None
) -> Alert:
    """Leave it in peace until then."""

    def step(alert: Alert, now: datetime) -> Change:
        return edits.snooze(alert, until=until, actor=acting.actor, now=now)

    return await change_alert(acting, alert_id, just(step), action="snoozeAlert", expected_version=expected_version)


async def wake_alert(acting: Acting, *, alert_id: UUID, expected_version: int | None = None) -> Alert:
    """End the snooze early."""

    def step(alert: Alert, now: datetime) -> Change:
        return edits.wake(alert, actor=acting.actor, now=now)

    return await change_alert(acting, alert_id, just(step), action="wakeAlert", expected_version=expected_version)


def _assigning(acting: Acting, assignee: UUID | None) -> Plan:
    """Nobody is given what they cannot see: it would be theirs, and not there."""

    async def plan(work: UnitOfWork, _alerts: Sequence[Alert]) -> Step:
        sight = None if assignee is None else await work.people.sight_of(assignee)
        if assignee is not None and sight is None:
            raise InvalidInput(message="no such active user", path=("assigneeId",))
        private = frozenset() if sight is None else await work.people.private_teams()

        def step(alert: Alert, now: datetime) -> Change:
            if sight is not None and not sight.sees(alert.team_id, private):
                raise InvalidInput(message="this user cannot see the alert", path=("assigneeId",))
            return edits.assign(alert, assignee=assignee, actor=acting.actor, now=now)

        return step

    return plan
