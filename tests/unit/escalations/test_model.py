"""Does the engine do what a second, simpler telling of it does, whatever happens in whatever order?"""

import dataclasses
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from domain.alerts.model import AlertStatus, Severity
from domain.escalations.engine import Call, Subject, call_of, reconciled, started, step_due, stepped, steps_left
from domain.escalations.model import Escalation, EscalationState, Policy, Step, Target, TargetKind
from domain.ids import new_id
from tests.unit.escalations.reference import Plan, PlannedStep, Problem, Reference

START = datetime(2026, 10, 24, 21, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PEOPLE = ("ann", "bob", "cid")
IDS = {name: uuid5(UUID(int=0), name) for name in PEOPLE}
NAMES = {value: name for name, value in IDS.items()}

STEPS = st.lists(
    st.builds(
        PlannedStep,
        st.integers(0, 30).map(lambda minutes: minutes * MINUTE),
        st.lists(st.sampled_from(PEOPLE), max_size=3).map(tuple),
    ),
    min_size=1,
    max_size=4,
)
PLANS = st.builds(Plan, STEPS, st.integers(0, 2), st.none() | st.integers(1, 60).map(lambda minutes: minutes * MINUTE))


def policy_of(plan: Plan, version: int = 1) -> Policy:
    """The same as the engine takes it."""
    return Policy(
        id=UUID(int=1),
        name="Wake somebody",
        steps=tuple(
            Step(one.delay, tuple(Target(TargetKind.USER, IDS[name]) for name in one.people)) for one in plan.steps
        ),
        repeats=plan.repeats,
        ack_timeout=plan.ack_timeout,
        created_at=START,
        updated_at=START,
        version=version,
    )


class Engine(RuleBasedStateMachine):
    """One alert, one policy that is edited meanwhile, people who come and go, and a clock."""

    @initialize(plan=PLANS)
    def begin(self, plan: Plan) -> None:
        self.now, self.plan, self.policy = START, plan, policy_of(plan)
        self.problem, self.reference = Problem(), Reference()
        self.alert = Subject(
            id=new_id(),
            episode=0,
            status=AlertStatus.ACTIVE,
            severity=Severity.CRITICAL,
            team_id=None,
            is_suppressed=False,
            snoozed_until=None,
        )
        self.absent: frozenset[str] = frozenset()
        self.escalations: dict[int, Escalation] = {}
        self.fired: list[tuple[int, int]] = []
        self.told: list[tuple[int, int, str]] = []
        self.in_vain: list[int] = []
        self.look()

    # -- what the jobs do -----------------------------------------------------------------------------------------

    def look(self) -> None:
        """The relay gives the alert to the engine."""
        for episode, one in self.escalations.items():
            self.escalations[episode] = reconciled(one, self.alert, now=self.now)
        calls = call_of(self.alert, now=self.now)[0] is Call.SOMEBODY
        if calls and self.alert.episode not in self.escalations:
            self.escalations[self.alert.episode] = started(self.alert, self.policy, now=self.now)
        self.reference.look(self.problem, self.plan, self.now)

    @rule()
    def tick(self) -> None:
        """Everything due is fired; the alert is looked at before."""
        again = True
        while again:
            again = False
            for episode, one in self.escalations.items():
                if one.state is EscalationState.RUNNING and one.next_at is not None and one.next_at <= self.now:
                    again = True
                    self.escalations[episode] = self._fire(one)
        self.reference.ring(self.now, self.problem, self.plan, absent=self.absent)

    def _fire(self, one: Escalation) -> Escalation:
        checked = reconciled(one, self.alert, now=self.now)
        if checked is not one:
            return checked
        reached = [NAMES[target.id] for target in step_due(one).targets if NAMES[target.id] not in self.absent]
        reached = list(dict.fromkeys(reached))
        self.fired.append((one.episode, one.position))
        self.told += [(one.episode, one.position, name) for name in reached]
        after = stepped(one, reached=reached, now=self.now)
        if after.position <= one.position:  # nobody was reached by the round, which does not count
            back = [(one.episode, position) for position in range(after.position, one.position + 1)]
            self.fired = [fired for fired in self.fired if fired not in back]
        if after.unreached_since is not None and one.unreached_since is None:
            self.in_vain.append(one.episode)
        return after

    @rule(minutes=st.integers(1, 90))
    def time_passes(self, minutes: int) -> None:
        self.now += minutes * MINUTE

    @rule()
    def answers_end(self) -> None:
        """Whoever has not got on with it within the time is as good as nobody."""
        over = [one for one in self.escalations.values() if one.wakes_at is not None and one.wakes_at <= self.now]
        expected = [
            run for run in self.reference.runs.values() if run.answer_ends is not None and run.answer_ends <= self.now
        ]
        assert [one.episode for one in over] == [run.episode for run in expected]
        if over and self.problem.is_answered:
            self._move(AlertStatus.ACTIVE)

    # -- what people and tools do ---------------------------------------------------------------------------------

    def _move(self, status: AlertStatus) -> None:
        self.alert = dataclasses.replace(self.alert, status=status)
        self.problem.is_open = status is not AlertStatus.RESOLVED
        self.problem.is_answered = status in {AlertStatus.ACKNOWLEDGED, AlertStatus.INVESTIGATING}
        self.look()

    @precondition(lambda self: self.problem.is_open)
    @rule(status=st.sampled_from([AlertStatus.ACKNOWLEDGED, AlertStatus.INVESTIGATING]))
    def somebody_answers(self, status: AlertStatus) -> None:
        self._move(status)

    @precondition(lambda self: self.problem.is_answered)
    @rule()
    def the_answer_is_taken_back(self) -> None:
        self._move(AlertStatus.ACTIVE)

    @precondition(lambda self: self.problem.is_open)
    @rule()
    def it_is_over(self) -> None:
        self._move(AlertStatus.RESOLVED)

    @precondition(lambda self: not self.problem.is_open)
    @rule()
    def it_begins_anew(self) -> None:
        self.problem.episode += 1
        self.alert = dataclasses.replace(self.alert, episode=self.problem.episode)
        self._move(AlertStatus.ACTIVE)

    @rule(is_silenced=st.booleans())
    def a_silence(self, is_silenced: bool) -> None:
        self.problem.is_silenced = is_silenced
        self.alert = dataclasses.replace(self.alert, is_suppressed=is_silenced)
        self.look()

    @rule(minutes=st.none() | st.integers(1, 60))
    def a_snooze(self, minutes: int | None) -> None:
        until = None if minutes is None else self.now + minutes * MINUTE
        self.problem.snoozed_until = until
        self.alert = dataclasses.replace(self.alert, snoozed_until=until)
        self.look()

    @rule(plan=PLANS)
    def the_policy_is_edited(self, plan: Plan) -> None:
        self.plan, self.policy = plan, policy_of(plan, self.policy.version + 1)

    @rule(absent=st.sets(st.sampled_from(PEOPLE)).map(frozenset))
    def people_come_and_go(self, absent: frozenset[str]) -> None:
        self.absent = absent

    # -- what must hold -------------------------------------------------------------------------------------------

    @invariant()
    def both_agree(self) -> None:
        if not hasattr(self, "reference"):
            return
        assert self.told == self.reference.told
        assert self.fired == self.reference.fired
        assert self.in_vain == self.reference.in_vain
        assert self.escalations.keys() == self.reference.runs.keys()
        for episode, one in self.escalations.items():
            run = self.reference.runs[episode]
            assert (one.next_at, one.wakes_at) == (run.bell, run.answer_ends)
            assert (one.ended_at is not None) == run.is_over

    @invariant()
    def nothing_fires_twice_nor_too_often(self) -> None:
        if not hasattr(self, "fired"):
            return
        assert len(set(self.fired)) == len(self.fired)
        assert len(set(self.told)) == len(self.told)
        for one in self.escalations.values():
            assert 0 <= steps_left(one) <= len(one.steps) * (1 + one.repeats)
            assert steps_left(one) > 0 or one.state is not EscalationState.RUNNING
            assert (one.next_at is not None) == (one.state is EscalationState.RUNNING)
            assert (one.reason is None) == (one.state is EscalationState.RUNNING)


Engine.TestCase.settings = settings(
    max_examples=150, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
TestEngine = Engine.TestCase
