"""What must an escalation do? A second, simple telling of it: a list of what is left to do, and a bell that rings.

It knows nothing of positions, rounds or states of the engine: when one of the two is wrong they disagree.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """After `delay`, whoever of these people is there is told."""

    delay: timedelta
    people: tuple[str, ...]


@dataclass
class Plan:
    """A policy as a person wrote it."""

    steps: Sequence[PlannedStep]
    repeats: int
    ack_timeout: timedelta | None

    def written_out(self) -> list[PlannedStep]:
        """Every step of every round, one after the other."""
        return list(self.steps) * (1 + self.repeats)


@dataclass
class Problem:
    """The alert, as far as anybody is woken for it."""

    is_open: bool = True
    is_answered: bool = False
    is_silenced: bool = False
    snoozed_until: datetime | None = None
    episode: int = 0

    def calls(self, now: datetime) -> bool:
        """Whether somebody must be woken."""
        is_snoozed = self.snoozed_until is not None and self.snoozed_until > now
        return self.is_open and not self.is_answered and not self.is_silenced and not is_snoozed


@dataclass
class Run:
    """A plan at work on one episode. `bell` is when the next step is due; without one it waits, or is over."""

    episode: int
    left: list[PlannedStep]
    ack_timeout: timedelta | None
    bell: datetime | None
    is_over: bool = False
    answer_ends: datetime | None = None
    is_answered: bool = False


@dataclass
class Reference:
    """All runs of one alert under one plan, and who was told what when."""

    runs: dict[int, Run] = field(default_factory=dict)
    # (episode, which step in all, person)
    told: list[tuple[int, int, str]] = field(default_factory=list)

    def look(self, problem: Problem, plan: Plan, now: datetime) -> None:
        """Something happened to the alert."""
        for run in self.runs.values():
            if run.is_over:
                continue
            if run.episode != problem.episode or not problem.is_open:
                run.is_over, run.bell, run.answer_ends = True, None, None
                continue
            if problem.calls(now):
                if run.bell is None:
                    run.bell = now
                run.answer_ends = None
            else:
                run.bell = None
                if not problem.is_answered:
                    run.answer_ends = None
                elif not run.is_answered and run.ack_timeout is not None:
                    run.answer_ends = now + run.ack_timeout
            run.is_answered = problem.is_answered
        if problem.calls(now) and plan.steps and problem.episode not in self.runs:
            left = plan.written_out()
            self.runs[problem.episode] = Run(problem.episode, left, plan.ack_timeout, now + left[0].delay)

    def ring(self, now: datetime, problem: Problem, plan: Plan, *, absent: frozenset[str]) -> None:
        """Time has come to `now`: what is due is done. The alert is looked at first: nobody may have told of it yet."""
        if not any(run.bell is not None and run.bell <= now for run in self.runs.values()):
            return
        for run in self.runs.values():
            if run.bell is not None and run.bell <= now and not problem.calls(now):
                self.look(problem, plan, now)
                return
            while run.bell is not None and run.bell <= now:
                self._next(run, plan, now, absent)

    def _next(self, run: Run, plan: Plan, now: datetime, absent: frozenset[str]) -> None:
        step, number = run.left.pop(0), sum(episode == run.episode for episode, _ in self.fired)
        self.fired.append((run.episode, number))
        there = [one for one in dict.fromkeys(step.people) if one not in absent]
        self.told += [(run.episode, number, one) for one in there]
        if not run.left:
            run.bell, run.is_over = None, True
        else:
            run.bell = now + run.left[0].delay if there else now

    fired: list[tuple[int, int]] = field(default_factory=list)
