"""How does somebody say what messages to persons say? Of a team's alerts, or of all whose team has no template."""

from functools import partial

import strawberry

from domain.contacts.templates import PERSON_NAMES, PersonTemplates, Wanted
from domain.contacts.templates import set_person_template as set_template
from graphql_api.audit_writer import desk_of
from graphql_api.channels.checking import check_field
from graphql_api.channels.person_enums import Medium, Saying
from graphql_api.channels.person_templates import PersonMessageTemplate
from graphql_api.context import Info
from graphql_api.errors import NotFound, StaleVersion, mutation, payload
from graphql_api.scalars import uuid_of
from persistence.person_templates import PersonTemplateRepository


@strawberry.input(description="What one kind of message to persons is to say.")
class SetPersonMessageTemplateInput:
    """See domain.contacts.templates."""

    team_id: strawberry.ID | None = strawberry.field(
        description="Of which team's alerts; of all whose team has no template of its own, if left out.", default=None
    )
    medium: Medium = strawberry.field(description="By what it is sent.")
    kind: Saying = strawberry.field(description="Of which messages.")
    subject: str | None = strawberry.field(
        description="The template of a mail's subject, at most 4,000 characters; the built-in one if left out.",
        default=None,
    )
    source: str | None = strawberry.field(
        description="The template of the text, at most 4,000 characters (docs/channels.md); null for the built-in "
        "text.",
        default=None,
    )
    expected_version: int | None = strawberry.field(
        description="The version you read, 0 for none; refused when it has another by now.", default=None
    )


@strawberry.type(description="Messages say so from now on.")
class SetPersonMessageTemplateSuccess:
    """The template."""

    template: PersonMessageTemplate | None = strawberry.field(description="The template; null for the built-in text.")


@mutation(
    payload("SetPersonMessageTemplate", SetPersonMessageTemplateSuccess, NotFound, StaleVersion),
    description="Say what one kind of mail, text message or direct message in Slack says about alerts of a team. How "
    "it is answered is always there. A template that cannot be read is refused, with its field, line and "
    "column; one that fails when a message leaves costs no message: the built-in text goes instead, and the template "
    "shows why.",
)
async def set_person_message_template(
    info: Info, data: SetPersonMessageTemplateInput
) -> SetPersonMessageTemplateSuccess:
    """Write the template and the audit entry in one transaction."""
    context = info.context
    wanted = Wanted(
        team_id=None if data.team_id is None else uuid_of(data.team_id, "team", "teamId"),
        medium=data.medium,
        kind=data.kind,
        subject=data.subject,
        source=data.source,
    )
    async with context.uow() as uow:
        store: PersonTemplates = PersonTemplateRepository(uow.connection)
        desk = desk_of(context, uow, store, action="setPersonMessageTemplate", target_kind="personMessageTemplate")
        saved = await set_template(
            wanted, expected_version=data.expected_version, check=partial(check_field, names=PERSON_NAMES), desk=desk
        )
        await uow.commit()
    return SetPersonMessageTemplateSuccess(template=saved)  # type: ignore[arg-type] # the domain object is the GraphQL object
