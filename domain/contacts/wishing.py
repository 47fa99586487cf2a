"""How does a person say how they want to be told? Rules that name their own methods, quiet hours of their own zone."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from domain.alerts.model import Severity
from domain.contacts.actions import ContactDesk
from domain.contacts.planning import MAX_DELAY, MAX_RULES, MAX_STEPS, PersonalRule, Preferences, QuietHours
from domain.errors import InvalidInput
from domain.schedules.clock import zone
from domain.versions import require_version

WHAT = "set of preferences"


class Wishing(Protocol):
    """Where preferences are kept, within one transaction."""

    async def preferences(self, user_id: UUID) -> Preferences:
        """The person's, as they are now."""
        ...

    async def save_preferences(self, user_id: UUID, preferences: Preferences, *, now: datetime) -> None:
        """Write them."""
        ...


async def set_rules(
    rules: Sequence[PersonalRule], *, expected_version: int | None, desk: ContactDesk, store: Wishing
) -> Preferences:
    """The person's rules, in place of those of before."""
    own = {method.id for method in await desk.stores.locked(desk.user_id)} | {desk.user_id}
    checked_rules(rules, own=own)
    before = await store.preferences(desk.user_id)
    return await _save(
        replace(before, rules=tuple(rules)), before, expected_version=expected_version, desk=desk, store=store
    )


async def set_quiet_hours(
    quiet: QuietHours | None, *, expected_version: int | None, desk: ContactDesk, store: Wishing
) -> Preferences:
    """The person's quiet hours; None for none."""
    await desk.stores.locked(desk.user_id)
    checked_quiet_hours(quiet)
    before = await store.preferences(desk.user_id)
    return await _save(
        replace(before, quiet_hours=quiet), before, expected_version=expected_version, desk=desk, store=store
    )


def checked_quiet_hours(quiet: QuietHours | None) -> None:
    """InvalidInput when they have no such zone, or no length."""
    if quiet is None:
        return
    zone(quiet.zone, "quietHours", "zone")
    if quiet.starts == quiet.ends:
        message = "quiet hours end at another time than they begin"
        raise InvalidInput(message, ("quietHours", "ends"))


async def _save(
    edited: Preferences, before: Preferences, *, expected_version: int | None, desk: ContactDesk, store: Wishing
) -> Preferences:
    require_version(WHAT, actual=before.version, expected=expected_version)
    if edited == before:
        return before
    after = replace(edited, version=before.version + 1)
    await store.save_preferences(desk.user_id, after, now=desk.now)
    changed = "rules" if after.rules != before.rules else "quietHours"
    await desk.audit(target_id=desk.user_id, after={"changed": [changed], "version": after.version})
    return after


def checked_rules(rules: Sequence[PersonalRule], *, own: set[UUID]) -> None:
    """InvalidInput when a rule can never count, or names what is not the person's."""
    if len(rules) > MAX_RULES:
        message = f"a person has at most {MAX_RULES} rules"
        raise InvalidInput(message, ("rules",))
    named = frozenset[Severity]()
    for number, rule in enumerate(rules):
        path = ("rules", str(number))
        if not rule.severities or rule.severities <= named:
            message = "each rule names a severity that none before it names"
            raise InvalidInput(message, (*path, "severities"))
        named |= rule.severities
        if not 1 <= len(rule.steps) <= MAX_STEPS:
            message = f"a rule has 1 to {MAX_STEPS} steps"
            raise InvalidInput(message, (*path, "steps"))
        for place, step in enumerate(rule.steps):
            if step.method_id not in own:
                message = "no such contact method of yours"
                raise InvalidInput(message, (*path, "steps", str(place), "contactMethodId"))
            if not timedelta(0) <= step.delay <= MAX_DELAY:
                message = f"a step comes at most {MAX_DELAY.total_seconds() / 3600:g} hours after the page"
                raise InvalidInput(message, (*path, "steps", str(place), "delay"))
