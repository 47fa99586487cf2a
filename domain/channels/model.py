"""What is a channel? One place messages can be sent to, of one kind, with the values that kind needs.

What a kind is, is data (domain/channels/kind.py). Every value is kept sealed; a secret one is never shown again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.channels.kind import ChannelKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel. `problem` says why the last message to it failed; None since one went through."""

    id: UUID
    name: str
    kind: ChannelKind
    values: Mapping[str, str]
    created_at: datetime
    updated_at: datetime
    team_id: UUID | None = None
    archived_at: datetime | None = None
    problem: str | None = None
    problem_at: datetime | None = None
    # Messages that left with the built-in text, since their template or selection failed; and why the last one did.
    template_failures: int = 0
    template_problem: str | None = None
    template_problem_at: datetime | None = None
    version: int = 1
