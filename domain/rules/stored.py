"""What is there of a signal of the past? Its body as it was kept, read as far as a trial of rules asks for it."""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from domain.alerts.model import Severity
from domain.alerts.normalise import NormalSignal, content_hash
from domain.alerts.signal import Signal, SignalStatus
from domain.rules.condition import RANKS
from domain.rules.facts import Facts


class StoredSignal:
    """One stored signal, and the alert it became a part of with the team that has it now.

    Most signals are asked a few facts and never made whole: a million of them are read in one pass.
    """

    def __init__(
        self,
        body: Mapping[str, Any],
        *,
        received_at: datetime,
        integration_id: UUID,
        alert_id: UUID | None,
        team_id: UUID | None,
    ) -> None:
        self._body = body
        self.received_at = received_at
        self.integration_id = integration_id
        self.alert_id = alert_id
        self.team_id = team_id

    @property
    def status(self) -> SignalStatus:
        """What the source said of the problem."""
        return _STATUSES[self._body["status"]]

    @property
    def severity(self) -> Severity:
        """The severity, as the source's word was understood."""
        return _SEVERITIES[self._body["severity"]]

    @property
    def labels(self) -> dict[str, str]:
        """The labels."""
        labels: dict[str, str] = self._body["labels"]
        return labels

    @property
    def dedup_key(self) -> str:
        """The source's key."""
        key: str = self._body["dedupKey"]
        return key

    def facts(self) -> Facts:
        """What a condition sees of it; see facts.py."""
        body = self._body
        return {
            "alert.title": body["title"],
            "alert.description": body["description"] or "",
            "alert.severity": _RANKS[body["severity"]],
            "alert.source": body["source"],
            "alert.service": body["serviceName"] or "",
            "alert.labels": body["labels"],
            "alert.metadata": body["metadata"],
            "alert.integration": str(self.integration_id),
            "alert.dedup_key": body["dedupKey"],
            "alert.started_at": _time(body["startedAt"]) or self.received_at,
            "now": self.received_at,
        }

    @cached_property
    def signal(self) -> NormalSignal:
        """The signal as rules take it."""
        body = self._body
        severity, started_at = Severity(body["severity"]), _time(body["startedAt"])
        said = Signal(
            title=body["title"],
            source=body["source"],
            dedup_key=body["dedupKey"],
            dedup_recipe=body["dedupRecipe"],
            status=self.status,
            severity=severity,
            started_at=started_at,
            ended_at=_time(body["endedAt"]),
            expires_at=_time(body["expiresAt"]),
        )
        texts = (body["title"], body["description"], severity, body["serviceName"], body["labels"], body["metadata"])
        return NormalSignal(
            signal=said,
            status=self.status,
            title=body["title"],
            description=body["description"],
            severity=severity,
            source=body["source"],
            service_name=body["serviceName"],
            labels=body["labels"],
            metadata=body["metadata"],
            team_id=None,
            is_team_named=False,
            started_at=started_at,
            source_time=None,
            received_at=self.received_at,
            content_hash=content_hash(*texts),
            decisions=(),
        )


_SEVERITIES = {severity.value: severity for severity in Severity}
_STATUSES = {status.value: status for status in SignalStatus}
_RANKS = {severity.value: rank for severity, rank in RANKS.items()}


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
