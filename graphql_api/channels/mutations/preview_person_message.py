"""What would a message to a person look like? About an alert the viewer sees, or a sample; with what is wrong."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from domain.alerts.model import AlertStatus
from domain.channels.slack_card import card
from domain.channels.templates import sample
from domain.contacts.segments import segments_of
from domain.contacts.templates import PERSON_NAMES, PersonTemplate, check_form
from domain.escalations.following import Part
from domain.escalations.message import ENDS, Told
from domain.escalations.model import CALLS, NotificationKind
from domain.ids import new_id
from graphql_api.channels.checking import problem_of
from graphql_api.channels.person_enums import Encoding, Medium, Saying
from graphql_api.channels.trying import told_to_try
from graphql_api.channels.types import TemplateProblem
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from persistence.person_wording import PersonWording

# What a preview is answered by: neither leads to anything.
SAMPLE_CODE = "0000"


@strawberry.input(description="A message to a person to try.")
class PreviewPersonMessageInput:
    """Nothing is written."""

    medium: Medium = strawberry.field(description="By what it would be sent.")
    kind: Saying = strawberry.field(description="Of which messages; a page if left out.", default=Saying.PAGE)
    subject: str | None = strawberry.field(
        description="The template of a mail's subject; the built-in one if left out.", default=None
    )
    source: str | None = strawberry.field(
        description="The template of the text; the built-in text if left out.", default=None
    )
    alert_id: strawberry.ID | None = strawberry.field(
        description="The alert it tells of; a sample if left out.", default=None
    )


@strawberry.type(description="What would be sent, with a link or code that leads nowhere; and what is wrong.")
class PreviewPersonMessageSuccess:
    """What does not apply to the medium is null."""

    subject: str | None = strawberry.field(description="A mail's subject; null for another medium.")
    text: str = strawberry.field(
        description="The text. In the built-in words where the template has a problem, as it would be sent."
    )
    html: str | None = strawberry.field(description="A mail's HTML; null for another medium.")
    encoding: Encoding | None = strawberry.field(description="What a text message is written in; else null.")
    segments: int | None = strawberry.field(description="In how many segments a text message leaves; else null.")
    places: int | None = strawberry.field(description="How many places of them the text takes; else null.")
    was_cut: bool | None = strawberry.field(
        description="Whether a text message was cut, so that it is no longer than three segments; else null."
    )
    blocks: JSON | None = strawberry.field(
        description="The blocks of a message in Slack, with the buttons below each; null for another medium."
    )
    problems: list[TemplateProblem] = strawberry.field(description="What is wrong with the templates; none if empty.")


@mutation(
    payload("PreviewPersonMessage", PreviewPersonMessageSuccess, NotFound),
    description="Try what a mail, a text message or a direct message in Slack says, on an alert you see or on a "
    "sample. Nothing is written or sent.",
)
async def preview_person_message(info: Info, data: PreviewPersonMessageInput) -> PreviewPersonMessageSuccess:
    """Say it as a sender would."""
    check_form(data.medium, data.kind, data.subject)
    context = info.context
    url = f"{context.state.settings.effective_public_url}/answer?token=a-preview"
    told = await _told(info, data, url)
    given = [(field, text) for field, text in (("subject", data.subject), ("source", data.source)) if text is not None]
    wrong = [problem for field, text in given if (problem := problem_of(field, text, PERSON_NAMES)) is not None]
    wording = PersonWording([] if data.source is None or wrong else [_template(info, data)])
    shown = _shown(data.medium, wording, told, now=context.now())
    problems = wrong + [problem for _, problem in wording.failed.values()]
    return replace(shown, problems=problems)  # type: ignore[arg-type] # the domain objects are they


def _template(info: Info, data: PreviewPersonMessageInput) -> PersonTemplate:
    return PersonTemplate(
        id=new_id(),
        medium=data.medium,
        kind=data.kind,
        subject=data.subject,
        source=data.source or "",
        updated_at=info.context.now(),
    )


def _in_slack(
    nothing: PreviewPersonMessageSuccess, wording: PersonWording, told: Sequence[Told], *, now: datetime
) -> PreviewPersonMessageSuccess:
    parts = [
        Part(
            told=one,
            episode=1,
            status=AlertStatus.RESOLVED if one.kind in ENDS else AlertStatus.ACTIVE,
            text=wording.slack(one, is_over=one.kind in ENDS),
        )
        for one in told
    ]
    blocks = card(new_id(), parts, now=now, tells_why=True)
    text = "\n\n".join(block["text"]["text"] for block in blocks if block["type"] == "section")
    return replace(nothing, text=text, blocks=JSON(blocks))


def _shown(
    medium: Medium, wording: PersonWording, told: Sequence[Told], *, now: datetime
) -> PreviewPersonMessageSuccess:
    nothing = PreviewPersonMessageSuccess(
        subject=None,
        text="",
        html=None,
        encoding=None,
        segments=None,
        places=None,
        was_cut=None,
        blocks=None,
        problems=[],
    )
    if medium is Medium.MAIL:
        mail = wording.mail(told)
        return replace(nothing, subject=mail.subject, text=mail.text, html=mail.html)
    if medium is Medium.SLACK:
        return _in_slack(nothing, wording, told, now=now)
    words = wording.text_message(told, SAMPLE_CODE if any(one.kind in CALLS for one in told) else None)
    found = segments_of(words.text)
    return replace(
        nothing,
        text=words.text,
        encoding=found.encoding,
        segments=found.count,
        places=found.places,
        was_cut=words.was_cut,
    )


async def _told(info: Info, data: PreviewPersonMessageInput, url: str) -> list[Told]:
    """One alert; of a digest two, of which one is over."""
    kind = _KINDS.get(data.kind, NotificationKind.PAGE)
    about = await told_to_try(info, kind, data.alert_id)
    about = replace(
        about,
        answer_url=url if kind in CALLS else None,
        is_escalated=data.kind is Saying.ESCALATED,
    )
    if data.kind is not Saying.DIGEST:
        return [about]
    return [about, replace(sample(NotificationKind.RESOLVED, info.context.now()), team_id=about.team_id)]


_KINDS = {Saying(kind.value): kind for kind in NotificationKind if kind.value in set(Saying)}
