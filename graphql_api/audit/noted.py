"""What of an operation belongs on the audit log? Noted while its fields are resolved.

It is recorded before the answer leaves (recording.py). This file knows nothing of the rest, so that all of it can note.
"""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

# Ids that one entry names of a kind; it counts the rest.
MOST_NAMED = 100


@dataclass
class Noted:
    """Whose personal data one operation has shown, what was looked for, and what was refused."""

    reads: dict[str, dict[UUID, None]] = field(default_factory=dict)
    asked: dict[str, Any] = field(default_factory=dict)
    refused: dict[str, None] = field(default_factory=dict)
    locked_out: dict[str, None] = field(default_factory=dict)
    # A subscription is recorded when it begins, once, however long it goes on.
    is_recorded: bool = False

    def read(self, kind: str, *ids: UUID, asked: dict[str, Any] | None = None) -> None:
        """Something of these was shown."""
        if self.is_recorded:
            return
        self.reads.setdefault(kind, {}).update(dict.fromkeys(ids))
        if asked:
            self.asked[kind] = asked

    def read_of(self, shown: object, kind: str, *, viewer_id: UUID) -> None:
        """Something personal of what is shown here. What one reads of oneself is nobody else's concern."""
        shown_id = getattr(shown, "id", None)
        if isinstance(shown_id, UUID) and shown_id != viewer_id:
            self.read(kind, shown_id)

    def refuse(self, name: str) -> None:
        """The field was refused for want of a role, a scope or a proof."""
        if not self.is_recorded:
            self.refused[name] = None

    def lock_out(self, name: str) -> None:
        """Too many attempts: the field did not look at this one."""
        self.locked_out[name] = None

    def told(self) -> dict[str, Any]:
        """For the entry: how many of each kind, and which, the first hundred."""
        return {
            kind: {
                "count": len(ids),
                "ids": [str(one) for one in list(ids)[:MOST_NAMED]],
                **({"asked": self.asked[kind]} if kind in self.asked else {}),
            }
            for kind, ids in sorted(self.reads.items())
        }

    def only(self) -> tuple[str | None, UUID | None]:
        """The kind that was read, where it is one, and its id, where it is one: so that it is found by them."""
        if len(self.reads) != 1:
            return None, None
        ((kind, ids),) = self.reads.items()
        return kind, next(iter(ids)) if len(ids) == 1 else None
