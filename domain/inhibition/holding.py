"""By which open alerts is an arriving alert held? A batch is asked in memory, under the locks of its keys."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from domain.alerts.decisions import Decision, inhibition_decision
from domain.alerts.problem import AlertState
from domain.inhibition.model import Inhibition, Parent, parents_of


@dataclass(slots=True, kw_only=True)
class Holding:
    """One batch. `standing` holds the open parents of every key that is locked; another key is not looked at here."""

    inhibition: Inhibition
    standing: dict[str, list[Parent]]
    noted: list[Parent] = field(default_factory=list)

    def hold(self, alert: AlertState) -> tuple[tuple[UUID, ...], Sequence[Decision]]:
        """The parents that hold an alert as it opens or changes its labels, and why. It is noted where it is one."""
        roles = [role for role in self.inhibition.roles(alert.labels) if role.key in self.standing]
        held = parents_of(alert.id, roles, self.standing)
        for role in roles:
            known = self.standing[role.key]
            if role.is_source and all(parent.alert_id != alert.id for parent in known):
                parent = Parent(key=role.key, alert_id=alert.id, is_both=role.is_both)
                known.append(parent)
                self.noted.append(parent)
        marks = tuple(dict.fromkeys(parent.alert_id for _, parent in held))
        return marks, [
            inhibition_decision(parent.alert_id, role.rule.name, rule_id=role.rule.id, version=role.rule.version)
            for role, parent in held
        ]
