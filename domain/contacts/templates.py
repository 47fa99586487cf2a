"""What may a message to a person be made of? A template per medium and kind of message: a team's, or everybody's.

It is of the alert's team, not of the person: a message about an alert of the team says what that team wants said,
whoever is woken by it. A template of the team wins over the one for everybody, and both over the built-in text.
What a template cannot take away is how the message is answered (domain/contacts/saying.py).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from domain.alerts.visibility import Sight
from domain.channels.templates import NAMES
from domain.desk import Desk
from domain.errors import InvalidInput, NotFound
from domain.escalations.message import Told
from domain.escalations.model import NotificationKind
from domain.ids import new_id
from domain.text import check_storable
from domain.versions import require_version

# What a template to a person may name besides what one to a channel may.
PERSON_NAMES = NAMES | {"count", "messages", "answerUrl", "reply", "replyCode"}


class Medium(StrEnum):
    """By what a message reaches a person."""

    MAIL = "mail"
    SMS = "sms"
    SLACK = "slack"


class Saying(StrEnum):
    """What a message to a person tells. DIGEST is one that tells of several alerts at once."""

    PAGE = "page"
    ESCALATED = "escalated"
    WORSENED = "worsened"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    FLAPPING = "flapping"
    SETTLED = "settled"
    DIGEST = "digest"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonTemplate:
    """What one kind of message says by one medium. `subject` is for mail alone; without one the built-in is said.

    `failures` are the messages that left in their built-in form, since it failed; `problem` is why the last one did.
    """

    id: UUID
    medium: Medium
    kind: Saying
    source: str
    updated_at: datetime
    team_id: UUID | None = None
    subject: str | None = None
    failures: int = 0
    problem: str | None = None
    problem_at: datetime | None = None
    version: int = 1


def saying_of(told: Told) -> Saying | None:
    """What is told of one alert; None for what is about none, which has no template."""
    if told.kind is NotificationKind.PAGE and told.is_escalated:
        return Saying.ESCALATED
    return _SAID.get(told.kind)


_SAID = {
    NotificationKind.PAGE: Saying.PAGE,
    NotificationKind.WORSENED: Saying.WORSENED,
    NotificationKind.ACKNOWLEDGED: Saying.ACKNOWLEDGED,
    NotificationKind.RESOLVED: Saying.RESOLVED,
    NotificationKind.FLAPPING: Saying.FLAPPING,
    NotificationKind.SETTLED: Saying.SETTLED,
}


def instead_of(kind: Saying) -> tuple[Saying, ...]:
    """The kinds whose template serves for it, the best first."""
    return (kind, Saying.PAGE) if kind is Saying.ESCALATED else (kind,)


class PersonTemplates(Protocol):
    """The store of them, within one transaction."""

    async def locked(self, team_id: UUID | None, medium: Medium, kind: Saying) -> PersonTemplate | None:
        """The one of the team, or the one for everybody, locked."""
        ...

    async def save(self, template: PersonTemplate) -> None:
        """Write it, new or changed."""
        ...

    async def remove(self, template: PersonTemplate) -> None:
        """Delete it."""
        ...

    async def team_in_sight(self, team_id: UUID, *, sight: Sight) -> bool:
        """Whether there is such a team, not archived and within sight."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody wants said. `source` None takes the template back."""

    team_id: UUID | None
    medium: Medium
    kind: Saying
    subject: str | None
    source: str | None


def check_form(medium: Medium, kind: Saying, subject: str | None) -> None:
    """Refuse a subject for what has none, and a digest for what tells of each alert by itself."""
    if kind is Saying.DIGEST and medium is Medium.SLACK:
        message = "a message in Slack says each alert by itself: it has no digest"
        raise InvalidInput(message, ("kind",))
    if subject is not None and medium is not Medium.MAIL:
        message = "a mail alone has a subject"
        raise InvalidInput(message, ("subject",))


async def set_person_template(
    wanted: Wanted, *, expected_version: int | None, check: Callable[[str, str], None], desk: Desk[PersonTemplates]
) -> PersonTemplate | None:
    """The template from now on; None for the built-in text. `check` refuses what cannot be read, by its field."""
    await desk.require_team(wanted.team_id)
    before = await desk.stores.locked(wanted.team_id, wanted.medium, wanted.kind)
    require_version("template", actual=before.version if before else 0, expected=expected_version)
    check_form(wanted.medium, wanted.kind, wanted.subject)
    if wanted.source is None:
        if before is None:
            message = "there is no template for this kind of message"
            raise NotFound(message, ("kind",))
        await desk.stores.remove(before)
        await desk.audit(target_id=before.id, before=_shown(before))
        return None
    for field, text in (("subject", wanted.subject), ("source", wanted.source)):
        if text is not None:
            check_storable(text, path=(field,))
            check(field, text)
    if before is not None and (before.subject, before.source) == (wanted.subject, wanted.source):
        return before
    after = PersonTemplate(
        id=before.id if before else new_id(),
        team_id=wanted.team_id,
        medium=wanted.medium,
        kind=wanted.kind,
        subject=wanted.subject,
        source=wanted.source,
        updated_at=desk.now,
        failures=before.failures if before else 0,
        problem_at=before.problem_at if before else None,
        version=before.version + 1 if before else 1,
    )
    await desk.stores.save(after)
    await desk.audit(target_id=after.id, before=None if before is None else _shown(before), after=_shown(after))
    return after


def _shown(template: PersonTemplate) -> dict[str, Any]:
    return {
        "teamId": None if template.team_id is None else str(template.team_id),
        "medium": template.medium.value,
        "kind": template.kind.value,
        "subject": template.subject,
        "source": template.source,
    }
