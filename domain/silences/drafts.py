"""What does somebody ask for who makes a silence, and what of it can be none?"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.errors import InvalidInput
from domain.silences.matchers import LabelMatcher, check_not_everything
from domain.silences.model import AlertCondition
from domain.text import check_storable

MAX_CREATED_BY = 200
MAX_COMMENT = 2_000
# Longer is no silence but a rule that nobody will remember; the setting may say otherwise.
MAX_DURATION = timedelta(days=366)


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceDraft:
    """What the caller asks for. Times are UTC."""

    matchers: tuple[LabelMatcher, ...]
    starts_at: datetime
    ends_at: datetime
    created_by: str
    comment: str
    condition: AlertCondition | None = None


def check_draft(draft: SilenceDraft, *, max_duration: timedelta = MAX_DURATION) -> None:
    """Refuse what no silence can be, with the field's path."""
    check_holds_some(draft.matchers, draft.condition)
    if draft.starts_at >= draft.ends_at:
        raise InvalidInput("start time must be before end time", ("endsAt",))
    if draft.ends_at - draft.starts_at > max_duration:
        days = max_duration / timedelta(days=1)
        message = f"a silence may last at most {days:g} days: end it earlier, and make it longer when it is needed"
        raise InvalidInput(message, ("endsAt",))
    check_words(draft.created_by, "createdBy", MAX_CREATED_BY)
    check_words(draft.comment, "comment", MAX_COMMENT)


def check_holds_some(matchers: tuple[LabelMatcher, ...], condition: AlertCondition | None) -> None:
    """Refuse what says nothing of the alerts it is to hold. A condition alone is enough, without matchers."""
    if matchers or condition is None:
        check_not_everything(matchers)


def check_words(text: str, field: str, limit: int) -> None:
    """Refuse a text that is too long, or that no store could keep."""
    if len(text) > limit:
        raise InvalidInput(f"must have at most {limit} characters, not {len(text)}", (field,))
    check_storable(text, path=(field,))


def check_said(text: str, field: str, limit: int) -> str:
    """The text without spaces around it; one that says nothing is refused."""
    check_words(text, field, limit)
    if not text.strip():
        raise InvalidInput("say why: it is what people read who wonder why nobody was woken", (field,))
    return text.strip()


def check_end(ends_at: datetime, now: datetime) -> None:
    """Refuse what would be over before it begins."""
    if ends_at <= now:
        raise InvalidInput("end time can't be in the past", ("endsAt",))
