"""What does a viewer learn of how a policy reaches people? What is a private team's own stays its own.

An alert that went to another team keeps the escalations of the one before, and a policy of everybody may reach a team
that is private. Who does not see the policy is told neither its steps nor why it reached somebody; who does not see the
team, schedule or channel that a step names is not told who is behind it.
"""

import asyncio
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from domain.escalations.engine import round_and_step
from domain.escalations.model import NO_POLICY, Escalation, Notification, Step, Target, TargetKind
from domain.routing.why import HIDDEN
from graphql_api.channels.loaders import load_channels
from graphql_api.context import Context
from graphql_api.escalations.loaders import load_escalation, load_policies
from graphql_api.identity.loaders import load_teams
from graphql_api.routing.loaders import load_routing, load_routing_rules
from graphql_api.schedules.loaders import load_schedules

SOMEBODY = "a team, schedule or channel that you may not see reaches somebody"
_LOADERS: dict[TargetKind, Any] = {
    TargetKind.TEAM: load_teams,
    TargetKind.SCHEDULE: load_schedules,
    TargetKind.CHANNEL: load_channels,
}


async def _sees(context: Context, target: Target) -> bool:
    """Whether the viewer may see what the step names. A colleague is nobody's secret."""
    load = _LOADERS.get(target.kind)
    return load is None or await context.loader(load).load(target.id) is not None


async def seen_targets(context: Context, targets: Iterable[Target]) -> frozenset[Target]:
    """Those of the targets that the viewer may see; asked for together, so that they are one statement a kind."""
    asked = list(targets)
    seen = await asyncio.gather(*(_sees(context, target) for target in asked))
    return frozenset(target for target, is_seen in zip(asked, seen, strict=True) if is_seen)


async def seen_steps(context: Context, escalation: Escalation) -> tuple[Step, ...]:
    """The steps an escalation runs by; none of a policy that the viewer may not see."""
    return escalation.steps if await _sees_policy(context, escalation) else ()


async def _sees_policy(context: Context, escalation: Escalation) -> bool:
    """Whether the viewer may see what it runs by. A drill of a schedule runs by no policy: who sees it sees that."""
    is_of_none = escalation.policy_id == NO_POLICY
    return is_of_none or await context.loader(load_policies).load(escalation.policy_id) is not None


async def seen_why(context: Context, told: Notification) -> str:
    """Why somebody was told, without the names of what the viewer may not see."""
    if told.routing_id is not None:
        return await _seen_why_of_rule(context, told.routing_id, told.why)
    if told.escalation_id is None or told.position is None:
        return told.why
    escalation = await context.loader(load_escalation).load(told.escalation_id)
    if escalation is None:
        return told.why
    _, number = round_and_step(escalation, told.position)
    place = told.why.partition(":")[0]
    if not await _sees_policy(context, escalation):
        return f"{place} of a policy that you may not see"
    targets = escalation.steps[number - 1].targets
    if len(await seen_targets(context, targets)) < len(targets):
        return f"{place}, by a team, schedule or channel that you may not see"
    return told.why


async def _seen_why_of_rule(context: Context, routing_id: UUID, why: str) -> str:
    routing = await context.loader(load_routing).load(routing_id)
    if routing is None or await context.loader(load_routing_rules).load(routing.rule_id) is None:
        return HIDDEN
    if len(await seen_targets(context, routing.targets)) < len(routing.targets):
        return "a notification rule, by a team, schedule or channel that you may not see"
    return why
