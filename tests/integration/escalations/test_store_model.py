"""Does the real store do what the simple telling of an escalation does, with two workers, whatever happens?

The smaller sister of tests/unit/escalations/test_model.py: the same reference, over PostgreSQL, by the jobs' own code.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import asyncpg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.alerts.model import Severity
from domain.escalations.model import Step, Target, TargetKind
from domain.identity.model import Role
from domain.ids import new_id
from jobs.due import time_out_answers
from persistence.engine import create_engine
from persistence.escalation_steps import steps_json
from persistence.escalations import fire_due, reconcile
from persistence.tables import alerts, escalation_policies, escalations, notifications, users
from tests.api import Api
from tests.log_writer import insert_alert
from tests.unit.escalations.reference import Plan, Problem, Reference
from tests.unit.escalations.test_model import MINUTE, PEOPLE, PLANS, START

T = TypeVar("T")
EXAMPLES = settings(
    max_examples=10,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    print_blob=False,
)


class House:
    """What all examples share: the stores, the people, and the loop they live on."""

    def __init__(
        self,
        api: Api,
        engines: tuple[AsyncEngine, AsyncEngine],
        database: asyncpg.Connection,
        ids: dict[str, UUID],
        admin: UUID,
    ) -> None:
        self.admin = admin
        self.api, self.engines, self.database, self.ids = api, engines, database, ids
        self.loop = asyncio.get_running_loop()

    def do(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run it there; the examples are played in a thread."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(120)

    async def change(self, *statements: sa.Executable) -> None:
        async with self.engines[0].begin() as connection:
            for statement in statements:
                await connection.execute(statement)


class Store(RuleBasedStateMachine):
    """As the pure one; each example has an alert and a policy of its own, the only one that is not archived."""

    house: ClassVar[House]

    @initialize(plan=PLANS)
    def begin(self, plan: Plan) -> None:
        self.now = START
        self.plan, self.problem, self.reference = plan, Problem(episode=1), Reference()
        self.absent: frozenset[str] = frozenset()
        self.house.do(self._begin())
        self.look()

    async def _begin(self) -> None:
        self.policy_id = new_id()
        policy = {
            "id": self.policy_id,
            "name": f"Wake {self.policy_id}",
            "severities": [one.value for one in Severity],
            "created_at": self.now,
            "updated_at": self.now,
            **self._columns(),
        }
        await self.house.change(
            sa.update(escalation_policies).values(archived_at=self.now),
            sa.update(users).values(is_active=True),
            # Of the example before nothing is due any more.
            sa.update(escalations).values(state="finished", next_at=None, wakes_at=None),
            sa.insert(escalation_policies).values(policy),
        )
        self.alert_id = await insert_alert(self.house.database, severity=Severity.CRITICAL, created_at=self.now)
        await self.house.change(sa.update(alerts).where(alerts.c.id == self.alert_id).values(episode=1))

    def _columns(self) -> dict[str, object]:
        steps = tuple(
            Step(one.delay, tuple(Target(TargetKind.USER, self.house.ids[name]) for name in one.people))
            for one in self.plan.steps
        )
        return {"steps": steps_json(steps), "repeats": self.plan.repeats, "ack_timeout": self.plan.ack_timeout}

    # -- what the jobs do -----------------------------------------------------------------------------------------

    def look(self) -> None:
        self.house.do(self._look())
        self.reference.look(self.problem, self.plan, self.now)

    async def _look(self) -> None:
        async with self.house.engines[0].begin() as connection:
            await reconcile(connection, [self.alert_id], now=self.now)

    @rule()
    def two_workers_tick(self) -> None:
        self.house.do(self._tick())
        self.reference.ring(self.now, self.problem, self.plan, absent=self.absent)

    async def _tick(self) -> None:
        await asyncio.gather(*[fire_due(engine, now=self.now) for engine in self.house.engines])

    @rule(minutes=st.integers(1, 90))
    def time_passes(self, minutes: int) -> None:
        self.now += minutes * MINUTE

    @rule()
    def answers_end(self) -> None:
        expected = any(
            run.answer_ends is not None and run.answer_ends <= self.now for run in self.reference.runs.values()
        )
        ended = self.house.do(time_out_answers(self.house.engines[0], self.house.api.settings, self.now))
        assert ended == int(expected)
        if expected:
            self.problem.is_answered = False
            self.look()

    # -- what people and tools do ---------------------------------------------------------------------------------

    def move(self, **values: object) -> None:
        self.house.do(self.house.change(sa.update(alerts).where(alerts.c.id == self.alert_id).values(values)))
        self.look()

    @precondition(lambda self: self.problem.is_open)
    @rule(status=st.sampled_from(["acknowledged", "investigating"]))
    def somebody_answers(self, status: str) -> None:
        self.problem.is_answered = True
        self.move(status=status)

    @precondition(lambda self: self.problem.is_open)
    @rule()
    def it_is_over(self) -> None:
        self.problem.is_open = self.problem.is_answered = False
        self.move(status="resolved", resolved_at=self.now)

    @precondition(lambda self: not self.problem.is_open)
    @rule()
    def it_begins_anew(self) -> None:
        self.problem.episode += 1
        self.problem.is_open = True
        self.move(status="active", resolved_at=None, episode=self.problem.episode)

    @rule(is_silenced=st.booleans())
    def a_silence(self, is_silenced: bool) -> None:
        self.problem.is_silenced = is_silenced
        self.move(suppressed_by=[new_id()] if is_silenced else [])

    @rule(plan=PLANS)
    def the_policy_is_edited(self, plan: Plan) -> None:
        self.plan = plan
        table = escalation_policies
        edit = sa.update(table).where(table.c.id == self.policy_id).values(version=table.c.version + 1)
        self.house.do(self.house.change(edit.values(self._columns())))

    @rule(absent=st.sets(st.sampled_from(PEOPLE)).map(frozenset))
    def people_come_and_go(self, absent: frozenset[str]) -> None:
        self.absent = absent
        there = [self.house.ids[name] for name in PEOPLE if name not in absent]
        mine = users.c.id.in_(self.house.ids.values())
        self.house.do(self.house.change(sa.update(users).where(mine).values(is_active=users.c.id.in_(there))))

    # -- what must hold -------------------------------------------------------------------------------------------

    @invariant()
    def both_agree(self) -> None:
        if hasattr(self, "alert_id"):
            self.house.do(self._compare())

    async def _compare(self) -> None:
        table, names = notifications, {value: name for name, value in self.house.ids.items()}
        pages = sa.select(table).where(table.c.alert_id == self.alert_id, table.c.kind == "page")
        # Who manages it hears that nobody could be reached: of no step.
        managed, stepped = pages.where(table.c.position.is_(None)), pages.where(table.c.position.is_not(None))
        runs = sa.select(escalations).where(escalations.c.alert_id == self.alert_id)
        async with self.house.engines[0].connect() as connection:
            told = [(row.episode, row.position, names[row.user_id]) for row in await connection.execute(stepped)]
            in_vain = [(row.episode, row.user_id) for row in await connection.execute(managed)]
            found = {row.episode: row for row in await connection.execute(runs)}
        assert sorted(told) == sorted(self.reference.told)
        assert sorted(in_vain) == sorted((one, self.house.admin) for one in self.reference.in_vain)
        assert found.keys() == self.reference.runs.keys()
        for episode, run in self.reference.runs.items():
            row = found[episode]
            assert (row.next_at, row.wakes_at, row.ended_at is not None) == (run.bell, run.answer_ends, run.is_over)


@pytest.fixture
async def house(api: Api, application_url: str) -> Any:  # noqa: ANN401 - an iterator of it
    people = {name: await api.person(Role.OPERATOR, email=f"{name}@example.com") for name in PEOPLE}
    engines = (create_engine(api.settings, pool_size=2), create_engine(api.settings, pool_size=2))
    database = await asyncpg.connect(application_url)
    admin = await api.person(Role.ADMIN)
    yield House(api, engines, database, {name: person.id for name, person in people.items()}, admin.id)
    await database.close()
    for engine in engines:
        await engine.dispose()


async def test_the_store_does_what_the_simple_telling_does(house: House) -> None:
    example = type("Example", (Store,), {"house": house})
    await asyncio.to_thread(run_state_machine_as_test, example, settings=EXAMPLES)
