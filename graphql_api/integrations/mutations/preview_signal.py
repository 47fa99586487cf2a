"""How does a person see what a payload would become, before anything is saved?"""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry.scalars import JSON

from domain.alerts import normalise
from domain.alerts import signal as signals
from domain.errors import InvalidInput
from domain.errors import NotFound as NoSuch
from domain.identity import model as identity
from domain.ids import new_id
from domain.integrations import actions, model
from graphql_api.context import Context, Info
from graphql_api.enums import Severity
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.exposes import expose_enum, exposes
from graphql_api.identity.loaders import load_teams
from graphql_api.identity.types import Team
from graphql_api.integrations.inputs import FieldMappingInput, SeverityWordInput, severity_map_of
from graphql_api.integrations.loaders import load_integrations
from graphql_api.integrations.preview import preview
from graphql_api.scalars import uuid_of
from graphql_api.webhooks.mapping_engine import ENGINE
from persistence.rules import read_rule_set
from persistence.team_ownership import read_ownership

MAX_HEADERS = 50

expose_enum(
    signals.SignalStatus,
    description="What a source says of a problem.",
    values={
        signals.SignalStatus.FIRING: "It is there.",
        signals.SignalStatus.ACKNOWLEDGED: "It is there, and somebody knows of it.",
        signals.SignalStatus.RESOLVED: "It is over.",
    },
)


@strawberry.input(description="An integration as it might be saved.")
class IntegrationDraft:
    """What matters to how a payload is read."""

    source: model.IntegrationSource = strawberry.field(description="The format of the payload.")
    default_team_id: strawberry.ID | None = strawberry.field(description="The team of its alerts.", default=None)
    severity_map: list[SeverityWordInput] = strawberry.field(
        description="The source's words for severities.", default_factory=list
    )
    mapping: FieldMappingInput | None = strawberry.field(description="How payloads are read.", default=None)


@strawberry.input(description="An HTTP header.")
class HeaderInput:
    """A name and a value."""

    name: str = strawberry.field(description="The name; case does not matter.")
    value: str = strawberry.field(description="The value.")


@strawberry.input(description="A payload, and the integration to read it by: one that exists, or a draft of one.")
class PreviewSignalInput:
    """Exactly one of `integrationId` and `draft`."""

    integration_id: strawberry.ID | None = strawberry.field(
        description="An integration that exists; give this or `draft`.", default=None
    )
    draft: IntegrationDraft | None = strawberry.field(
        description="An integration as it might be saved; give this or `integrationId`.", default=None
    )
    payload: JSON = strawberry.field(
        description="What the tool posts, as JSON; a text is taken for the body itself, as it would be on the wire."
    )
    headers: list[HeaderInput] = strawberry.field(description="The post's headers.", default_factory=list)


async def _team(root: strawberry.Parent[normalise.NormalSignal], info: Info) -> identity.Team | None:
    return None if root.team_id is None else await info.context.loader(load_teams).load(root.team_id)


def _dedup_key(root: strawberry.Parent[normalise.NormalSignal]) -> str:
    return root.signal.dedup_key


def _dedup_recipe(root: strawberry.Parent[normalise.NormalSignal]) -> str:
    return root.signal.dedup_recipe


def _reasons(root: strawberry.Parent[normalise.NormalSignal]) -> list[str]:
    return [decision.reason for decision in root.decisions]


def _labels(root: strawberry.Parent[normalise.NormalSignal]) -> JSON:
    return JSON(root.labels)


def _metadata(root: strawberry.Parent[normalise.NormalSignal]) -> JSON:
    return JSON(root.metadata)


