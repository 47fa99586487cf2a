"""By which times and thresholds are signals folded? What the settings say, as the domain has it."""

from domain.alerts.fold import FoldPolicy
from domain.alerts.model import Severity
from domain.flapping.pause import PausePolicy
from domain.flapping.turns import FlappingPolicy
from tocsin.settings import Settings


def fold_policy(settings: Settings) -> FoldPolicy:
    """The policy of this installation."""
    return FoldPolicy(
        reopen_window=settings.reopen_window,
        manual_resolve_hold=settings.manual_resolve_hold,
        flapping=flapping_policy(settings),
        pause=pause_policy(settings),
    )


def flapping_policy(settings: Settings) -> FlappingPolicy | None:
    """When an alert flaps; None where none is marked."""
    if not settings.flapping_start:
        return None
    return FlappingPolicy(start=settings.flapping_start, stop=settings.flapping_stop, window=settings.flapping_window)


def pause_policy(settings: Settings) -> PausePolicy | None:
    """When an alert is held for a pause; None where none is."""
    if not settings.pause:
        return None
    return PausePolicy(
        length=settings.pause,
        recoveries=settings.pause_recoveries,
        episodes=settings.pause_episodes,
        severities=frozenset(map(Severity, settings.pause_severity_names)),
    )
