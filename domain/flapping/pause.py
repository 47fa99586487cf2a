"""Is a new episode held for a pause, before anybody is woken? When its own past says that it ends by itself.

The past is that of the dedup key: how long each of its newest episodes took until its source said that it was over. An
episode that a person closed, or that took longer, is one that needed somebody.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.alerts.model import Severity
from domain.values import value_class

MAX_EPISODES = 20
# In place of the seconds of an episode that did not end by itself.
NOT_BY_ITSELF = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class PausePolicy:
    """Held for `length` when at least `recoveries` of the newest `episodes` ended by themselves within it."""

    length: timedelta
    recoveries: int = 9
    episodes: int = 10
    severities: frozenset[Severity] = frozenset({Severity.HIGH, Severity.MEDIUM, Severity.LOW})
    # Whether the length is the alert's team's own, and not everybody's.
    is_teams: bool = False

    def __post_init__(self) -> None:
        if self.length <= timedelta(0):
            message = "a pause must be longer than nothing"
            raise ValueError(message)
        if not 1 <= self.recoveries <= self.episodes <= MAX_EPISODES:
            message = f"a pause needs 1 <= recoveries <= episodes <= {MAX_EPISODES}"
            raise ValueError(message)


@value_class(frozen=True, slots=True, kw_only=True)
class Pause:
    """Nobody is woken before `until`; `recovered` of the newest `episodes` ended by themselves within `length`."""

    until: datetime
    length: timedelta
    recovered: int
    episodes: int
    is_teams: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pauses:
    """The pause of everybody's alerts, None where there is none; and by which rule one of a team's own length goes."""

    everybodys: PausePolicy | None = None
    of_teams: PausePolicy = PausePolicy(length=timedelta(minutes=1), is_teams=True)

    def of(self, seconds: int | None) -> PausePolicy | None:
        """The policy where a team says how long: None says nothing, and 0 says never."""
        if seconds is None:
            return self.everybodys
        return replace(self.of_teams, length=timedelta(seconds=seconds)) if seconds else None


def remembered(past: tuple[int, ...], seconds: int) -> tuple[int, ...]:
    """The past with one more episode: its seconds, or NOT_BY_ITSELF."""
    return (*past, seconds)[-MAX_EPISODES:]


def pause_of(past: tuple[int, ...], severity: Severity, policy: PausePolicy, *, now: datetime) -> Pause | None:
    """The pause of an episode that begins now; None when somebody is told as always."""
    if len(past) < policy.recoveries or severity not in policy.severities:
        return None
    newest = past[-policy.episodes :]
    longest = policy.length.total_seconds()
    recovered = sum(0 <= seconds <= longest for seconds in newest)
    if recovered < policy.recoveries:
        return None
    return Pause(
        until=now + policy.length,
        length=policy.length,
        recovered=recovered,
        episodes=len(newest),
        is_teams=policy.is_teams,
    )
