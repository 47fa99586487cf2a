"""What is a silence? Matchers and a time range; a matching alert is kept and marked, and nobody is woken."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID


class Matcher(Protocol):
    """One condition on a label; domain/silences/matchers.py has the four operators."""

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether the labels fulfil it. A label that is absent counts as empty, as in Alertmanager."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Times are UTC; active while `starts_at <= now < ends_at`. `integration_id` None means every integration."""

    id: UUID
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    created_by: str
    comment: str
    updated_at: datetime
    integration_id: UUID | None = None
    version: int = 1

    def holds(self, integration_id: UUID, labels: Mapping[str, str]) -> bool:
        """Whether an alert with these labels is silenced, time aside."""
        if self.integration_id is not None and self.integration_id != integration_id:
            return False
        return all(matcher.matches(labels) for matcher in self.matchers)
