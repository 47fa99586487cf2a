"""By which times and thresholds are signals folded? What the settings say, as the domain has it."""

from dataclasses import replace
from datetime import timedelta

from domain.alerts.fold import FoldPolicy
from domain.alerts.model import Severity
from domain.flapping.pause import PausePolicy, Pauses
from domain.flapping.turns import FlappingPolicy
from tocsin.settings import Settings


def fold_policy(settings: Settings) -> FoldPolicy:
    """The policy of this installation."""
    return FoldPolicy(
        reopen_window=settings.reopen_window,
        manual_resolve_hold=settings.manual_resolve_hold,
        flapping=flapping_policy(settings),
        pause=pauses(settings),
    )


def flapping_policy(settings: Settings) -> FlappingPolicy | None:
    """When an alert flaps; None where none is marked."""
    if not settings.flapping_start:
        return None
    return FlappingPolicy(start=settings.flapping_start, stop=settings.flapping_stop, window=settings.flapping_window)


def pauses(settings: Settings) -> Pauses:
    """How long alerts are held for a pause: everybody's where that is set, and a team's, which says so itself."""
    terms = PausePolicy(
        length=settings.pause or timedelta(minutes=1),
        recoveries=settings.pause_recoveries,
        episodes=settings.pause_episodes,
        severities=frozenset(map(Severity, settings.pause_severity_names)),
    )
    return Pauses(everybodys=terms if settings.pause else None, of_teams=replace(terms, is_teams=True))
