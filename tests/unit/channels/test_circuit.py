"""When is a provider asked no more, and when again? The breaker alone, with the time the test says."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.channels.circuit import (
    FIRST_REST,
    LONGEST_REST,
    THRESHOLD,
    Circuit,
    CircuitState,
    answered,
    failed,
)

NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)
NONE = timedelta(0)


def fresh() -> Circuit:
    return Circuit(key="mail:smtp", updated_at=NOW)


def after(count: int, circuit: Circuit | None = None) -> Circuit:
    circuit = circuit or fresh()
    for _ in range(count):
        circuit = failed(circuit, "503", wait=NONE, now=NOW)
    return circuit


def test_it_opens_after_failures_in_a_row_and_not_before() -> None:
    assert after(THRESHOLD - 1).state is CircuitState.CLOSED
    opened = after(THRESHOLD)
    assert (opened.state, opened.retry_at, opened.opened_at) == (CircuitState.OPEN, NOW + FIRST_REST, NOW)
    assert after(THRESHOLD - 1, answered(after(THRESHOLD - 1), now=NOW)).state is CircuitState.CLOSED


def test_a_failed_trial_rests_twice_as_long_up_to_a_bound_and_an_answer_closes() -> None:
    circuit, rests = after(THRESHOLD), []
    for _ in range(8):
        circuit = failed(replace(circuit, state=CircuitState.HALF_OPEN), "503", wait=NONE, now=NOW)
        assert circuit.retry_at is not None
        assert circuit.opened_at == NOW, "since when it is away, over all trials"
        rests.append(circuit.retry_at - NOW)
    assert rests[:3] == [2 * FIRST_REST, 4 * FIRST_REST, 8 * FIRST_REST]
    assert rests[-1] == LONGEST_REST
    closed = answered(circuit, now=NOW)
    assert (closed.state, closed.failures, closed.opened_at, closed.retry_at) == (CircuitState.CLOSED, 0, None, None)


def test_what_the_provider_asks_for_is_waited() -> None:
    circuit = failed(after(THRESHOLD - 1), "429", wait=timedelta(hours=1), now=NOW)
    assert circuit.retry_at == NOW + timedelta(hours=1)


def test_a_failure_begun_before_it_opened_prolongs_nothing() -> None:
    opened = after(THRESHOLD)
    late = failed(opened, "late", wait=timedelta(hours=1), now=NOW + timedelta(seconds=10))
    assert (late.state, late.retry_at) == (CircuitState.OPEN, opened.retry_at)


@given(st.lists(st.booleans(), max_size=40))
def test_it_is_open_exactly_while_the_last_failures_in_a_row_reach_the_threshold(answers: list[bool]) -> None:
    """A model of it in one line: it is open when the last THRESHOLD outcomes all failed."""
    circuit = fresh()
    for is_well in answers:
        circuit = answered(circuit, now=NOW) if is_well else failed(circuit, "x", wait=NONE, now=NOW)
    tail = answers[-THRESHOLD:]
    assert (circuit.state is CircuitState.OPEN) == (len(tail) == THRESHOLD and not any(tail))
