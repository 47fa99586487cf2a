"""Which refusals does the domain know? Each carries a code for programs, a sentence for people and the field's path."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(eq=False)
class DomainError(Exception):
    """A refusal the caller can act on. `path` names the offending input field, outermost first."""

    message: str
    path: Sequence[str] = ()

    def __str__(self) -> str:
        return self.message


class InvalidInput(DomainError):
    """A field's value is not acceptable; the message says what would be right."""


@dataclass(eq=False)
class InvalidCondition(InvalidInput):
    """A condition cannot be used; `line` and `column` (from 1) say where its text goes wrong, when that is known."""

    line: int | None = None
    column: int | None = None


class NotFound(DomainError):
    """No such thing, or not visible to this viewer (the two look the same)."""


class Forbidden(DomainError):
    """The actor's role does not allow the operation."""


class Unauthenticated(DomainError):
    """Nobody is signed in, or the credential is wrong, expired or revoked."""


@dataclass(eq=False)
class IllegalMove(DomainError):
    """The alert's status does not allow this move; `allowed` lists the statuses it may go to."""

    current: str = ""
    allowed: Sequence[str] = ()


@dataclass(eq=False)
class StaleVersion(DomainError):
    """The row changed since the caller read it; read it again and decide anew."""

    expected: int = 0
    actual: int = 0


@dataclass(eq=False)
class NewerAlertOpen(DomainError):
    """A newer open alert has the same dedup key, so the older one cannot be reopened."""

    newer_alert_id: UUID | None = None


@dataclass(eq=False)
class IdempotencyConflict(DomainError):
    """The idempotency key was used within 24 hours for another input."""

    first_used_at: datetime | None = None


class AlreadyExists(DomainError):
    """Another one has this name or address already."""


class InvalidCredentials(DomainError):
    """The address, password, code or refresh token is not right; it is not said which."""


class EnrolmentRequired(Forbidden):
    """The role must have a second factor and the person has none: until one is added, nothing else is answered."""


class ProofRequired(Forbidden):
    """The person has a second factor that the session never proved: until it does, nothing else is answered."""


@dataclass(eq=False)
class StepUpRequired(DomainError):
    """What is asked is dangerous, and the last proof of who asks is too old; `methods` are those that would do."""

    methods: Sequence[str] = ()


@dataclass(eq=False)
class TooManyAttempts(DomainError):
    """Too many failed attempts; the next is looked at after `retry_after_seconds`."""

    retry_after_seconds: int = 0


@dataclass(eq=False)
class TeamInUse(DomainError):
    """Something still hangs on the team, so it cannot be archived."""

    open_alerts: int = 0
    integrations: int = 0


@dataclass(eq=False)
class WeakPassword(DomainError):
    """The password is easy to guess: its score from 0 to 4, and what would make it better."""

    score: int = 0
    suggestions: Sequence[str] = ()


class InvalidLink(DomainError):
    """The link was used, replaced by a newer one, has expired, or was never one of ours; it is not said which."""


class LastAdministrator(DomainError):
    """Nobody else could administer the server any more."""


@dataclass(eq=False)
class SwapConflict(DomainError):
    """A swap of shifts cannot be made: it was answered, or somebody is not on call at `times` of what they give."""

    user_id: UUID | None = None
    times: Sequence[Any] = ()


@dataclass(eq=False)
class WouldOpenGaps(DomainError):
    """Nobody would be told for a time in which somebody would be now, and nobody said that this is meant."""

    gaps: Sequence[Any] = ()


@dataclass(eq=False)
class SilenceTooBroad(DomainError):
    """A silence would hold most alerts, and nobody said that this is meant."""

    matched: int = 0
    total: int = 0
