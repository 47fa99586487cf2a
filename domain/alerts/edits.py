"""What may a person do to an alert besides moving it? Assign, comment, snooze, wake, edit. Pure, as lifecycle.py is."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final
from uuid import UUID

from domain.alerts.change import Change, change, unchanged
from domain.alerts.decisions import silence_decision, team_decision
from domain.alerts.events import SYSTEM, Actor, AlertEventKind
from domain.alerts.lifecycle import allowed_statuses
from domain.alerts.model import (
    MAX_DESCRIPTION,
    MAX_LABEL_NAME,
    MAX_LABEL_VALUE,
    MAX_LABELS,
    MAX_SERVICE_NAME,
    MAX_TITLE,
    Alert,
    Severity,
)
from domain.errors import IllegalMove, InvalidInput, StaleVersion
from domain.silences.model import Silence
from domain.silences.standing import SilencesInForce
from domain.text import check_storable, checked_optional_text, checked_text

MAX_COMMENT = 10_000
RELEASED = "the person may no longer see the alert, or no longer sign in"
MAX_SNOOZE = timedelta(days=90)


class Unset(Enum):
    """The one value that means "not given", where None means "no value"."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPatch:
    """What a person edits; a field left out stays as it is."""

    title: str | Unset = UNSET
    description: str | Unset | None = UNSET
    severity: Severity | Unset = UNSET
    service_name: str | Unset | None = UNSET
    labels: Mapping[str, str] | Unset = UNSET
    is_false_positive: bool | Unset = UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class Holders:
    """What may hold an alert that moves. `teams_of_rules`: of each mark that is a team's alert rule, the team."""

    teams_of_rules: Mapping[UUID, UUID]
    silences: SilencesInForce
    private_teams: AbstractSet[UUID]

    def marks(self, alert: Alert) -> tuple[UUID, ...]:
        """The marks of the alert in the team that it has now."""
        whose = self.teams_of_rules
        kept = tuple([mark for mark in alert.suppressed_by if whose.get(mark, alert.team_id) == alert.team_id])
        return self.silences.marks(self.silences.holding(alert, self.private_teams), beside=kept)


# A source re-sends these with every repeat; once a person edited one, the source no longer overwrites it.
PINNABLE = frozenset({"title", "description", "severity", "service_name", "labels"})


def require_version(alert: Alert, expected: int | None) -> None:
    """StaleVersion unless the alert is still what the caller read. None means: whatever it is now."""
    if expected is not None and expected != alert.version:
        raise StaleVersion(
            message=f"the alert is at version {alert.version}, not {expected}: read it again",
            path=("expectedVersion",),
            expected=expected,
            actual=alert.version,
        )


def assign(alert: Alert, *, assignee: UUID | None, actor: Actor, now: datetime) -> Change:
    """Give it to somebody, or to nobody. Nothing changes when it is theirs already."""
    if alert.assigned_to == assignee:
        return unchanged(alert)
    return change(alert, AlertEventKind.ASSIGNED, actor=actor, now=now, updates={"assigned_to": assignee})


def release(alert: Alert, *, now: datetime) -> Change:
    """Take it from somebody who can do nothing for it any more: it is nobody's, and whoever looks sees that."""
    updates = {"assigned_to": None}
    return change(alert, AlertEventKind.ASSIGNED, actor=SYSTEM, now=now, data={"reason": RELEASED}, updates=updates)


def move(
    alert: Alert,
    *,
    team_id: UUID | None,
    assignee_sees: bool,
    actor: Actor,
    now: datetime,
    by_handover: bool = False,
    holders: Holders | None = None,
) -> Change:
    """Give it to another team, or to none. Nobody keeps what they would not see there.

    What holds it may depend on the team: where `holders` are given it is looked at anew. What another team's alert rule
    held it lets go of.
    """
    if alert.team_id == team_id:
        return unchanged(alert)
    updates: dict[str, Any] = {"team_id": team_id}
    if alert.assigned_to is not None and not assignee_sees:
        updates["assigned_to"] = None
    if not by_handover:
        updates["pinned"] = tuple(sorted({*alert.pinned, "team_id"}))
    reason = "the team took over from another" if by_handover else "a person moved it to the team"
    data = {} if team_id is None else {"decisions": [team_decision(team_id, reason).as_json()]}
    if holders is not None and alert.is_open:
        held = holders.marks(replace(alert, team_id=team_id))
        if held != alert.suppressed_by:
            updates["suppressed_by"] = held
    return change(alert, AlertEventKind.MOVED, actor=actor, now=now, data=data, updates=updates)


def comment(alert: Alert, *, text: str, actor: Actor, now: datetime) -> Change:
    """Write a note on the timeline."""
    body = checked_text(text, path=("text",), limit=MAX_COMMENT)
    return change(alert, AlertEventKind.COMMENTED, actor=actor, now=now, data={"comment": body})


