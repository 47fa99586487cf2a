"""Who acts, when, and through what? What every use case on alerts is given."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.alerts.change import Change
from domain.alerts.events import Actor, Via
from domain.alerts.ports import UnitOfWorkFactory
from domain.audit.model import AuditEntry
from domain.identity.model import Viewer
from domain.ids import new_id
from domain.ports import Clock

_WORDS = frozenset({"resolution"})
ON_THE_TIMELINE = "said on the timeline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Acting:
    """A request of somebody known. The role was checked at the door (graphql_api/permissions.py).

    `via` says from where, for who did not act in Tocsin itself.
    """

    viewer: Viewer
    clock: Clock
    open: UnitOfWorkFactory
    request_id: str | None = None
    ip_address: str | None = None
    via: Via | None = None

    @property
    def actor(self) -> Actor:
        """Who acts, as events name them."""
        return self.viewer.actor

    def audit_entry(
        self,
        action: str,
        *,
        target_id: UUID,
        occurred_at: datetime,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
    ) -> AuditEntry:
        """The audit entry of an action on an alert."""
        return AuditEntry(
            id=new_id(),
            occurred_at=occurred_at,
            actor_kind=self.actor.kind,
            actor_id=self.actor.id,
            session_id=self.viewer.session_id,
            ip_address=self.ip_address,
            action=action,
            target_kind="alert",
            target_id=target_id,
            before=before,
            after=after,
            request_id=self.request_id,
        )

    def audit_change(self, action: str, change: Change, *, occurred_at: datetime) -> AuditEntry:
        """The audit entry of a change: the version and every field before and after it."""
        differences = {
            name: [_kept(name, value) for value in pair]
            for event in change.events
            for name, pair in event.data.get("changes", {}).items()
        }
        return self.audit_entry(
            action,
            target_id=change.after.id,
            occurred_at=occurred_at,
            before={"version": change.before.version, **{name: pair[0] for name, pair in differences.items()}},
            after={
                "version": change.after.version,
                **{name: pair[1] for name, pair in differences.items()},
                **({} if self.via is None else {"via": self.via.value}),
            },
        )


def _kept(name: str, value: Any) -> Any:  # noqa: ANN401 - any JSON
    """What the log keeps of a field. The words of a person it does not: they can be erased, and a sealed row cannot."""
    return ON_THE_TIMELINE if name in _WORDS and value is not None else value
