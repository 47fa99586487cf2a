"""What is known in one look at some groups, and what is to be written after it?"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from domain.alerts.events import SYSTEM
from domain.alerts.groups import GroupEvent, GroupEventKind
from domain.alerts.model import Severity
from domain.escalations.groups import Members, Turn, route
from domain.escalations.model import Escalation, Policy
from domain.ids import new_id
from persistence.group_members import Crowd, Joining

_KINDS = {
    Turn.STARTED: GroupEventKind.PAGED,
    Turn.AGAIN: GroupEventKind.PAGED_AGAIN,
    Turn.RESUMED: GroupEventKind.PAGED_AGAIN,
    Turn.ANSWERED: GroupEventKind.PAGE_ANSWERED,
    Turn.PAUSED: GroupEventKind.PAGE_PAUSED,
    Turn.OVER: GroupEventKind.PAGE_OVER,
}


@dataclass(slots=True, kw_only=True)
class Following:
    """One look at some groups. `stands`: by group and policy, which escalations stand for groups by now."""

    now: datetime
    policies: Sequence[Policy]
    titles: dict[UUID, str] = field(default_factory=dict)
    stands: dict[tuple[UUID, UUID], Escalation] = field(default_factory=dict)
    crowds: dict[Crowd, list[Members]] = field(default_factory=dict)
    changed: dict[UUID, Escalation] = field(default_factory=dict)
    over: list[Escalation] = field(default_factory=list)
    answered: list[Escalation] = field(default_factory=list)
    joining: list[Joining] = field(default_factory=list)
    events: list[GroupEvent] = field(default_factory=list)
    # Those whose every step fired and that call for somebody, with how bad the group is.
    owing: dict[UUID, Severity] = field(default_factory=dict)
    can_fire: int = 0

    def covers(self, group_id: UUID | None, policy_id: UUID) -> bool:
        """Whether the policy is at work for the group as a whole."""
        return group_id is not None and (group_id, policy_id) in self.stands

    @property
    def leads(self) -> set[UUID]:
        """The alerts that messages about the groups are kept under."""
        return {one.alert_id for one in (*self.stands.values(), *self.changed.values())}

    def put(self, escalation: Escalation) -> None:
        """The escalation is to be written so."""
        self.changed[escalation.id] = escalation
        if escalation.group_id is not None:
            key = escalation.group_id, escalation.policy_id
            if escalation.is_standing:
                self.stands[key] = escalation
            elif self.stands.get(key, escalation).id == escalation.id:
                self.stands.pop(key, None)

    def routed(self, crowd: Crowd, of: Escalation | None = None) -> Severity | None:
        """By which severity the team's alerts of the group are routed at present.

        What a routing rule set to work takes them however bad they are, and says nothing of what the others take.
        """
        by_rule = {one.id for one in self.policies if one.is_by_rule}
        if of is not None and of.policy_id in by_rule:
            return route(self.crowds.get(crowd, ()), [of.severities or frozenset()], now=self.now)
        group_id, team_id = crowd
        mine = [one.severities for one in self.policies if one.team_id == team_id and not one.is_by_rule]
        mine += [
            one.severities or frozenset()
            for one in self.stands.values()
            if (one.group_id, one.team_id) == (group_id, team_id) and one.policy_id not in by_rule
        ]
        return route(self.crowds.get(crowd, ()), mine, now=self.now)

    def tell(self, escalation: Escalation, turn: Turn, reason: str, **more: object) -> None:
        """On the group's timeline."""
        self.events.append(group_event(escalation, _KINDS[turn], reason, now=self.now, **more))


def group_event(
    escalation: Escalation, kind: GroupEventKind, reason: str, *, now: datetime, **more: object
) -> GroupEvent:
    """What the timeline of its group says of an escalation, for those who may see the team."""
    assert escalation.group_id is not None  # noqa: S101 - for the type checker
    team_id = None if escalation.team_id is None else str(escalation.team_id)
    data = {"reason": reason, "teamId": team_id, **more}
    return GroupEvent(id=new_id(), group_id=escalation.group_id, kind=kind, occurred_at=now, actor=SYSTEM, data=data)
