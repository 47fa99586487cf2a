"""What does a condition see of an alert? The facts of the vocabulary, from a signal on its way in or from an alert."""

from uuid import UUID

from domain.alerts.normalise import NormalSignal
from domain.alerts.problem import AlertState
from domain.remembered import Remembered
from domain.rules.condition import RANKS

Facts = dict[str, object]
# To write an id takes as long as to gather half of the facts, and there are few integrations.
_ids: Remembered[int, str] = Remembered()


def facts_of_signal(signal: NormalSignal, integration_id: UUID) -> Facts:
    """What is known before the signal meets the alert of its key."""
    return {
        "alert.title": signal.title,
        "alert.description": signal.description or "",
        "alert.severity": RANKS[signal.severity],
        "alert.source": signal.source,
        "alert.service": signal.service_name or "",
        "alert.labels": signal.labels,
        "alert.metadata": signal.metadata,
        "alert.integration": _ids.get(integration_id.int) or _ids.keep(integration_id.int, str(integration_id)),
        "alert.dedup_key": signal.signal.dedup_key,
        "alert.started_at": signal.started_at or signal.received_at,
        "now": signal.received_at,
    }


def facts_of_alert(alert: AlertState) -> Facts:
    """What is known of an alert that was folded. Its description and metadata stay in the store unless they are new."""
    return {
        "alert.title": alert.title,
        "alert.description": alert.description or "",
        "alert.severity": RANKS[alert.severity],
        "alert.source": alert.source,
        "alert.service": alert.service_name or "",
        "alert.labels": alert.labels,
        "alert.metadata": alert.metadata,
        "alert.integration": str(alert.integration_id),
        "alert.dedup_key": alert.dedup_key,
        "alert.started_at": alert.started_at,
        "now": alert.last_seen_at,
        "alert.team": "" if alert.team_id is None else str(alert.team_id),
        "alert.status": alert.status.value,
        "alert.occurrences": alert.occurrences,
    }
