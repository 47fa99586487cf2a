"""How does a request become somebody who changes a team? The viewer and the ports of one transaction."""

from typing import Any
from uuid import UUID

from domain.teams.life import TeamActing
from graphql_api.context import Context
from persistence.unit_of_work import UnitOfWork

EXPECTED_VERSION = "The `version` you read: with another one now, nothing is changed and you get StaleVersion."


def team_acting(context: Context, uow: UnitOfWork, action: str) -> TeamActing:
    """The signed-in person's change within this transaction; `action` is what the audit log calls it."""

    async def audit(
        *,
        target_id: UUID,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
        target_kind: str = "team",
    ) -> None:
        entry = context.audit_entry(action, target_kind=target_kind, target_id=target_id, before=before, after=after)
        await uow.audit.append(entry)

    return TeamActing(viewer=context.require_viewer(), actor=context.actor, now=context.now(), unit=uow, audit=audit)
