"""How does a person open an alert by hand?"""

from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from domain.alerts.actions import create as actions
from domain.audit.addresses import AddressForm
from domain.errors import InvalidInput as Refused
from domain.errors import NotFound as Gone
from graphql_api.alerts.acting import acting, once_of
from graphql_api.alerts.loaders import load_alerts
from graphql_api.alerts.types import Alert, shown
from graphql_api.context import Info
from graphql_api.enums import Severity
from graphql_api.errors import IdempotencyConflict, NotFound, mutation, payload
from graphql_api.idempotency import IDEMPOTENCY_KEY
from graphql_api.scalars import uuid_of
from persistence.creation_records import CreationRecords


@strawberry.input(description="A new alert.")
class CreateAlertInput:
    """See domain.alerts.actions.create.AlertDraft."""

    title: str = strawberry.field(description="What is wrong, in one line of at most 500 characters.")
    severity: Severity = strawberry.field(description="How bad it is.")
    description: str | None = strawberry.field(description="More about it, at most 20,000 characters.", default=None)
    service_name: str | None = strawberry.field(description="The service it is about.", default=None)
    source: str | None = strawberry.field(description="What it comes from; `manual` by default.", default=None)
    labels: JSON | None = strawberry.field(description="Labels: an object of text values.", default=None)
    metadata: JSON | None = strawberry.field(description="Anything else: an object.", default=None)
    team_id: strawberry.ID | None = strawberry.field(description="The team responsible.", default=None)
    dedup_key: str | None = strawberry.field(
        description="Alerts of one team with the same key are the same problem: while one is open, another counts as "
        "its repeat. Without a key each is a problem of its own.",
        default=None,
    )
    started_at: datetime | None = strawberry.field(description="When the problem began; now by default.", default=None)
    idempotency_key: str | None = strawberry.field(description=IDEMPOTENCY_KEY, default=None)


@strawberry.type(description="The alert is open.")
class CreateAlertSuccess:
    """The alert it became."""

    alert: Alert = strawberry.field(description="The alert: a new one, or the one of the same dedup key.")
    is_new: bool = strawberry.field(description="Whether it is a new one.")


@mutation(
    payload("CreateAlert", CreateAlertSuccess, NotFound, IdempotencyConflict),
    description="Open an alert by hand.",
)
async def create_alert(info: Info, data: CreateAlertInput) -> CreateAlertSuccess:
    """By the one way in for signals; the answer leaves after COMMIT."""
    context = info.context
    created = await actions.create_alert(
        acting(context),
        draft=_draft(data),
        ingest=context.ingest,
        records=CreationRecords(AddressForm(context.settings.audit_addresses)),
        once=once_of(context, "createAlert", data, data.idempotency_key),
    )
    alert = await context.loader(load_alerts).load(created.alert_id)
    if alert is None:
        raise Gone(message="the alert is no longer visible to you")
    return CreateAlertSuccess(alert=shown(alert), is_new=created.is_new)


def _draft(data: CreateAlertInput) -> actions.AlertDraft:
    return actions.AlertDraft(
        title=data.title,
        severity=data.severity,
        description=data.description,
        service_name=data.service_name,
        source=data.source,
        labels=_object(data.labels, "labels"),
        metadata=_object(data.metadata, "metadata"),
        team_id=None if data.team_id is None else uuid_of(data.team_id, "team", "teamId"),
        dedup_key=data.dedup_key,
        started_at=data.started_at,
    )


def _object(value: object, name: str) -> dict[str, object]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Refused(message="must be an object", path=(name,))
    return value
