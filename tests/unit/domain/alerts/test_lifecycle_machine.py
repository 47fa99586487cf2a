"""Does any sequence of moves and edits keep an alert and its timeline consistent?"""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from domain.alerts import edits, lifecycle
from domain.alerts.change import TRACKED_FIELDS, Change, as_json
from domain.alerts.edits import AlertPatch
from domain.alerts.events import AlertEventKind
from domain.alerts.model import AlertStatus, ResolvedBy, Severity
from domain.errors import IllegalMove
from domain.ids import new_id
from tests.alert_builder import ANNA, HOUR, NOON, an_alert

USERS = [new_id(), new_id(), None]
STEPS = {
    AlertStatus.ACTIVE: {AlertStatus.ACKNOWLEDGED, AlertStatus.RESOLVED},
    AlertStatus.ACKNOWLEDGED: {AlertStatus.INVESTIGATING, AlertStatus.RESOLVED, AlertStatus.ACTIVE},
    AlertStatus.INVESTIGATING: {AlertStatus.RESOLVED, AlertStatus.ACTIVE},
    AlertStatus.RESOLVED: {AlertStatus.ACTIVE},
}


class Life(RuleBasedStateMachine):
    """An alert that people and the clock act on at random."""

    def __init__(self) -> None:
        super().__init__()
        self.alert = an_alert(expires_at=NOON + 30 * HOUR)
        self.now = NOON
        self.told: dict[str, Any] = {name: as_json(getattr(self.alert, name)) for name in TRACKED_FIELDS}
        self.kinds: list[AlertEventKind] = []

    def _apply(self, change: Change) -> None:
        before, after = change.before, change.after
        assert before == self.alert
        assert (after.id, after.dedup_key, after.created_at) == (before.id, before.dedup_key, before.created_at)
        if change.events:
            assert after.version == before.version + len(change.events)
        else:
            assert after == before
        if after.status is not before.status:
            assert after.status in STEPS[before.status]
        # The timeline alone tells how the alert came to be what it is.
        for event in change.events:
            for name, (was, became) in event.data.get("changes", {}).items():
                assert self.told[name] == was
                self.told[name] = became
        self.kinds.extend(event.kind for event in change.events)
        self.alert = after

    def _try(self, move: Callable[..., Change], **arguments: object) -> None:
        with suppress(IllegalMove):
            self._apply(move(self.alert, actor=ANNA, now=self.now, **arguments))

    @rule(minutes=st.integers(1, 600))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        self._apply(lifecycle.expire(self.alert, now=self.now))

    @rule()
    def acknowledge(self) -> None:
        self._try(lifecycle.acknowledge)

    @rule()
    def investigate(self) -> None:
        self._try(lifecycle.investigate)

    @rule(false_positive=st.booleans(), reason=st.sampled_from([None, "fixed"]))
    def resolve(self, false_positive: bool, reason: str | None) -> None:
        self._try(lifecycle.resolve, false_positive=false_positive, reason=reason, hold=HOUR)

    @rule()
    def reopen(self) -> None:
        self._try(lifecycle.reopen, newer_open=None)

    @rule()
    def time_out(self) -> None:
        self._apply(lifecycle.time_out(self.alert, now=self.now))

    @rule(assignee=st.sampled_from(USERS))
    def assign(self, assignee: UUID | None) -> None:
        self._apply(edits.assign(self.alert, assignee=assignee, actor=ANNA, now=self.now))

    @rule(hours=st.integers(1, 48))
    def snooze(self, hours: int) -> None:
        self._try(edits.snooze, until=self.now + hours * HOUR)

    @precondition(lambda self: self.alert.snoozed_until is not None)
    @rule()
    def wake(self) -> None:
        self._apply(edits.wake(self.alert, actor=ANNA, now=self.now))

    @rule(text=st.sampled_from(["looking", "found it"]))
    def comment(self, text: str) -> None:
        self._apply(edits.comment(self.alert, text=text, actor=ANNA, now=self.now))

    @rule(
        title=st.sampled_from(["a", "b"]), severity=st.sampled_from(Severity), labels=st.sampled_from([{}, {"a": "1"}])
    )
    def update(self, title: str, severity: Severity, labels: dict[str, str]) -> None:
        patch = AlertPatch(title=title, severity=severity, labels=labels)
        self._apply(edits.update(self.alert, patch=patch, actor=ANNA, now=self.now))

    @invariant()
    def the_timeline_tells_the_state(self) -> None:
        assert self.told == {name: as_json(getattr(self.alert, name)) for name in TRACKED_FIELDS}
        assert self.alert.version == 1 + len(self.kinds)

    @invariant()
    def the_times_fit_the_status(self) -> None:
        alert = self.alert
        assert (alert.resolved_at is None) == alert.is_open
        assert (alert.resolved_by is None) == alert.is_open
        assert (alert.hold_until is not None) == (alert.resolved_by is ResolvedBy.PERSON)
        assert not (alert.snoozed_until and not alert.is_open)
        if alert.status in {AlertStatus.ACKNOWLEDGED, AlertStatus.INVESTIGATING}:
            assert alert.acknowledged_at is not None
        if alert.status is AlertStatus.INVESTIGATING:
            assert alert.investigating_at is not None
        assert alert.episode == 1 + self.kinds.count(AlertEventKind.REOPENED)


Life.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestLife = Life.TestCase
