"""Is what somebody wants a group rule, or a service? Checked before it is written; an error names the first fault."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from domain.alerts.model import MAX_LABEL_NAME, MAX_SERVICE_NAME
from domain.correlation.model import (
    DEFAULT_MAX_AGE,
    DEFAULT_RANK,
    DEFAULT_THRESHOLD,
    DEFAULT_WINDOW,
    MIN_THRESHOLD,
    GroupField,
    GroupStrategy,
    Part,
)
from domain.errors import InvalidCondition, InvalidInput
from domain.rules.condition import ConditionEngine, ConditionInvalid
from domain.rules.words import check_words
from domain.silences.matcher_syntax import parse_matchers
from domain.silences.matchers import InvalidMatcher, LabelMatcher, check_not_everything
from domain.text import checked_optional_text, checked_text

MAX_NAME = 100
MAX_DESCRIPTION = 2_000
MAX_RANK = 10_000
MAX_LABELS = 10
MIN_PARTS, MAX_PARTS = 2, 5
MIN_WINDOW, MAX_WINDOW = timedelta(seconds=1), timedelta(days=1)
MAX_AGE = timedelta(days=7)
MAX_UPSTREAMS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDraft:
    """What somebody may say of a group rule."""

    name: str
    strategy: GroupStrategy
    description: str = ""
    rank: int = DEFAULT_RANK
    enabled: bool = True
    matchers: tuple[LabelMatcher, ...] = ()
    condition: str | None = None
    labels: tuple[str, ...] = ()
    fields: tuple[GroupField, ...] = ()
    parts: tuple[Part, ...] = ()
    window: timedelta = DEFAULT_WINDOW
    max_age: timedelta = DEFAULT_MAX_AGE
    threshold: int = DEFAULT_THRESHOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceDraft:
    """What somebody may say of a service."""

    name: str
    description: str = ""
    upstream_ids: tuple[UUID, ...] = ()


def read_matchers(text: str | None, path: Sequence[str]) -> tuple[LabelMatcher, ...]:
    """Matchers as text, the way silences write them; none for no text."""
    if text is None or not text.strip():
        return ()
    try:
        return parse_matchers(text)
    except InvalidMatcher as error:
        raise InvalidInput(error.message, path) from None


def checked_condition(text: str | None, engine: ConditionEngine, *, kept: str | None = None) -> str | None:
    """The condition, compiled once; InvalidCondition says where it goes wrong. `kept` is what the rule has already."""
    if text is None or not text.strip():
        return None
    try:
        condition = engine.compile(text)
        if condition.needs_state:
            message = "a group is chosen before the alert has a team, a status or occurrences: name none of them"
            raise InvalidCondition(message, ("condition",))
        if text != kept:
            check_words(condition)
    except ConditionInvalid as error:
        raise InvalidCondition(str(error), ("condition",), line=error.line, column=error.column) from None
    return text


def checked_rule(draft: RuleDraft, engine: ConditionEngine, *, kept: str | None = None) -> RuleDraft:
    """The draft with its texts tidied; InvalidInput names the first field that is wrong.

    `kept` is the condition of the rule that is edited.
    """
    checked = replace(
        draft,
        name=checked_text(draft.name, path=("name",), limit=MAX_NAME),
        description=checked_optional_text(draft.description, path=("description",), limit=MAX_DESCRIPTION) or "",
        condition=checked_condition(draft.condition, engine, kept=kept),
        labels=_checked_labels(draft.labels),
        fields=tuple(dict.fromkeys(draft.fields)),
    )
    if not 1 <= draft.rank <= MAX_RANK:
        message = f"a rank is from 1 to {MAX_RANK}, not {draft.rank}"
        raise InvalidInput(message, ("rank",))
    if not MIN_WINDOW <= draft.window <= MAX_WINDOW:
        message = "a window is from one second to one day long"
        raise InvalidInput(message, ("window",))
    if not draft.window <= draft.max_age <= MAX_AGE:
        message = "the greatest age of a group is at least its window and at most 7 days"
        raise InvalidInput(message, ("maxAge",))
    _check_strategy(checked)
    return checked


def _checked_labels(labels: Sequence[str]) -> tuple[str, ...]:
    found = tuple(
        dict.fromkeys(
            checked_text(name, path=("labels", str(place)), limit=MAX_LABEL_NAME) for place, name in enumerate(labels)
        )
    )
    if len(found) > MAX_LABELS:
        message = f"at most {MAX_LABELS} labels, not {len(found)}"
        raise InvalidInput(message, ("labels",))
    return found


def _check_strategy(draft: RuleDraft) -> None:
    strategy = draft.strategy
    if strategy is not GroupStrategy.TOGETHER and draft.parts:
        message = "only a rule of the strategy TOGETHER has parts"
        raise InvalidInput(message, ("parts",))
    if strategy is GroupStrategy.LABELS and not (draft.labels or draft.fields or draft.matchers or draft.condition):
        message = "name what the alerts have in common, or which alerts it is for: this would group everything"
        raise InvalidInput(message, ("labels",))
    if strategy is GroupStrategy.TOPOLOGY and (draft.labels or draft.fields):
        message = "a rule of the strategy TOPOLOGY goes by the services: it has no labels and fields of its own"
        raise InvalidInput(message, ("labels",))
    if strategy is GroupStrategy.SIMILARITY and GroupField.TITLE_TEMPLATE in draft.fields:
        message = "titles are compared already: TITLE_TEMPLATE would ask for equal ones"
        raise InvalidInput(message, ("fields",))
    if not MIN_THRESHOLD <= draft.threshold <= 100:  # noqa: PLR2004 - percent
        message = f"a threshold is from {MIN_THRESHOLD} to 100 percent, not {draft.threshold}"
        raise InvalidInput(message, ("threshold",))
    if strategy is GroupStrategy.TOGETHER:
        _check_parts(draft.parts)


def _check_parts(parts: Sequence[Part]) -> None:
    if not MIN_PARTS <= len(parts) <= MAX_PARTS:
        message = f"from {MIN_PARTS} to {MAX_PARTS} parts must be seen together, not {len(parts)}"
        raise InvalidInput(message, ("parts",))
    for place, part in enumerate(parts):
        path = ("parts", str(place))
        checked_text(part.name, path=(*path, "name"), limit=MAX_NAME)
        check_not_everything(part.matchers, (*path, "matchers"))


def checked_service(draft: ServiceDraft) -> ServiceDraft:
    """The draft with its texts tidied."""
    upstreams = tuple(dict.fromkeys(draft.upstream_ids))
    if len(upstreams) > MAX_UPSTREAMS:
        message = f"a service needs at most {MAX_UPSTREAMS} others directly, not {len(upstreams)}"
        raise InvalidInput(message, ("dependsOnIds",))
    return ServiceDraft(
        name=checked_text(draft.name, path=("name",), limit=MAX_SERVICE_NAME),
        description=checked_optional_text(draft.description, path=("description",), limit=MAX_DESCRIPTION) or "",
        upstream_ids=upstreams,
    )
