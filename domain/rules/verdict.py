"""What did the rules decide of a signal, beyond what its own fields can say?"""

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from domain.values import value_class

if TYPE_CHECKING:
    from domain.alerts.normalise import NormalSignal


@value_class(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Set on a signal for which a rule held or failed.

    `origin` is the signal as its source sent it: what is kept, so that other rules can be tried on it later.
    `matched` and `failed` are for the counters.
    """

    origin: "NormalSignal"
    suppressed_by: tuple[UUID, ...] = ()
    team_id: UUID | None = None
    reopen_window: timedelta | None = None
    matched: tuple[UUID, ...] = ()
    failed: tuple[tuple[UUID, str], ...] = ()
