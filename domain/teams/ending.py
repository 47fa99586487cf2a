"""What ends with a team? What it owns, and its rules: nobody would look after them any more.

Alert rules of a team that ended would still be asked of its alerts that open again, threshold rules would raise alerts
of nobody's, and all of them would count among those that may be kept. Schedules, policies and channels stay: others may
have named them, and they do nothing by themselves.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from domain.alerts.events import Actor, ActorKind
from domain.identity.model import Team
from domain.ids import new_id
from domain.rules import actions as alert_rules
from domain.rules.events import AlertRuleEvent, AlertRuleEventKind
from domain.teams.events import TeamEvent, TeamEventKind
from domain.teams.ports import EndingUnit, WriteAudit
from domain.teams.shown import shown
from domain.thresholds import actions as threshold_rules

REASON = "its team ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Who ends teams, when, and in which transaction."""

    unit: EndingUnit
    actor: Actor
    now: datetime
    audit: WriteAudit

    @property
    def changed_by(self) -> UUID | None:
        """The person; None for a service account."""
        return self.actor.id if self.actor.kind is ActorKind.USER else None


async def end_team(team: Team, ending: Ending) -> Team:
    """The team as it stays. That nothing hangs on it any more was looked at, under the lock that keeps alerts out."""
    now = ending.now
    after = replace(team, archived_at=now, version=team.version + 1)
    await ending.unit.ownership.replace(team.id, [], now=now)
    await ending.unit.teams.save(after)
    await ending.audit(target_id=team.id, before=shown(team), after=shown(after))
    await _end_rules(team.id, ending)
    told = TeamEvent(id=new_id(), team_id=team.id, kind=TeamEventKind.ARCHIVED, occurred_at=now, actor=ending.actor)
    await ending.unit.team_log.append(told)
    return after


async def _end_rules(team_id: UUID, ending: Ending) -> None:
    rules = ending.unit.rules_of_teams
    for alert_rule in await rules.alert_rules(team_id):
        ended = alert_rules.ended(alert_rule, now=ending.now)
        event = AlertRuleEvent(
            id=new_id(),
            rule_id=ended.id,
            kind=AlertRuleEventKind.ARCHIVED,
            occurred_at=ending.now,
            actor=ending.actor,
            data={"reason": REASON},
        )
        await rules.end_alert_rule(ended, event, changed_by=ending.changed_by)
        was, said = alert_rules.shown(alert_rule), alert_rules.shown(ended)
        await ending.audit(target_id=ended.id, target_kind="alert_rule", before=was, after={**said, "reason": REASON})
    for threshold_rule in await rules.threshold_rules(team_id):
        over = threshold_rules.ended(threshold_rule, now=ending.now)
        await rules.end_threshold_rule(over)
        was, said = threshold_rules.shown(threshold_rule), threshold_rules.shown(over)
        await ending.audit(
            target_id=over.id, target_kind="threshold_rule", before=was, after={**said, "reason": REASON}
        )
