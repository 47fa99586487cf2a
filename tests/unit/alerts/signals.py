"""Builders for the ingest tests: one integration, signals at named seconds, and a store that is a dict."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from domain.alerts.fold import FoldPolicy
from domain.alerts.ingest import Ingested, Key, ingest, keys_of, prepare
from domain.alerts.problem import AlertState, Problem
from domain.alerts.signal import Outcome, RejectedItem, Signal, SignalStatus
from domain.alerts.submission import Submission
from domain.ids import new_id
from domain.integrations.model import Integration, IntegrationSource
from domain.silences.model import Silence
from domain.teams.ownership import NOTHING_OWNED, Ownership

START = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
INTEGRATION = Integration(
    id=UUID("01890000-0000-7000-8000-000000000001"),
    name="Prometheus",
    source=IntegrationSource.PROMETHEUS,
    created_at=START,
)
FIRING, RESOLVED, ACKNOWLEDGED = SignalStatus.FIRING, SignalStatus.RESOLVED, SignalStatus.ACKNOWLEDGED


def at(seconds: float) -> datetime:
    """START plus seconds."""
    return START + timedelta(seconds=seconds)


def signal(status: SignalStatus = FIRING, *, key: str = "t:1:k", **values: object) -> Signal:
    """A signal with defaults a test need not care about."""
    defaults: dict[str, Any] = {"title": "Disk full", "source": "prometheus", "dedup_recipe": "the test's key"}
    return Signal(status=status, dedup_key=key, **{**defaults, **values})


def submission(
    received_at: datetime, *items: Signal | RejectedItem, integration: Integration = INTEGRATION
) -> Submission:
    """One post."""
    return Submission(receipt_id=new_id(), received_at=received_at, integration=integration, items=items)


class Book:
    """The ingest path over a dict of problems: what the store does, without the store."""

    def __init__(
        self,
        *,
        policy: FoldPolicy | None = None,
        silences: Iterable[Silence] = (),
        ownership: Ownership = NOTHING_OWNED,
    ) -> None:
        self.policy = policy or FoldPolicy()
        self.silences = tuple(silences)
        self.ownership = ownership
        self.problems: dict[Key, Problem] = {}
        self.events: list[Any] = []

    def post(self, *submissions: Submission) -> Ingested:
        """Fold one batch."""
        items = prepare(submissions)
        for key in keys_of(items):
            self.problems.setdefault(key, Problem(integration_id=key[0], dedup_key=key[1]))
        ingested = ingest(items, self.problems, silences=self.silences, policy=self.policy, ownership=self.ownership)
        for state in ingested.alerts:
            state.is_new = state.has_new_content = False
        self.events += ingested.events
        return ingested

    def say(self, received: float, status: SignalStatus = FIRING, *, key: str = "t:1:k", **values: object) -> Outcome:
        """Fold one signal that arrived at START plus `received` seconds; returns its outcome."""
        return self.post(submission(at(received), signal(status, key=key, **values))).results[0].outcome

    @property
    def alert(self) -> AlertState:
        """The newest alert of the test's key."""
        alert = self.problems[INTEGRATION.id, "t:1:k"].alert
        assert alert is not None, "no alert was made"
        return alert

    def kinds(self) -> Sequence[str]:
        """The kinds of all events so far, in order."""
        return [str(event.kind) for event in self.events]
