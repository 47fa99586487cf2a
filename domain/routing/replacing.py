"""What becomes of the rules that name an escalation policy which is to end? They are given another, or it does not end.

A rule that names a policy which does nothing looks as if somebody were told.
"""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from domain.errors import InvalidInput
from domain.routing.actions import RuleDesk, shown
from domain.routing.model import RoutingRule

MAX_NAMED = 10


async def release_policy(
    policy_id: UUID, *, team_id: UUID | None, replacement_id: UUID | None, desk: RuleDesk
) -> list[RoutingRule]:
    """The rules of the policy's team that name it, with the replacement in its place; each is a new version.

    InvalidInput when there are such and no replacement is given, or it is none of the team's.
    """
    naming = [rule for rule in await desk.stores.locked(team_id) if rule.policy_id == policy_id]
    if replacement_id is not None:
        if replacement_id == policy_id or not await desk.stores.has_policy(replacement_id, team_id=team_id):
            message = "no such other escalation policy of the same team"
            raise InvalidInput(message, ("replacementId",))
    elif naming:
        raise InvalidInput(_refusal(naming), ("replacementId",))
    changed = []
    for before in naming:
        after = replace(before, policy_id=replacement_id, version=before.version + 1, updated_at=desk.now)
        await desk.stores.save(after, changed_by=desk.viewer.user_id)
        await desk.audit(target_id=after.id, before=shown(before), after=shown(after))
        changed.append(after)
    return changed


def _refusal(naming: Sequence[RoutingRule]) -> str:
    names = ", ".join(f"“{rule.name}”" for rule in naming[:MAX_NAMED])
    more = f" and {len(naming) - MAX_NAMED} more" if len(naming) > MAX_NAMED else ""
    rules = "rule names" if len(naming) == 1 else "rules name"
    return f"{len(naming)} routing {rules} it: {names}{more}; give another policy in its place, or change them first"
