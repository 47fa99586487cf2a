"""What has a trial found? Two verdicts on a signal are compared; what differs is counted and shown by samples.

What is kept grows with the samples and with the alerts that change, never with the signals read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.alerts.model import Severity
from domain.alerts.signal import SignalStatus
from domain.rules.paging import Paging
from domain.rules.stored import StoredSignal

MAX_SAMPLES = 20
# Of how many alerts it is remembered that they change, or how often they occurred.
MAX_REMEMBERED = 200_000


class TrialChange(StrEnum):
    """What a draft would have made otherwise."""

    SEVERITY = "severity"
    SUPPRESSED = "suppressed"
    LET_GO = "let_go"
    TEAM = "team"
    LABELS = "labels"
    DEDUP_KEY = "dedup_key"
    GROUP_KEY = "group_key"
    PAGES = "pages"
    NO_PAGE = "no_page"
    OTHER_POLICY = "other_policy"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One signal that would have been otherwise."""

    received_at: datetime
    alert_id: UUID | None
    title: str
    service_name: str | None
    before: str | None
    after: str | None


@dataclass(slots=True, kw_only=True)
class Difference:
    """What would have been otherwise in one respect. `alerts` counts those that are remembered."""

    kind: TrialChange
    signals: int = 0
    alert_ids: set[UUID] = field(default_factory=set)
    samples: list[Sample] = field(default_factory=list)

    @property
    def alerts(self) -> int:
        """How many alerts they are of."""
        return len(self.alert_ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialReport:
    """What a trial has found so far. `until` is the time of the last signal read; None before the first."""

    signals: int
    matched: int
    matched_alerts: int
    differences: tuple[Difference, ...]
    until: datetime | None
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """What comes of a signal, as far as a trial compares it."""

    severity: str
    labels: Mapping[str, str]
    suppressed: str | None
    team: str | None
    dedup_key: str
    group_key: str | None


class Findings:
    """What was found so far, with at most so many `samples` of each difference."""

    def __init__(self, paging: Paging, *, samples: int) -> None:
        self._paging, self._most_samples = paging, samples
        self._signals = self._matched = 0
        self._alerts: set[UUID] = set()
        self._differences = {kind: Difference(kind=kind) for kind in TrialChange}
        self._until: datetime | None = None

    def read(self, stored: StoredSignal) -> None:
        """One more signal was read."""
        self._signals += 1
        self._until = stored.received_at

    def matched(self, stored: StoredSignal) -> None:
        """The draft holds for it."""
        self._matched += 1
        if stored.alert_id is not None and len(self._alerts) < MAX_REMEMBERED:
            self._alerts.add(stored.alert_id)

    def failed(self, stored: StoredSignal, message: str) -> None:
        """The draft could not be worked out for it."""
        self._note(TrialChange.FAILED, stored, None, message)

    def compare(self, before: Verdict, after: Verdict, stored: StoredSignal) -> None:
        """Note in which respects the two differ."""
        if before.dedup_key != after.dedup_key:
            self._note(TrialChange.DEDUP_KEY, stored, before.dedup_key, after.dedup_key)
        if stored.status is not SignalStatus.FIRING:
            return
        if before.severity != after.severity:
            self._note(TrialChange.SEVERITY, stored, before.severity.upper(), after.severity.upper())
        if (before.suppressed is None) != (after.suppressed is None):
            kind = TrialChange.LET_GO if after.suppressed is None else TrialChange.SUPPRESSED
            self._note(kind, stored, before.suppressed, after.suppressed)
        if before.team != after.team:
            self._note(TrialChange.TEAM, stored, before.team, after.team)
        if before.labels != after.labels:
            self._note(TrialChange.LABELS, stored, *_labels_told(before.labels, after.labels))
        if before.group_key != after.group_key:
            self._note(TrialChange.GROUP_KEY, stored, before.group_key, after.group_key)
        self._compare_pages(before, after, stored)

    def report(self, *, is_whole: bool) -> TrialReport:
        """All of it."""
        return TrialReport(
            signals=self._signals,
            matched=self._matched,
            matched_alerts=len(self._alerts),
            differences=tuple(found for found in self._differences.values() if found.signals),
            until=self._until,
            is_whole=is_whole,
        )

    # -- parts -----------------------------------------------------------------------------------------------------

    def _compare_pages(self, before: Verdict, after: Verdict, stored: StoredSignal) -> None:
        was, would = (self._policies(one, before, stored) for one in (before, after))
        if was == would:
            return
        kind = TrialChange.OTHER_POLICY
        if not would:
            kind = TrialChange.NO_PAGE
        elif not was:
            kind = TrialChange.PAGES
        self._note(kind, stored, self._paging.names(was), self._paging.names(would))

    def _policies(self, verdict: Verdict, today: Verdict, stored: StoredSignal) -> frozenset[UUID]:
        """The policies that would take the alert; none while it is suppressed."""
        if verdict.suppressed is not None:
            return frozenset()
        if verdict.team is not None:
            team_id: UUID | None = UUID(verdict.team)
        else:
            # What no rule gives a team has the one it has now, unless that came from the rule that no longer gives it.
            given = None if today.team is None else UUID(today.team)
            team_id = None if given is not None and given == stored.team_id else stored.team_id
        return self._paging.takers(team_id, Severity(verdict.severity))

    def _note(self, kind: TrialChange, stored: StoredSignal, before: str | None, after: str | None) -> None:
        found = self._differences[kind]
        found.signals += 1
        is_new = stored.alert_id is not None and stored.alert_id not in found.alert_ids
        if is_new and stored.alert_id is not None and len(found.alert_ids) < MAX_REMEMBERED:
            found.alert_ids.add(stored.alert_id)
        # A sample an alert: twenty times the same one would show nothing.
        if len(found.samples) < self._most_samples and (is_new or stored.alert_id is None):
            signal = stored.signal
            found.samples.append(
                Sample(
                    received_at=signal.received_at,
                    alert_id=stored.alert_id,
                    title=signal.title,
                    service_name=signal.service_name,
                    before=before,
                    after=after,
                )
            )


def _labels_told(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, str]:
    """The labels that differ, as text."""
    names = [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
    old, new = (", ".join(f"{name}={labels[name]}" for name in names if name in labels) for labels in (before, after))
    return old, new
