"""What is a silence? Matchers and a time range; a matching alert is kept and marked, and nobody is woken."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID


class Matcher(Protocol):
    """One condition on a label; domain/silences/matchers.py has the four operators."""

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether the labels fulfil it. A label that is absent counts as empty, as in Alertmanager."""
        ...

    def as_json(self) -> dict[str, Any]:
        """Its form in Alertmanager's API and in the store."""
        ...


class SilenceState(StrEnum):
    """Where a silence is in its life."""

    PENDING = "pending"
    ACTIVE = "active"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Times are UTC; active while `starts_at <= now < ends_at`. `integration_id` None means every integration.

    `applied` is the state whose marks the open alerts carry: it follows the clock, a moment behind (`apply_due` in
    actions.py).
    """

    id: UUID
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    created_by: str
    comment: str
    updated_at: datetime
    integration_id: UUID | None = None
    version: int = 1
    applied: SilenceState = SilenceState.PENDING

    def state(self, now: datetime) -> SilenceState:
        """Where it is in its life, by the clock."""
        if now < self.starts_at:
            return SilenceState.PENDING
        return SilenceState.ACTIVE if now < self.ends_at else SilenceState.EXPIRED

    def is_in_force(self, now: datetime) -> bool:
        """Whether an alert written now must be marked. `now` is read while the silences lock is held.

        What was applied goes before the clock: another host's may be behind. Going by it alone, an alert written just
        after a silence began would stay unmarked, and one written just after its end was swept would stay marked.
        """
        if self.applied is SilenceState.EXPIRED or now >= self.ends_at:
            return False
        return self.applied is SilenceState.ACTIVE or now >= self.starts_at

    def holds(self, integration_id: UUID, labels: Mapping[str, str]) -> bool:
        """Whether an alert with these labels is silenced, time aside."""
        if self.integration_id is not None and self.integration_id != integration_id:
            return False
        return all(matcher.matches(labels) for matcher in self.matchers)
