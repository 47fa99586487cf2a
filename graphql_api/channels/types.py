"""How are channels shown? Never a secret value, only that there is one."""

from datetime import datetime

import strawberry

from domain.channels import circuit, model, templates
from domain.channels import kind as kinds
from domain.identity import model as identity
from graphql_api.channels.kinds import ChannelKindName
from graphql_api.channels.loaders import load_circuits, load_templates
from graphql_api.context import Info
from graphql_api.escalations.enums import NotificationKind
from graphql_api.exposes import expose_enum, exposes
from graphql_api.identity.loaders import load_teams
from graphql_api.identity.types import Team

expose_enum(
    kinds.FieldForm,
    name="ChannelFieldForm",
    description="What a value must look like.",
    values={
        kinds.FieldForm.HTTPS_URL: "An address that begins with https://.",
        kinds.FieldForm.TEXT: "Any text.",
        kinds.FieldForm.GRAPHQL_SELECTION: "Fields of an alert as in a query, within braces.",
    },
)


expose_enum(
    circuit.CircuitState,
    description="Whether a provider is asked.",
    values={
        circuit.CircuitState.CLOSED: "It is asked for everything.",
        circuit.CircuitState.OPEN: "It is not asked until `retryAt`; what waits keeps its place.",
        circuit.CircuitState.HALF_OPEN: "One message is being tried.",
    },
)


@exposes(kinds.ChannelField, description="One value that a kind of channel needs: enough to draw a form.")
class ChannelField:
    """See domain.channels.kind.ChannelField."""

    name: str = strawberry.field(description="What the value is called in `values`.")
    label: str = strawberry.field(description="What to call it for people.")
    description: str = strawberry.field(description="Where to find it.")
    form: kinds.FieldForm = strawberry.field(description="What it must look like.")
    is_secret: bool = strawberry.field(description="Whether it is never shown again.")
    is_required: bool = strawberry.field(description="Whether there must be one.")
    least: int = strawberry.field(description="The least number of characters.")
    most: int = strawberry.field(description="The greatest number of characters.")
    pattern: str | None = strawberry.field(
        description="A regular expression the whole value must match, as in HTML; null for any."
    )


@exposes(
    circuit.Circuit, name="ChannelCircuit", description="Whether the channel's provider is asked, as it failed of late."
)
class ChannelCircuit:
    """See domain.channels.circuit.Circuit."""

    state: circuit.CircuitState = strawberry.field(description="Whether it is asked.")
    failures: int = strawberry.field(description="Failures in a row.")
    opened_at: datetime | None = strawberry.field(description="Since when it is asked no more; null while it is asked.")
    retry_at: datetime | None = strawberry.field(description="When it is tried again.")
    reason: str | None = strawberry.field(description="Why it failed last.")


@exposes(templates.MessageTemplate, description="What one kind of message says.")
class MessageTemplate:
    """See domain.channels.templates.MessageTemplate."""

    id: strawberry.ID = strawberry.field(description="The template's id.")
    kind: NotificationKind = strawberry.field(description="Of which messages.")
    source: str = strawberry.field(description="The template (docs/channels.md).")
    updated_at: datetime = strawberry.field(description="When it was last edited.")
    version: int = strawberry.field(description="Grows with each edit; give it as `expectedVersion`.")


@exposes(templates.TemplateProblem, description="Why a template cannot be used.")
class TemplateProblem:
    """See domain.channels.templates.TemplateProblem."""

    message: str = strawberry.field(description="What is wrong.")
    line: int | None = strawberry.field(description="In which line, from 1, as far as it is known.")
    column: int | None = strawberry.field(description="In which column, from 1, as far as it is known.")
    field: str | None = strawberry.field(
        description="In which of several templates, by the name of its input field: `subject` or `source`; else null."
    )


def _name(root: strawberry.Parent[kinds.ChannelKind]) -> ChannelKindName:
    return ChannelKindName(root.name)