@exposes(normalise.NormalSignal, description="What an item of the payload would become.")
class PreviewedSignal:
    """See domain.alerts.normalise.NormalSignal."""

    status: signals.SignalStatus = strawberry.field(description="What the source says.")
    title: str = strawberry.field(description="The alert's title.")
    description: str | None = strawberry.field(description="The alert's description.")
    severity: Severity = strawberry.field(description="The alert's severity.")
    source: str = strawberry.field(description="What the alert would come from.")
    service_name: str | None = strawberry.field(description="The alert's service.")
    labels = strawberry.field(resolver=_labels, description="The alert's labels.")
    metadata = strawberry.field(resolver=_metadata, description="What else the payload holds.")
    dedup_key = strawberry.field(resolver=_dedup_key, description="Two posts with this key are the same problem.")
    dedup_recipe = strawberry.field(resolver=_dedup_recipe, description="How the key was made.")
    started_at: datetime | None = strawberry.field(description="When the problem began, as the source says.")
    team = strawberry.field(
        resolver=_team,
        graphql_type=Team | None,
        description="The team that an alert it opens would get: its owner, or the default one; null when you may "
        "not see it, or there is none.",
    )
    reasons = strawberry.field(resolver=_reasons, description="Why it would be so, a sentence a decision.")


@exposes(signals.RejectedItem, description="An item of the payload that would be refused.")
class PreviewedRejection:
    """See domain.alerts.signal.RejectedItem."""

    message: str = strawberry.field(description="Why.")
    path: list[str] = strawberry.field(description="The field it is about, outermost first.")


PreviewedItem = Annotated[
    PreviewedSignal | PreviewedRejection,
    strawberry.union("PreviewedItem", description="What one item of the payload would become."),
]


@strawberry.type(description="What the payload would become. Nothing was kept.")
class PreviewSignalSuccess:
    """The items in the order of the payload."""

    items: list[PreviewedItem] = strawberry.field(description="The first hundred items, in order.")
    total: int = strawberry.field(description="How many items the payload holds.")


@mutation(
    payload("PreviewSignal", PreviewSignalSuccess, NotFound),
    description="See what a payload would become with an integration, or a draft of one, before anything is saved.",
)
async def preview_signal(info: Info, data: PreviewSignalInput) -> PreviewSignalSuccess:
    """Parse, normalise, show."""
    if len(data.headers) > MAX_HEADERS:
        message = f"at most {MAX_HEADERS} headers"
        raise InvalidInput(message, ("headers",))
    integration = await _integration(info.context, data)
    headers = {header.name: header.value for header in data.headers}
    async with info.context.read() as connection:
        ownership, rules = await read_ownership(connection), await read_rule_set(connection)
    seen = preview(integration, data.payload, headers, now=info.context.now(), ownership=ownership, rules=rules)
    items: Any = list(seen.items)  # the domain's objects are the GraphQL objects
    return PreviewSignalSuccess(items=items, total=seen.total)


async def _integration(context: Context, data: PreviewSignalInput) -> model.Integration:
    if (data.integration_id is None) == (data.draft is None):
        message = "give either an integration's id or a draft"
        raise InvalidInput(message, ("draft",))
    if data.draft is None:
        integration_id = uuid_of(str(data.integration_id), "integration", "integrationId")
        found = await context.loader(load_integrations).load(integration_id)
        if found is None or found.source in model.OWN_SOURCES:
            raise NoSuch(actions.NO_SUCH, ("integrationId",))
        return found
    draft = data.draft
    team_id = None
    if draft.default_team_id is not None:
        team_id = uuid_of(draft.default_team_id, "team", "draft", "defaultTeamId")
        team = await context.loader(load_teams).load(team_id)
        if team is None or team.archived_at is not None:
            message = "no such team"
            raise NoSuch(message, ("draft", "defaultTeamId"))
    return actions.check_integration(
        model.Integration(
            id=new_id(),
            name="draft",
            source=draft.source,
            created_at=context.now(),
            default_team_id=team_id,
            severity_map=severity_map_of(draft.severity_map),
            mapping=None if draft.mapping is None else draft.mapping.as_domain(),
        ),
        ENGINE,
    )
