"""What follows from alerts, step by step: the relay looks at them, time passes, mail is taken as a sender would."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from domain.alerts.model import Severity
from jobs.paging import page
from persistence.flapping_notices import tell_of_flapping
from tests.api import Api, Person
from tests.jobs_by_hand import JobsByHand

MINUTE = timedelta(minutes=1)
TOLD = """query($id: ID!) { alert(id: $id) {
  escalations { state position nextAt reason policy { name } }
  notifications { kind state why problem user { id } } } }"""
LINK = re.compile(r"https?://[^/\s]+(/answer\?token=\S+)")


class Night(JobsByHand):
    """The jobs of escalations and of flapping."""

    usual: ClassVar[Mapping[str, Any]] = {"severity": Severity.CRITICAL}
    texts: list[str]

    async def look(self, *alert_ids: UUID | str) -> None:
        """The relay gives the alert to the escalations."""
        await super().look(*alert_ids)
        async with self.engine.begin() as connection:
            await tell_of_flapping(connection, [UUID(str(one)) for one in alert_ids], now=self.now)

    async def tick(self, later: timedelta = timedelta(0)) -> list[str]:
        """Time passes and the due work is done; whom mail went to, with its subject."""
        self.now += later
        await page(self.engine, self.api.settings, self.now)
        return [f"{mail.to} {mail.subject}" for mail in await self.mails()]

    async def mails(self) -> list[Any]:
        """What was written since, taken out as a sender would, and marked as sent."""
        claimed = await self.taken_mail()
        self.texts = [one.mail.text for one in claimed]
        return [one.mail for one in claimed]


def step(minutes: int, *targets: tuple[str, object]) -> dict[str, Any]:
    """A step of a policy: so long after the one before, these are told."""
    return {"delay": f"PT{minutes}M", "targets": [{"kind": kind, "id": str(one)} for kind, one in targets]}


async def policy(api: Api, who: Person, *steps: dict[str, Any], **more: object) -> dict[str, Any]:
    """A new policy."""
    what = {"name": "Wake somebody", "steps": list(steps), **more}
    answer = await api.change("createEscalationPolicy", what, "policy { id version }", who=who)
    assert answer["__typename"] == "CreateEscalationPolicySuccess", answer
    made: dict[str, Any] = answer["policy"]
    return made


async def told(api: Api, who: Person, alert_id: str) -> dict[str, Any]:
    """Where the escalations of an alert are, and who was told."""
    found: dict[str, Any] = (await api.data(TOLD, {"id": alert_id}, who=who))["alert"]
    return found
