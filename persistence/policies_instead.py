"""What if the policy that a rule names has ended? Another of its team is set to work, or its managers are told.

A rule keeps no policy from being ended by a way that does not ask (an older version, a script): nobody may be forgotten
for it. What was done instead is on the record of the decision.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.escalations.engine import Subject, policies_for
from domain.escalations.model import Policy
from persistence.escalation_policies import active_policies
from persistence.nobody_reached import managers_of
from persistence.reaching import Reach, Recipient

_log = structlog.get_logger(__name__)
OTHER_TEAM = "its policy was not set to work: that takes alerts of another team"
AS_MANAGER = "the policy that it names has ended, and no other takes the alert: you manage the team"


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """A rule that names a policy held for an alert."""

    routing_id: UUID
    subject: Subject
    policy_id: UUID


@dataclass(slots=True, kw_only=True)
class Instead:
    """What is to be done: which policies begin, what is said of it, and who is told besides the rule's targets."""

    begin: list[tuple[Subject, Policy]] = field(default_factory=list)
    notes: dict[UUID, str] = field(default_factory=dict)
    reached: dict[UUID, Reach] = field(default_factory=dict)


async def policies_called(
    connection: AsyncConnection, calls: Sequence[Called], owners: Mapping[UUID, UUID | None]
) -> Instead:
    """The policies that rules name, or what stands in for them; `owners` says whose each named policy is."""
    found = Instead()
    if not calls:
        return found
    policies = await active_policies(connection)
    by_id = {policy.id: policy for policy in policies}
    for call in calls:
        team_id = owners.get(call.policy_id)
        if team_id != call.subject.team_id:
            # An alert that went to another team pauses what a policy began, so none begins for one.
            found.notes[call.routing_id] = OTHER_TEAM
        elif (named := by_id.get(call.policy_id)) is not None:
            found.begin.append((call.subject, named))
        else:
            await _stand_in(connection, call, policies, found)
    return found


async def _stand_in(connection: AsyncConnection, call: Called, policies: Sequence[Policy], found: Instead) -> None:
    _log.error("a routing rule names a policy that has ended", policy=str(call.policy_id))
    own = policies_for(call.subject, policies)
    others = sorted(
        (one for one in policies if one.team_id == call.subject.team_id and one.steps),
        key=lambda one: (call.subject.severity not in one.severities, one.created_at, one.id),
    )
    if own:
        names = ", ".join(f"“{one.name}”" for one in own)
        note = f"the policy that it names has ended: {names} takes the alert by itself"
    elif others:
        found.begin.append((call.subject, others[0]))
        note = f"the policy that it names has ended: “{others[0].name}” of the same team was set to work instead"
    else:
        people = await managers_of(connection, call.subject.team_id)
        found.reached[call.routing_id] = {Recipient(one): AS_MANAGER for one in people}
        note = "the policy that it names has ended, and its team has no other: those who manage it are told"
    found.notes[call.routing_id] = note
