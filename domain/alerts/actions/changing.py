"""How is an alert, or a hundred, changed? Lock and read, decide, write the changes and their audit rows, commit.

One path for one id and for many, so the bulk forms cost a handful of statements and not one an alert.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.alerts.actions.acting import Acting
from domain.alerts.change import Change, from_afar
from domain.alerts.edits import require_version
from domain.alerts.model import Alert
from domain.alerts.ports import UnitOfWork
from domain.errors import DomainError, InvalidInput, NotFound

MAX_BULK = 100

# What is done to one alert at one time: pure.
Step = Callable[[Alert, datetime], Change]
# What has to be looked up first, once for all the alerts; gives the step.
Plan = Callable[[UnitOfWork, Sequence[Alert]], Awaitable[Step]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one id: the alert as it now is, or why nothing was done to it."""

    id: UUID
    alert: Alert | None = None
    error: DomainError | None = None


def just(step: Step) -> Plan:
    """The plan of a step that needs nothing looked up."""

    async def plan(_work: UnitOfWork, _alerts: Sequence[Alert]) -> Step:
        return step

    return plan


async def change_alert(
    acting: Acting, alert_id: UUID, plan: Plan, *, action: str, expected_version: int | None = None
) -> Alert:
    """Change one alert and return it; raises the refusal when there is one."""
    (outcome,) = await _change(acting, [alert_id], plan, action=action, expected_version=expected_version)
    if outcome.error is not None:
        raise outcome.error
    if outcome.alert is None:  # pragma: no cover - an outcome has one or the other
        raise not_found()
    return outcome.alert


async def change_alerts(acting: Acting, ids: Sequence[UUID], plan: Plan, *, action: str) -> list[Outcome]:
    """Change many alerts in one transaction: an outcome for each id, in their order, each id once.

    A refusal of one does not keep the others from being changed.
    """
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        raise InvalidInput(message="name at least one alert", path=("ids",))
    if len(wanted) > MAX_BULK:
        raise too_many(len(wanted))
    return await _change(acting, wanted, plan, action=action)


async def _change(
    acting: Acting, ids: Sequence[UUID], plan: Plan, *, action: str, expected_version: int | None = None
) -> list[Outcome]:
    async with acting.open() as work:
        found = await work.alerts.get_for_change(ids, sight=acting.viewer.sight)
        step = await plan(work, list(found.values()))
        # After the locks: a change that waited for another one comes after it in time too.
        now = acting.clock.now()
        outcomes: list[Outcome] = []
        changes: list[Change] = []
        for alert_id in ids:
            try:
                change = _step(found.get(alert_id), step, now=now, expected_version=expected_version)
            except DomainError as refusal:
                outcomes.append(Outcome(alert_id, error=refusal))
            else:
                change = from_afar(change, acting.via)
                changes.append(change)
                outcomes.append(Outcome(alert_id, alert=change.after))
        await work.alerts.save(changes)
        await work.audit.append(*(acting.audit_change(action, change, occurred_at=now) for change in changes))
        await work.commit()
    return outcomes


def _step(alert: Alert | None, step: Step, *, now: datetime, expected_version: int | None) -> Change:
    if alert is None:
        raise not_found()
    require_version(alert, expected_version)
    return step(alert, now)


def too_many(number: int, field: str = "ids") -> InvalidInput:
    """The refusal for more alerts than are changed in one transaction."""
    return InvalidInput(message=f"name at most {MAX_BULK} alerts, not {number}", path=(field,))


def not_found() -> NotFound:
    """The refusal for an alert that is absent, or invisible: the two look the same."""
    return NotFound(message="no such alert", path=("id",))