@exposes(kinds.ChannelKind, name="ChannelKindInfo", description="A kind of channel, what it needs and what it can do.")
class ChannelKindInfo:
    """See domain.channels.kind.ChannelKind."""

    kind: ChannelKindName = strawberry.field(resolver=_name, description="The kind.")
    title: str = strawberry.field(description="What to call it for people.")
    description: str = strawberry.field(description="What it is.")
    help: str = strawberry.field(description="How to get its values, for people, in Markdown.")
    takes_templates: bool = strawberry.field(description="Whether what its messages say can be set.")
    follows: bool = strawberry.field(description="Whether its messages, or incidents, change as the alert does.")
    has_buttons: bool = strawberry.field(description="Whether its messages have buttons that answer the alert.")
    answers_back: bool = strawberry.field(description="Whether what is done there can answer the alert here.")
    fields: list[ChannelField] = strawberry.field(description="Its fields.")


@strawberry.type(description="A value of a channel.")
class ChannelValue:
    """One of `Channel.values`."""

    name: str = strawberry.field(description="The field's name.")
    value: str | None = strawberry.field(description="The value; null for a secret one.")


async def _team(root: strawberry.Parent[model.Channel], info: Info) -> identity.Team | None:
    return None if root.team_id is None else await info.context.loader(load_teams).load(root.team_id)


async def _circuit(root: strawberry.Parent[model.Channel], info: Info) -> circuit.Circuit | None:
    return await info.context.loader(load_circuits).load(root.id)


async def _templates(root: strawberry.Parent[model.Channel], info: Info) -> list[templates.MessageTemplate]:
    return await info.context.loader(load_templates).load(root.id)


def _kind(root: strawberry.Parent[model.Channel]) -> ChannelKindName:
    return ChannelKindName(root.kind.name)


def _values(root: strawberry.Parent[model.Channel]) -> list[ChannelValue]:
    return [
        ChannelValue(name=field.name, value=None if field.is_secret else root.values[field.name])
        for field in root.kind.fields
        if field.name in root.values
    ]


@exposes(model.Channel, description="A place messages go to that is no single person.")
class Channel:
    """See domain.channels.model.Channel."""

    id: strawberry.ID = strawberry.field(description="The channel's id; a target of escalation steps.")
    name: str = strawberry.field(description="The name people read; unique within the team.")
    kind: ChannelKindName = strawberry.field(resolver=_kind, description="Whose protocol it speaks.")
    team = strawberry.field(
        resolver=_team, graphql_type=Team | None, description="The team it is of; null for none you may see."
    )
    values = strawberry.field(resolver=_values, description="Its values; secret ones without what they are.")
    problem: str | None = strawberry.field(description="Why the last message failed; null since one went through.")
    problem_at: datetime | None = strawberry.field(description="When it failed.")
    circuit = strawberry.field(
        resolver=_circuit,
        graphql_type=ChannelCircuit | None,
        description="Whether its provider is asked. After failures in a row it rests, what waits keeps its place, and "
        "one message is tried after a while. Null for one that never failed.",
    )
    templates = strawberry.field(
        resolver=_templates,
        graphql_type=list[MessageTemplate],
        description="What its messages say, by kind; of a kind without one `messageTemplates`, or the built-in text.",
    )
    template_failures: int = strawberry.field(
        description="Messages that left with the built-in text, since their template or selection failed."
    )
    template_problem: str | None = strawberry.field(description="Why it failed last; null since a template was saved.")
    template_problem_at: datetime | None = strawberry.field(description="When it failed last.")
    created_at: datetime = strawberry.field(description="When it was made.")
    updated_at: datetime = strawberry.field(description="When it was last edited.")
    archived_at: datetime | None = strawberry.field(description="When it was ended; null while it is used.")
    version: int = strawberry.field(description="Grows with each edit; give it as `expectedVersion`.")
