"""What follows from alerts, step by step: the relay looks at them, time passes, mail is taken as a sender would."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from domain.alerts.model import Severity
from jobs.paging import page
from persistence.released import release_held
from persistence.routing_run import route
from tests.alert_rows import put_group
from tests.api import Api, Person
from tests.jobs_by_hand import JobsByHand
from tests.log_writer import insert_alert

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
TOLD = """query($id: ID!) { alert(id: $id) { notifications {
  kind state why problem heldReason heldUntil routingRuleVersion routingRule { name } user { id }
  channel { id } } } }"""
DECIDED = "query($id: ID!) { alert(id: $id) { decisions { ... on RoutingDecision { event reached note } } } }"


class Night(JobsByHand):
    """The jobs of escalations and of routing rules."""

    async def look(self, *alert_ids: UUID | str, worsened: bool = False) -> None:
        """The relay gives the alerts to escalations and rules, as jobs/consumers/escalations.py does."""
        ids = [UUID(str(one)) for one in alert_ids]
        raised = set(ids) if worsened else set()
        await super().look(*alert_ids)
        async with self.engine.begin() as connection:
            await route(connection, ids, worsened=raised, now=self.now)
            await release_held(connection, raised, now=self.now)

    async def move(self, alert_id: str, *, worsened: bool = False, **values: object) -> None:  # type: ignore[override] # no column
        """The alert changes, and the relay tells."""
        await self.change(alert_id, **values)
        await self.look(alert_id, worsened=worsened)

    async def tick(self, later: timedelta = timedelta(0)) -> list[str]:
        """Time passes and the due work is done; whom mail went to, with its subject."""
        self.now += later
        await page(self.engine, self.api.settings, self.now)
        return [f"{one.mail.to} {one.mail.subject}" for one in await self.taken_mail()]

    async def told(self, alert_id: str, who: Person) -> list[dict[str, Any]]:
        """The notifications about the alert."""
        found: list[dict[str, Any]] = (await self.api.data(TOLD, {"id": alert_id}, who=who))["alert"]["notifications"]
        return found


async def rule(api: Api, who: Person, *targets: tuple[str, object], **more: object) -> dict[str, Any]:
    """A routing rule of this person's making."""
    named = [{"kind": kind, "id": str(one)} for kind, one in targets]
    what = {"name": "Tell them", "condition": "true", "targets": named, **more}
    answer = await api.change("createRoutingRule", what, "rule { id version position }", who=who)
    assert answer["__typename"] == "CreateRoutingRuleSuccess", answer
    made: dict[str, Any] = answer["rule"]
    return made


async def a_group(night: Night, title: str = "Database 7") -> UUID:
    """A group without alerts."""
    async with night.engine.begin() as connection:
        return await put_group(connection, title=title, grouped_by="labels")


async def member(night: Night, group_id: UUID, severity: Severity = Severity.HIGH, **more: Any) -> str:  # noqa: ANN401 - of any field
    """A new alert of the group, and what follows from it."""
    alert_id = str(await insert_alert(night.database, **{"severity": severity, "title": "slow query", **more}))
    await night.move(alert_id, group_id=group_id)
    return alert_id


async def answered(night: Night, *alert_ids: str) -> None:
    """Somebody acknowledges the alerts."""
    for one in alert_ids:
        await night.move(one, status="acknowledged", acknowledged_at=datetime.now(tz=UTC))
