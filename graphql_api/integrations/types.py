"""How are integrations and their keys shown? Never a key or a shared secret, only what tells them apart."""

from datetime import datetime

import strawberry

from domain.identity import model as identity
from domain.integrations import model
from domain.integrations.keys import IntegrationKey as Key
from graphql_api.context import Info
from graphql_api.enums import Severity
from graphql_api.exposes import expose_enum, exposes
from graphql_api.identity.loaders import load_teams
from graphql_api.identity.types import Team
from graphql_api.integrations.loaders import load_keys

expose_enum(
    model.IntegrationSource,
    description="The format an integration's posts come in.",
    values={
        model.IntegrationSource.PROMETHEUS: "Prometheus and Alertmanager; its key also opens `/api/v2`.",
        model.IntegrationSource.GRAFANA: 'Grafana\'s contact point "Webhook", unified and before version 9.',
        model.IntegrationSource.DATADOG: "Datadog's webhooks.",
        model.IntegrationSource.NEWRELIC: "New Relic's workflows and legacy incidents.",
        model.IntegrationSource.CLOUDWATCH: "Amazon CloudWatch, by way of SNS.",
        model.IntegrationSource.GENERIC: "Any JSON, read by the default fields or by a mapping.",
        model.IntegrationSource.PAGERDUTY: "PagerDuty Events API v2, at `/v2/enqueue`.",
        model.IntegrationSource.MANUAL: "Alerts people make by hand; there is no integration of this source to make.",
        model.IntegrationSource.RULE: "Alerts that threshold rules raise; there is none to make.",
        model.IntegrationSource.HEARTBEAT: "Alerts that missed heartbeats raise; there is none to make.",
    },
)

PATHS = {model.IntegrationSource.PAGERDUTY: "/v2/enqueue"}


@strawberry.type(description="A source's own word for a severity, and what it means here.")
class SeverityWord:
    """One entry of an integration's severity map."""

    word: str = strawberry.field(description="The source's word, in lower case.")
    severity: Severity = strawberry.field(description="What it means.")


@strawberry.type(description="A label of alerts, and the expression that finds its value.")
class LabelMapping:
    """One label of a mapping."""

    name: str = strawberry.field(description="The label's name.")
    expression: str = strawberry.field(description="CEL over `item`, `payload` and `headers`.")


def _labels(root: strawberry.Parent[model.FieldMapping]) -> list[LabelMapping]:
    return [LabelMapping(name=name, expression=expression) for name, expression in root.labels.items()]


@exposes(model.FieldMapping, description="How the generic source reads a payload: one CEL expression a field.")
class FieldMapping:
    """See domain.integrations.model.FieldMapping."""

    items: str | None = strawberry.field(description="Selects the list of alerts inside the payload.")
    title: str | None = strawberry.field(description="The title; null reads the default field.")
    description: str | None = strawberry.field(description="The description; null reads the default field.")
    severity: str | None = strawberry.field(description="The severity, as a word; null reads the default field.")
    status: str | None = strawberry.field(description="`firing` or `resolved`; null reads the default field.")
    dedup_key: str | None = strawberry.field(description="What makes two posts the same problem.")
    service: str | None = strawberry.field(description="The service; null reads the default field.")
    source: str | None = strawberry.field(description="What the alert comes from; null reads the default field.")
    started_at: str | None = strawberry.field(description="When the problem began; null reads the default field.")
    labels = strawberry.field(resolver=_labels, description="Labels, each by an expression of its own.")


def _is_live(root: strawberry.Parent[Key], info: Info) -> bool:
    return root.is_live(info.context.now())


@exposes(Key, description="A key of an integration. The key itself was shown when it was made, and is kept nowhere.")
class IntegrationKey:
    """See domain.integrations.keys.IntegrationKey."""

    id: strawberry.ID = strawberry.field(description="The key's id, not the key.")
    prefix: str = strawberry.field(description="How the key begins, to tell keys apart.")
    created_at: datetime = strawberry.field(description="When it was made.")
    expires_at: datetime | None = strawberry.field(description="When it ends; null for never.")
    revoked_at: datetime | None = strawberry.field(description="When it was revoked; null if it was not.")
    is_live = strawberry.field(resolver=_is_live, description="Whether posts with it are taken now.")


async def _team(root: strawberry.Parent[model.Integration], info: Info) -> identity.Team | None:
    if root.default_team_id is None:
        return None
    return await info.context.loader(load_teams).load(root.default_team_id)


async def _keys(root: strawberry.Parent[model.Integration], info: Info) -> list[Key]:
    return await info.context.loader(load_keys).load(root.id)


def _severity_map(root: strawberry.Parent[model.Integration]) -> list[SeverityWord]:
    return [SeverityWord(word=word, severity=severity) for word, severity in sorted(root.severity_map.items())]


def _is_signed(root: strawberry.Parent[model.Integration]) -> bool:
    return root.hmac_secret is not None


def _webhook_url(root: strawberry.Parent[model.Integration], info: Info) -> str:
    path = PATHS.get(root.source, f"/webhooks/{root.source.value}")
    return info.context.settings.effective_public_url + path


@exposes(model.Integration, description="One tool's door into Tocsin.")
class Integration:
    """See domain.integrations.model.Integration."""

    id: strawberry.ID = strawberry.field(description="The integration's id.")
    name: str = strawberry.field(description="The name people read.")
    source: model.IntegrationSource = strawberry.field(description="The format its posts come in.")
    webhook_url = strawberry.field(resolver=_webhook_url, description="Where the tool posts, a key as bearer token.")
    default_team = strawberry.field(
        resolver=_team, graphql_type=Team | None, description="The team of its alerts; null for none you may see."
    )
    severity_map = strawberry.field(
        resolver=_severity_map, description="The source's words for severities; they go before the built-in table."
    )
    mapping: FieldMapping | None = strawberry.field(
        description="How payloads are read; null for the default fields. Only the generic source has one."
    )
    is_signed = strawberry.field(
        resolver=_is_signed, description="Whether posts must carry a signature made with a shared secret."
    )
    keys = strawberry.field(
        resolver=_keys,
        graphql_type=list[IntegrationKey],
        description="Its keys, the newest first. Managers only.",
    )
    last_seen_at: datetime | None = strawberry.field(description="When it last posted; kept to ten seconds.")
    created_at: datetime = strawberry.field(description="When it was made.")
    archived_at: datetime | None = strawberry.field(description="When it was ended; null while it lives.")
    version: int = strawberry.field(description="Grows with each edit; give it as `expectedVersion`.")
