"""How do inhibition rules come to be, change and end? Managers do it; what they change counts at once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol
from uuid import UUID

from domain.alerts.model import MAX_LABEL_NAME
from domain.correlation.actions import Bench
from domain.errors import AlreadyExists, InvalidInput, NotFound
from domain.ids import new_id
from domain.inhibition.model import InhibitionRule
from domain.silences.matchers import LabelMatcher, check_not_everything
from domain.text import checked_optional_text, checked_text
from domain.versions import require_version

NO_SUCH_RULE = "no such inhibition rule"
MAX_RULES = 200
MAX_NAME = 100
MAX_DESCRIPTION = 2_000
MAX_EQUAL = 20
_FIELDS = ("name", "description", "enabled", "source", "target", "equal")


class InhibitionRules(Protocol):
    """Inhibition rules, within one transaction."""

    async def add(self, rule: InhibitionRule) -> bool:
        """Write a new rule; False when there is one of this name."""
        ...

    async def locked(self, rule_id: UUID) -> InhibitionRule | None:
        """The rule, locked until the transaction ends; None for one that is archived."""
        ...

    async def save(self, rule: InhibitionRule) -> bool:
        """Write an edit; False when the name is taken."""
        ...

    async def count(self) -> int:
        """How many rules there are that are not archived."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What somebody may say of a rule."""

    name: str
    source: tuple[LabelMatcher, ...]
    target: tuple[LabelMatcher, ...]
    equal: tuple[str, ...] = ()
    description: str = ""
    enabled: bool = True


def checked(draft: Draft) -> Draft:
    """The draft with its texts tidied; InvalidInput names the first field that is wrong."""
    check_not_everything(draft.source, ("sourceMatchers",))
    check_not_everything(draft.target, ("targetMatchers",))
    if set(map(str, draft.source)) == set(map(str, draft.target)):
        message = "these are the same alerts as those that hold, and they do not hold each other: say what is held"
        raise InvalidInput(message, ("targetMatchers",))
    return replace(
        draft,
        name=checked_text(draft.name, path=("name",), limit=MAX_NAME),
        description=checked_optional_text(draft.description, path=("description",), limit=MAX_DESCRIPTION) or "",
        equal=_checked_equal(draft.equal),
    )


def _checked_equal(names: Sequence[str]) -> tuple[str, ...]:
    found = tuple(
        dict.fromkeys(
            checked_text(name, path=("equal", str(place)), limit=MAX_LABEL_NAME) for place, name in enumerate(names)
        )
    )
    if len(found) > MAX_EQUAL:
        message = f"at most {MAX_EQUAL} labels, not {len(found)}"
        raise InvalidInput(message, ("equal",))
    return found


async def create_rule(draft: Draft, *, bench: Bench[InhibitionRules]) -> InhibitionRule:
    """A new rule."""
    draft = checked(draft)
    if await bench.store.count() >= MAX_RULES:
        message = f"there are {MAX_RULES} inhibition rules: archive one first"
        raise InvalidInput(message)
    rule = InhibitionRule(
        id=new_id(), created_at=bench.now, updated_at=bench.now, **{name: getattr(draft, name) for name in _FIELDS}
    )
    if not await bench.store.add(rule):
        raise _taken()
    await bench.audit(target_id=rule.id, after=shown(rule))
    return rule


async def update_rule(
    rule_id: UUID, changes: dict[str, Any], *, expected_version: int | None, bench: Bench[InhibitionRules]
) -> InhibitionRule:
    """The rule after an edit."""
    before = await _rule(rule_id, bench)
    require_version("inhibition rule", actual=before.version, expected=expected_version)
    current = Draft(**{name: getattr(before, name) for name in _FIELDS})
    draft = checked(replace(current, **changes))
    after = replace(before, **{name: getattr(draft, name) for name in _FIELDS})
    if after == before:
        return before
    after = replace(after, version=before.version + 1, updated_at=bench.now)
    if not await bench.store.save(after):
        raise _taken()
    await bench.audit(target_id=after.id, before=shown(before), after=shown(after))
    return after


async def archive_rule(rule_id: UUID, *, bench: Bench[InhibitionRules]) -> InhibitionRule:
    """End a rule: what it holds is let go."""
    before = await _rule(rule_id, bench)
    after = replace(before, archived_at=bench.now, updated_at=bench.now, version=before.version + 1)
    await bench.store.save(after)
    await bench.audit(target_id=after.id, before=shown(before), after=shown(after))
    return after


def shown(rule: InhibitionRule) -> dict[str, Any]:
    """What the audit log keeps of a rule."""
    return {
        "name": rule.name,
        "description": rule.description,
        "enabled": rule.enabled,
        "sourceMatchers": ",".join(map(str, rule.source)),
        "targetMatchers": ",".join(map(str, rule.target)),
        "equal": list(rule.equal),
        "version": rule.version,
        "isArchived": rule.archived_at is not None,
    }


def _taken() -> AlreadyExists:
    return AlreadyExists("there is another inhibition rule of this name", ("name",))


async def _rule(rule_id: UUID, bench: Bench[InhibitionRules]) -> InhibitionRule:
    found = await bench.store.locked(rule_id)
    if found is None:
        raise NotFound(NO_SUCH_RULE, ("id",))
    return found
