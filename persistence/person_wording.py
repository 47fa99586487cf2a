"""What does a message to a person say? What the alert's team wants said, or everybody's, or the built-in words.

A template that fails costs no message: what it was to say is said in the built-in words, and the failure is counted on
the template, with the reason and the place.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.channels.mrkdwn import as_fact
from domain.channels.templates import TemplateFails, TemplateProblem
from domain.contacts.message import text_of as text_message_of
from domain.contacts.saying import answered_by_code, answered_by_link, marked, person_facts, subject_from
from domain.contacts.templates import PERSON_NAMES, Medium, PersonTemplate, Saying, instead_of, saying_of
from domain.escalations import message
from domain.escalations.mail_page import page_of
from domain.escalations.message import ENDS, Told
from persistence.person_templates import note_failures, person_templates_for
from persistence.templating import Patience, render

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class MailWords:
    """What a mail says."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class TextWords:
    """What a text message says, and whether it was cut to be no longer."""

    text: str
    was_cut: bool = False


@dataclass(slots=True)
class PersonWording:
    """Says messages by one medium; keeps what failed meanwhile."""

    templates: Sequence[PersonTemplate]
    failed: dict[UUID, tuple[PersonTemplate, TemplateProblem]] = field(default_factory=dict)
    patience: Patience = field(default_factory=Patience)

    def mail(self, told: Sequence[Told]) -> MailWords:
        """A mail about all of these."""
        if len(told) > 1:
            return self._digest_mail(told)
        (one,) = told
        template = self._for(one)
        subject, own = self._subject(template, one, told), self._text(template, one, told)
        text = message.text_of(told) if own is None else f"{answered_by_link(own, told)}\n{_foot(one)}\n"
        return MailWords(subject or message.subject_of(told), text, page_of(told, lambda _: own))

    def _digest_mail(self, told: Sequence[Told]) -> MailWords:
        worst = message.ordered(told)[0]
        template = self._digest(told)
        subject, whole = self._subject(template, worst, told), self._text(template, worst, told)
        subject = subject or message.subject_of(told)
        if whole is not None:
            return MailWords(subject, answered_by_link(whole, told) + "\n", page_of(told, whole=whole))
        own = {id(one): self._text(self._for(one), one, [one]) for one in message.ordered(told)[: message.MAX_SHOWN]}

        def part(one: Told) -> str:
            said = own.get(id(one))
            return message.part_of(one) if said is None else f"{answered_by_link(said, [one])}\n{_foot(one)}"

        return MailWords(subject, message.text_of(told, part), page_of(told, lambda one: own.get(id(one))))

    def text_message(self, told: Sequence[Told], code: str | None) -> TextWords:
        """A text message about all of these."""
        about = message.ordered(told)[0]
        template = self._digest(told) if len(told) > 1 else self._for(about)
        own = self._text(template, about, told, code=code)
        if own is None:
            return TextWords(text_message_of(told, reply_code=code))
        return TextWords(*answered_by_code(own, code))

    def slack(self, one: Told, *, is_over: bool) -> str | None:
        """The words of one alert's part in a message in Slack; None for the built-in ones."""
        template = self._for(one)
        if template is None:
            return None
        facts = person_facts(one, [one], escape=as_fact) | {"isOver": is_over or one.kind in ENDS}
        return self._tried(template, lambda: marked(self._filled(template.source, facts), [one]))

    def _for(self, one: Told) -> PersonTemplate | None:
        kind = saying_of(one)
        return None if kind is None else self._found(one.team_id, instead_of(kind))

    def _digest(self, told: Sequence[Told]) -> PersonTemplate | None:
        """What several alerts are told by: their team's, where they are one team's."""
        if any(saying_of(one) is None for one in told):
            return None
        teams = {one.team_id for one in told}
        return self._found(teams.pop() if len(teams) == 1 else None, (Saying.DIGEST,))

    def _found(self, team_id: UUID | None, kinds: Sequence[Saying]) -> PersonTemplate | None:
        by_place = {(one.team_id, one.kind): one for one in self.templates}
        places = [(team, kind) for team in dict.fromkeys((team_id, None)) for kind in kinds]
        return next((by_place[place] for place in places if place in by_place), None)

    def _subject(self, template: PersonTemplate | None, about: Told, told: Sequence[Told]) -> str | None:
        if template is None or template.subject is None:
            return None
        source, facts = template.subject, person_facts(about, told)

        def said() -> str:
            text = subject_from(marked(self._filled(source, facts), told))
            if not text:
                raise TemplateFails(TemplateProblem("it gives no text"))
            return text

        return self._tried(template, said, "subject")

    def _text(
        self, template: PersonTemplate | None, about: Told, told: Sequence[Told], *, code: str | None = None
    ) -> str | None:
        if template is None:
            return None
        source, facts = template.source, person_facts(about, told, code=code)
        return self._tried(template, lambda: marked(self._filled(source, facts), told))

    def _filled(self, source: str, facts: Mapping[str, Any]) -> str:
        return render(source, facts, PERSON_NAMES, patience=self.patience)

    def _tried(self, template: PersonTemplate, say: Callable[[], str], name: str = "source") -> str | None:
        try:
            return say()
        except TemplateFails as error:
            self.failed.setdefault(template.id, (template, replace(error.problem, field=name)))
            return None


def _foot(one: Told) -> str:
    """What every part of a mail ends with, whoever wrote it."""
    about = f"Alert: {one.alert_id}" if one.group_id is None else f"Group: {one.group_id}"
    return f"Why you: {one.why}\n{about}"


async def wording_for(connection: AsyncConnection, medium: Medium, told: Sequence[Told]) -> PersonWording:
    """Who says messages about these by the medium."""
    return PersonWording(await person_templates_for(connection, medium, {one.team_id for one in told}))


async def note_failed(connection: AsyncConnection, wording: PersonWording, *, now: datetime) -> None:
    """Count what failed, in the transaction that writes the message."""
    if wording.failed:
        failed = list(wording.failed.values())
        for template, problem in failed:
            _log.warning("a template failed", template=str(template.id), problem=problem.message)
        await note_failures(connection, failed, now=now)
