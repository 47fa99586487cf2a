"""How does a person open an alert by hand? As a signal of the built-in Manual integration, by the one way in.

So it is deduplicated, silenced and explained as any other. What is too long is refused here, not cut: a person can
mend it, a monitoring tool cannot.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.alerts.actions.acting import Acting
from domain.alerts.dedup import MAX_READABLE, dedup_key
from domain.alerts.edits import checked_labels
from domain.alerts.model import (
    MANUAL_INTEGRATION_ID,
    MAX_DESCRIPTION,
    MAX_SERVICE_NAME,
    MAX_SOURCE,
    MAX_TITLE,
    Severity,
)
from domain.alerts.ports import CreationRecords, Once
from domain.alerts.signal import ItemResult, Outcome, Signal
from domain.alerts.submission import Ingest, Submission
from domain.errors import InvalidInput, NotFound
from domain.ids import new_id
from domain.integrations.model import Integration, IntegrationSource
from domain.text import check_storable_json, checked_optional_text, checked_text

MANUAL_SOURCE = "manual"
RECIPE = "manual"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDraft:
    """What a person says of a new alert. Drafts of one team with the same `dedup_key` are the same problem."""

    title: str
    severity: Severity
    description: str | None = None
    service_name: str | None = None
    source: str | None = None
    labels: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    team_id: UUID | None = None
    dedup_key: str | None = None
    started_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Created:
    """Which alert it became, and whether that is a new one."""

    alert_id: UUID
    is_new: bool


class MadeBefore(InvalidInput):
    """The idempotency key was used between our look and our write: roll back and take what it made."""


async def create_alert(
    acting: Acting, *, draft: AlertDraft, ingest: Ingest, records: CreationRecords, once: Once | None = None
) -> Created:
    """Open it, or fold it into the open alert of its key; the audit row and the key commit with it."""
    now = acting.clock.now()
    signal = _signal(draft, now)
    await _check_team(acting, draft.team_id)
    made = await _made_before(acting, once, now)
    if made is not None:
        return made

    async def alongside(connection: object, results: Sequence[ItemResult]) -> None:
        (result,) = results
        if result.alert_id is None:
            raise InvalidInput(message=result.reason, path=tuple(result.path))
        created = {"alertId": str(result.alert_id), "isNew": result.outcome is Outcome.OPENED}
        entry = acting.audit_entry(
            "createAlert",
            target_id=result.alert_id,
            occurred_at=now,
            after={"title": signal.title, "severity": draft.severity.value, "outcome": result.outcome.value},
        )
        if not await records.write(connection, entry=entry, once=once, result=created):
            raise MadeBefore(message="this idempotency key was used a moment ago")

    submission = Submission(
        receipt_id=new_id(),
        received_at=now,
        integration=_manual(draft.team_id, now),
        items=[signal],
        actor=acting.actor,
        extra=alongside,
        sight=acting.viewer.sight,
    )
    try:
        receipt = await ingest.submit(submission)
    except MadeBefore:
        made = await _made_before(acting, once, now)
        if made is None:
            raise
        return made
    (result,) = receipt.results
    if result.alert_id is None:
        raise InvalidInput(message=result.reason, path=tuple(result.path))
    return Created(result.alert_id, result.outcome is Outcome.OPENED)


def _signal(draft: AlertDraft, now: datetime) -> Signal:
    checked = _checked(draft)
    if checked.dedup_key is None:
        key = dedup_key(RECIPE, 1, str(new_id()))
        recipe = "opened by hand: an alert of its own"
    else:
        # Within the team: whoever may not see a team's alerts must not find out by a key that one is open.
        key = dedup_key(RECIPE, 2, f"{checked.team_id or '-'}:{checked.dedup_key}")
        recipe = "opened by hand: the team and the dedup key given"
    return Signal(
        title=checked.title,
        source=checked.source or MANUAL_SOURCE,
        dedup_key=key,
        dedup_recipe=recipe,
        description=checked.description,
        severity=checked.severity,
        service_name=checked.service_name,
        labels=checked.labels,
        metadata=checked.metadata,
        # A person says that it is happening now: a new episode, even where an older one was closed by hand.
        started_at=checked.started_at or now,
    )


def _checked(draft: AlertDraft) -> AlertDraft:
    check_storable_json(draft.metadata, path=("metadata",))
    return replace(
        draft,
        title=checked_text(draft.title, path=("title",), limit=MAX_TITLE),
        description=checked_optional_text(draft.description, path=("description",), limit=MAX_DESCRIPTION),
        service_name=checked_optional_text(draft.service_name, path=("serviceName",), limit=MAX_SERVICE_NAME),
        source=checked_optional_text(draft.source, path=("source",), limit=MAX_SOURCE),
        dedup_key=checked_optional_text(draft.dedup_key, path=("dedupKey",), limit=MAX_READABLE),
        labels=checked_labels(draft.labels),
    )


def _manual(team_id: UUID | None, now: datetime) -> Integration:
    return Integration(
        id=MANUAL_INTEGRATION_ID,
        name="Manual",
        source=IntegrationSource.MANUAL,
        created_at=now,
        default_team_id=team_id,
    )


async def _check_team(acting: Acting, team_id: UUID | None) -> None:
    """A team that is absent, and one whose alerts the person may not see, look the same."""
    if team_id is None:
        return
    async with acting.open() as work:
        known = await work.people.team_exists(team_id)
        visible = acting.viewer.sight.sees(team_id, await work.people.private_teams())
    if not known or not visible:
        raise NotFound(message="no such team", path=("teamId",))


async def _made_before(acting: Acting, once: Once | None, now: datetime) -> Created | None:
    """What the same key made before. The look itself claims the key, and is rolled back."""
    if once is None:
        return None
    async with acting.open() as work:
        made = await work.idempotency.claim(
            actor_id=acting.viewer.user_id,
            mutation=once.mutation,
            key=once.key,
            input_digest=once.input_digest,
            now=now,
        )
    return None if made is None else Created(UUID(made["alertId"]), made["isNew"])
