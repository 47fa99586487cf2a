"""How is a drill answered by link or reply, without signing in? By whoever was told, in their name, and audited."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from starlette.requests import Request

from domain.alerts.events import ActorKind
from domain.audit.model import AuditEntry, AuditOutcome
from domain.desk import Desk
from domain.errors import DomainError
from domain.escalations.drills import Drill, answer_drill
from domain.identity.model import Viewer
from domain.ids import new_id
from graphql_api.middleware import request_id_of
from graphql_api.state import AppState
from persistence.drills import DrillRepository

REACHED = "Thank you: the drill reached you."


async def answered_by_person(request: Request, state: AppState, viewer: Viewer, drill_id: UUID) -> Drill:
    """Answer it in the person's name; a DomainError when that cannot be."""
    now = state.clock.now()
    async with state.uow() as uow:

        async def audit(
            *, target_id: UUID, before: dict[str, Any] | None = None, after: dict[str, Any] | None = None
        ) -> None:
            entry = AuditEntry(
                id=new_id(),
                occurred_at=now,
                actor_kind=ActorKind.USER,
                actor_id=viewer.user_id,
                session_id=None,
                ip_address=request.client.host if request.client else None,
                action="answerDrill",
                outcome=AuditOutcome.DONE,
                target_kind="drill",
                target_id=target_id,
                before=before,
                after=after,
                request_id=request_id_of(request.scope),
            )
            await uow.audit.append(entry)

        stores = DrillRepository(uow.connection, now=now)
        done = await answer_drill(drill_id, desk=Desk(stores=stores, viewer=viewer, now=now, audit=audit))
        await uow.commit()
    return done


async def answer_drills(request: Request, state: AppState, viewer: Viewer, ids: Iterable[UUID]) -> int:
    """Answer those of the ids that are drills and run; how many."""
    done = 0
    for drill_id in ids:
        try:
            await answered_by_person(request, state, viewer, drill_id)
            done += 1
        except DomainError:
            continue  # no drill, or it is over
    return done