def redact(alert: Alert, *, actor: Actor, now: datetime, forgets_resolution: bool = False) -> Change:
    """Say on the timeline that the words of an erased person were taken out of it, and not which those were."""
    told = change(alert, AlertEventKind.REDACTED, actor=actor, now=now)
    return replace(told, after=replace(told.after, resolution=None)) if forgets_resolution else told


def snooze(alert: Alert, *, until: datetime, actor: Actor, now: datetime) -> Change:
    """Leave it in peace until then; it stays open."""
    if not alert.is_open:
        raise IllegalMove(
            message="cannot snooze an alert that is resolved",
            current=alert.status.value,
            allowed=[status.value for status in allowed_statuses(alert.status)],
        )
    if until <= now:
        raise InvalidInput(message="must be in the future", path=("until",))
    if until > now + MAX_SNOOZE:
        raise InvalidInput(message=f"must be within {MAX_SNOOZE.days} days", path=("until",))
    if alert.snoozed_until == until:
        return unchanged(alert)
    return change(alert, AlertEventKind.SNOOZED, actor=actor, now=now, updates={"snoozed_until": until})


def wake(alert: Alert, *, actor: Actor, now: datetime) -> Change:
    """End the snooze: a person early, or the system when it is over. Nothing changes when it is awake."""
    if alert.snoozed_until is None:
        return unchanged(alert)
    return change(alert, AlertEventKind.WOKEN, actor=actor, now=now, updates={"snoozed_until": None})


def update(
    alert: Alert,
    *,
    patch: AlertPatch,
    actor: Actor,
    now: datetime,
    silences: Sequence[Silence] = (),
    private_teams: AbstractSet[UUID] = frozenset(),
) -> Change:
    """Edit what people read. Only what really differs is changed, told and pinned.

    Silences go by labels, and some by a condition over more: an alert that changes may come under one of `silences`,
    or out of it.
    """
    wanted = _checked(patch)
    updates = {name: value for name, value in wanted.items() if getattr(alert, name) != value}
    if not updates:
        return unchanged(alert)
    data: dict[str, Any] = {}
    standing = SilencesInForce(tuple(silence for silence in silences if silence.is_in_force(now)))
    if "labels" in updates or standing.have_conditions:
        holding = standing.holding(replace(alert, **updates), private_teams)
        updates["suppressed_by"] = standing.marks(holding, beside=alert.suppressed_by)
        data["decisions"] = [silence_decision(silence.id, silence.comment).as_json() for silence in holding]
    updates["pinned"] = tuple(sorted({*alert.pinned, *(PINNABLE & updates.keys())}))
    if "severity" in updates and alert.paused_until is not None:
        updates["paused_until"] = None  # the past that held it is of what it was taken for
    return change(alert, AlertEventKind.UPDATED, actor=actor, now=now, data=data, updates=updates)


def _checked(patch: AlertPatch) -> dict[str, Any]:
    given = {
        field.name: getattr(patch, field.name) for field in fields(patch) if getattr(patch, field.name) is not UNSET
    }
    if not given:
        raise InvalidInput(message="name at least one field to change")
    if "title" in given:
        given["title"] = checked_text(given["title"], path=("title",), limit=MAX_TITLE)
    if "description" in given:
        given["description"] = checked_optional_text(given["description"], path=("description",), limit=MAX_DESCRIPTION)
    if "service_name" in given:
        given["service_name"] = checked_optional_text(
            given["service_name"], path=("serviceName",), limit=MAX_SERVICE_NAME
        )
    if "labels" in given:
        given["labels"] = checked_labels(given["labels"])
    return given


def checked_labels(labels: Mapping[str, object]) -> dict[str, str]:
    """Labels as a person gave them: text to text, bounded, storable."""
    if len(labels) > MAX_LABELS:
        raise InvalidInput(message=f"must have at most {MAX_LABELS} labels, not {len(labels)}", path=("labels",))
    checked: dict[str, str] = {}
    for name, value in labels.items():
        if not isinstance(value, str):
            raise InvalidInput(message="a label's value must be text", path=("labels", name))
        if not name or len(name) > MAX_LABEL_NAME:
            raise InvalidInput(
                message=f"a label's name must have 1 to {MAX_LABEL_NAME} characters", path=("labels", name[:40])
            )
        if len(value) > MAX_LABEL_VALUE:
            raise InvalidInput(
                message=f"a label's value must have at most {MAX_LABEL_VALUE} characters", path=("labels", name)
            )
        check_storable(name, path=("labels",))
        check_storable(value, path=("labels", name))
        checked[name] = value
    return checked
