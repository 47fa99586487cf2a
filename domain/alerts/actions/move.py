"""How is an alert given to another team? By who sees both; whoever has it keeps it only if they still see it.

What a person decided stays decided: no rule takes the alert away again.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from domain.alerts import edits
from domain.alerts.actions.acting import Acting
from domain.alerts.actions.changing import Outcome, Plan, Step, change_alert, change_alerts
from domain.alerts.change import Change
from domain.alerts.model import Alert
from domain.alerts.ports import UnitOfWork
from domain.errors import NotFound
from domain.silences.standing import KnownSilences


async def move_alert(
    acting: Acting, *, alert_id: UUID, team_id: UUID | None, expected_version: int | None = None
) -> Alert:
    """Give it to a team, or to none."""
    plan = _moving(acting, team_id)
    return await change_alert(acting, alert_id, plan, action="moveAlert", expected_version=expected_version)


async def move_alerts(acting: Acting, *, ids: Sequence[UUID], team_id: UUID | None) -> list[Outcome]:
    """The same for many."""
    return await change_alerts(acting, ids, _moving(acting, team_id), action="moveAlerts")


def _moving(acting: Acting, team_id: UUID | None) -> Plan:
    async def plan(work: UnitOfWork, alerts: Sequence[Alert]) -> Step:
        private = await work.people.private_teams()
        # After the locks, which the archiving of a team waits for: it is given nothing behind its back.
        if team_id is not None and not (
            acting.viewer.sight.sees(team_id, private) and await work.people.team_exists(team_id)
        ):
            raise NotFound(message="no such team", path=("teamId",))
        assigned = {alert.assigned_to for alert in alerts if alert.assigned_to is not None}
        standing = KnownSilences(await work.silences.standing())
        whose = await work.silences.teams_of_rules({mark for alert in alerts for mark in alert.suppressed_by})
        sights = {user_id: await work.people.sight_of(user_id) for user_id in assigned}

        def step(alert: Alert, now: datetime) -> Change:
            sight = None if alert.assigned_to is None else sights.get(alert.assigned_to)
            sees = sight is not None and sight.sees(team_id, private)
            holders = edits.Holders(silences=standing.at(now), private_teams=private, teams_of_rules=whose)
            return edits.move(
                alert,
                team_id=team_id,
                assignee_sees=sees,
                actor=acting.actor,
                now=now,
                holders=holders,
            )

        return step

    return plan
