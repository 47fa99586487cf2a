"""What do the tests of channels share? The jobs, run by hand, and channels that a policy tells."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from domain.alerts.model import Severity
from jobs.channels.sending import send_to_channels
from jobs.paging import page
from tests.api import Api, Person
from tests.jobs_by_hand import JobsByHand

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
CHANNEL = "channel { id version problem values { name value } }"
TOLD = (
    """query($id: ID!) { alert(id: $id) { notifications { kind state attempts problem answer channel { name } } } }"""
)


class Work(JobsByHand):
    """The jobs of escalations and channels."""

    usual: ClassVar[Mapping[str, Any]] = {"severity": Severity.CRITICAL}

    async def tick(self, later: timedelta = timedelta(0)) -> int:
        self.now += later
        await page(self.engine, self.api.settings, self.now)
        return await send_to_channels(self.engine, self.api.settings, self.now)


async def create(api: Api, who: Person, kind: str, **values: str) -> dict[str, Any]:
    given = [{"name": name, "value": value} for name, value in values.items()]
    what = {"name": f"The {kind.lower()}", "kind": kind, "values": given}
    answer = await api.change("createChannel", what, CHANNEL, who=who)
    assert answer["__typename"] == "CreateChannelSuccess", answer
    made: dict[str, Any] = answer["channel"]
    return made


async def escalate_to(api: Api, who: Person, *channel_ids: str) -> None:
    targets = [{"kind": "CHANNEL", "id": one} for one in channel_ids]
    what = {"name": "To channels", "steps": [{"delay": "PT0S", "targets": targets}]}
    answer = await api.change("createEscalationPolicy", what, "policy { id }", who=who)
    assert answer["__typename"] == "CreateEscalationPolicySuccess", answer


async def told(api: Api, who: Person, alert_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await api.data(TOLD, {"id": alert_id}, who=who))["alert"]["notifications"]
    return found
