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
    """A plan at work on one episode. `bell` is when the next step is due; without one it waits, or is over.

    `tried` are the steps of this round so far, `number` how many count. A run that `is_spent` has no step left, and
    nobody has answered.
    """

    episode: int
    plan: Plan
    left: list[PlannedStep]
    bell: datetime | None
    tried: list[PlannedStep] = field(default_factory=list)
    has_found: bool = False
    number: int = 0
    is_over: bool = False
    is_spent: bool = False
    is_in_vain: bool = False
    answer_ends: datetime | None = None
    is_answered: bool = False


@dataclass
class Reference:
    """All runs of one alert under one plan, and who was told what when."""

    runs: dict[int, Run] = field(default_factory=dict)
    # (episode, which step in all, person), and the same of the steps alone.
    told: list[tuple[int, int, str]] = field(default_factory=list)
    fired: list[tuple[int, int]] = field(default_factory=list)
    # The episodes, each time it turned out that nobody at all is there.
    in_vain: list[int] = field(default_factory=list)

    def look(self, problem: Problem, plan: Plan, now: datetime) -> None:
        """Something happened to the alert."""
        for run in self.runs.values():
            if run.is_over and not run.is_spent:
                continue
            if run.episode != problem.episode or not problem.is_open:
                run.is_over, run.bell, run.answer_ends = True, None, None
                continue
            if not problem.calls(now):
                self._rest(run, problem, now)
            elif run.bell is None and not run.is_spent:
                # It was quiet, and is not any more: at once, and from the beginning if all was said.
                run.left = run.left or run.plan.written_out()
                run.bell, run.answer_ends = now, None
            run.is_answered = problem.is_answered
        if problem.calls(now) and plan.steps and problem.episode not in self.runs:
            left = plan.written_out()
            self.runs[problem.episode] = Run(problem.episode, plan, left, now + left[0].delay)

    def _rest(self, run: Run, problem: Problem, now: datetime) -> None:
        run.bell, run.is_over, run.is_spent, run.is_in_vain = None, False, False, False
        if not problem.is_answered:
            run.answer_ends = None
        elif not run.is_answered and run.plan.ack_timeout is not None:
            run.answer_ends = now + run.plan.ack_timeout

    def ring(self, now: datetime, problem: Problem, plan: Plan, *, absent: frozenset[str]) -> None:
        """Time has come to `now`: what is due is done. The alert is looked at first: nobody may have told of it yet."""
        if not any(run.bell is not None and run.bell <= now for run in self.runs.values()):
            return
        for run in self.runs.values():
            if run.bell is not None and run.bell <= now and not problem.calls(now):
                self.look(problem, plan, now)
                return
            while run.bell is not None and run.bell <= now:
                self._next(run, now, absent)

    def _next(self, run: Run, now: datetime, absent: frozenset[str]) -> None:
        step = run.left.pop(0)
        there = [one for one in dict.fromkeys(step.people) if one not in absent]
        self.told += [(run.episode, run.number, one) for one in there]
        self.fired.append((run.episode, run.number))
        run.tried.append(step)
        run.number += 1
        if there:
            run.has_found, run.is_in_vain = True, False
        if len(run.tried) == len(run.plan.steps):
            if not run.has_found:
                self._as_if_it_had_not_been(run, now)
                return
            run.tried, run.has_found = [], False
        if run.left:
            run.bell = now + run.left[0].delay if there else now
        else:
            run.bell, run.is_over, run.is_spent = None, True, True

    def _as_if_it_had_not_been(self, run: Run, now: datetime) -> None:
        """Of a round not one was there: again in a minute, and somebody should know."""
        del self.fired[-len(run.tried) :]
        run.left, run.number, run.tried = run.tried + run.left, run.number - len(run.tried), []
        run.bell = now + timedelta(minutes=1)
        if not run.is_in_vain:
            self.in_vain.append(run.episode)
        run.is_in_vain = True
