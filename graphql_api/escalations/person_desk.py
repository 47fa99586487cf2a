"""How does somebody change something without signing in, by a link or a reply? In their name, and audited."""

from typing import Any
from uuid import UUID

from starlette.requests import Request

from domain.alerts.events import ActorKind
from domain.audit.model import AuditEntry
from domain.desk import Desk, Stores
from domain.identity.model import Viewer
from domain.ids import new_id
from graphql_api.middleware import request_id_of
from graphql_api.state import AppState
from persistence.unit_of_work import UnitOfWork


def person_desk(
    request: Request,
    state: AppState,
    viewer: Viewer,
    *,
    uow: UnitOfWork,
    stores: Stores,
    action: str,
    target_kind: str,
) -> Desk[Stores]:
    """What a change needs of this request; the entry has no session, for there is none."""
    now = state.clock.now()

    async def audit(
        *, target_id: UUID, before: dict[str, Any] | None = None, after: dict[str, Any] | None = None
    ) -> None:
        entry = AuditEntry(
            id=new_id(),
            occurred_at=now,
            actor_kind=ActorKind.USER,
            actor_id=viewer.user_id,
            ip_address=request.client.host if request.client else None,
            action=action,
            target_kind=target_kind,
            target_id=target_id,
            before=before,
            after=after,
            request_id=request_id_of(request.scope),
        )
        await uow.audit.append(entry)

    return Desk(stores=stores, viewer=viewer, now=now, audit=audit)
