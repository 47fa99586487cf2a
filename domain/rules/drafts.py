"""What may somebody say of an alert rule? Checked in full before anything is written."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from domain.alerts.model import MAX_LABEL_NAME, MAX_LABEL_VALUE, MAX_SERVICE_NAME
from domain.errors import InvalidCondition, InvalidInput
from domain.rules.condition import Condition, ConditionEngine, ConditionInvalid
from domain.rules.keys import checked_parts
from domain.rules.model import MAX_NAME, PRIORITY_LABEL, AlertRule, Effects, RuleMode
from domain.rules.words import written
from domain.text import checked_optional_text, checked_text

MAX_DESCRIPTION = 2_000
MAX_REASON = 500
MAX_SET_LABELS = 20
MIN_LENGTH, MAX_LENGTH = timedelta(minutes=1), timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDraft:
    """A rule as it would be, its place aside."""

    name: str
    condition: str
    description: str = ""
    mode: RuleMode = RuleMode.ENABLED
    stops: bool = False
    service_filter: str | None = None
    effects: Effects = field(default_factory=Effects)

    @staticmethod
    def of(rule: AlertRule) -> "RuleDraft":
        """The draft that would make the rule what it is."""
        return RuleDraft(
            name=rule.name,
            condition=rule.condition,
            description=rule.description,
            mode=rule.mode,
            stops=rule.stops,
            service_filter=rule.service_filter,
            effects=rule.effects,
        )


def compiled(text: str, engine: ConditionEngine, *, kept: str | None = None) -> Condition:
    """The condition of a text; InvalidCondition with the place of its fault."""
    try:
        return written(text, engine, kept=kept)
    except ConditionInvalid as error:
        raise InvalidCondition(error.message, ("condition",), line=error.line, column=error.column) from None


def checked(
    draft: RuleDraft, engine: ConditionEngine, *, is_of_team: bool = False, kept: str | None = None
) -> RuleDraft:
    """The draft with its texts tidied; InvalidInput or InvalidCondition names the first field that is wrong.

    `kept` is the condition of the rule that is edited.
    """
    condition = compiled(draft.condition, engine, kept=kept)
    effects = _checked_effects(draft.effects)
    if is_of_team and effects.beyond_team:
        message = (
            "a team's rule is asked about alerts that are the team's by then: it is too late for a key or the reopen "
            "window, and it gives no alert to another team; a rule of no team does"
        )
        raise InvalidInput(message, ("effects", effects.beyond_team[0]))
    if condition.needs_state and effects.before_folding:
        message = (
            "the condition looks at the alert itself (team, status, occurrences), so it is asked when the signal has "
            f"met its alert: too late for {', '.join(effects.before_folding)}"
        )
        raise InvalidInput(message, ("effects", effects.before_folding[0]))
    service = checked_optional_text(draft.service_filter, path=("serviceFilter",), limit=MAX_SERVICE_NAME)
    return replace(
        draft,
        name=checked_text(draft.name, path=("name",), limit=MAX_NAME),
        description=checked_optional_text(draft.description, path=("description",), limit=MAX_DESCRIPTION) or "",
        service_filter=None if service is None else service.strip(),
        effects=effects,
    )


def _checked_effects(effects: Effects) -> Effects:
    for name, length in (("reopenWindow", effects.reopen_window), ("autoResolveAfter", effects.auto_resolve_after)):
        if length is not None and not MIN_LENGTH <= length <= MAX_LENGTH:
            message = f"must be a minute to {MAX_LENGTH.days} days"
            raise InvalidInput(message, ("effects", name))
    suppress = effects.suppress
    if suppress is not None:
        suppress = checked_text(suppress, path=("effects", "suppress"), limit=MAX_REASON)
    return replace(
        effects,
        labels=_checked_labels(effects.labels),
        suppress=suppress,
        dedup_by=checked_parts(effects.dedup_by, path=("effects", "dedupBy")),
        group_by=checked_parts(effects.group_by, path=("effects", "groupBy")),
    )


def _checked_labels(labels: Mapping[str, str]) -> dict[str, str]:
    path = ("effects", "labels")
    if len(labels) > MAX_SET_LABELS:
        message = f"a rule sets at most {MAX_SET_LABELS} labels, not {len(labels)}"
        raise InvalidInput(message, path)
    checked_ones: dict[str, str] = {}
    for name, value in labels.items():
        tidy = checked_text(name, path=path, limit=MAX_LABEL_NAME)
        if tidy == PRIORITY_LABEL:
            message = f"the label {PRIORITY_LABEL} is set by the effect priority"
            raise InvalidInput(message, path)
        checked_ones[tidy] = checked_text(value, path=(*path, tidy), limit=MAX_LABEL_VALUE)
    return checked_ones
