"""How often did each rule hold or fail? Counted in memory, written for many alerts at once."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


@dataclass(slots=True)
class Count:
    """What one rule did since it was last written."""

    matches: int = 0
    failures: int = 0
    last_matched_at: datetime | None = None
    last_failed_at: datetime | None = None
    last_failure: str | None = None

    def add(self, other: "Count") -> None:
        """Count what another has counted, which is the newer."""
        self.matches += other.matches
        self.failures += other.failures
        self.last_matched_at = other.last_matched_at or self.last_matched_at
        self.last_failed_at = other.last_failed_at or self.last_failed_at
        self.last_failure = other.last_failure or self.last_failure


@dataclass(slots=True)
class Tally:
    """The counts of rules, by their ids."""

    counts: dict[UUID, Count] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.counts)

    def note(self, matched: Iterable[UUID], failed: Iterable[tuple[UUID, str]], *, at: datetime) -> None:
        """These rules held for a signal, and these could not be worked out."""
        for rule_id in matched:
            count = self.counts.get(rule_id)
            if count is None:
                count = self.counts[rule_id] = Count()
            count.matches += 1
            count.last_matched_at = at
        for rule_id, message in failed:
            count = self.counts.setdefault(rule_id, Count())
            count.failures += 1
            count.last_failed_at, count.last_failure = at, message

    def add(self, other: "Tally") -> None:
        """Count what a newer tally has counted."""
        for rule_id, count in other.counts.items():
            self.counts.setdefault(rule_id, Count()).add(count)

    def take(self) -> "Tally":
        """All that was counted; counting begins anew."""
        taken = Tally(self.counts)
        self.counts = {}
        return taken
