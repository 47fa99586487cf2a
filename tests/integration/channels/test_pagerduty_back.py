"""Does what happens in PagerDuty happen to the alert, once, only to its own, and does it not go round? (N4)."""

from datetime import timedelta
from uuid import UUID

import orjson
import pytest

from domain.identity.model import Role
from jobs.channels import pagerduty
from persistence.retention import INBOUND_CALLS
from persistence.routing_run import route
from tests.api import Person
from tests.integration.channels.provider import Provider
from tests.integration.channels.work import Work, create, escalate_to, told
from tests.pagerduty_double import SECRET, event, signed

MINUTE = timedelta(minutes=1)
SHOWN = """query($id: ID!) { alert(id: $id) { status
  timeline(first: 50) { nodes { kind via reason actor { __typename } } } } }"""


class There:
    """PagerDuty, with a channel that it calls back."""

    def __init__(self, work: Work, server: Provider, channel_id: str, manager: Person) -> None:
        self.work, self.server, self.channel_id, self.manager = work, server, channel_id, manager
        self.calls = 0

    async def says(self, kind: str, alert_id: str, **more: object) -> int:
        """A call with an id of its own; its status."""
        self.calls += 1
        at = self.work.api.clock.now()
        return await self.calls_with(event(kind, alert_id, **{"at": at, "event_id": f"01{self.calls}", **more}))  # type: ignore[arg-type]

    async def calls_with(self, body: bytes, *secrets: str, channel_id: str | None = None, **headers: str) -> int:
        """A call with this body, and what of it was told."""
        path = f"/pagerduty/webhooks/{channel_id or self.channel_id}"
        given = {**signed(body, *secrets), **headers}
        status = (await self.work.api.http.post(path, content=body, headers=given)).status_code
        self.work.now = max(self.work.now, self.work.api.clock.now())
        return status

    async def alert(self, **more: object) -> str:
        """One that PagerDuty was told of."""
        alert_id = await self.work.alert(**more)
        await self.work.tick()
        return alert_id

    async def status(self, alert_id: str) -> str:
        found = (await self.work.api.data(SHOWN, {"id": alert_id}, who=self.manager))["alert"]
        status: str = found["status"]
        return status

    @property
    def actions(self) -> list[str]:
        """What it was told."""
        return [orjson.loads(post.body)["event_action"] for post in self.server.posts]


@pytest.fixture
async def there(work: Work, server: Provider, manager: Person, monkeypatch: pytest.MonkeyPatch) -> There:
    monkeypatch.setattr(pagerduty, "URL", f"{server.url}/v2/enqueue")
    made = await create(work.api, manager, "PAGERDUTY", routingKey="R" * 32, webhookSecret=SECRET)
    await escalate_to(work.api, manager, made["id"])
    work.now = work.api.clock.now()
    return There(work, server, made["id"], manager)


async def test_an_alert_follows_its_incident_and_nothing_goes_round(there: There) -> None:
    alert_id = await there.alert()
    assert await there.says("incident.acknowledged", alert_id) == 200
    found = (await there.work.api.data(SHOWN, {"id": alert_id}, who=there.manager))["alert"]
    assert found["status"] == "ACKNOWLEDGED"
    (one,) = [one for one in found["timeline"]["nodes"] if one["kind"] == "ACKNOWLEDGED"]
    assert one == {
        "kind": "ACKNOWLEDGED",
        "via": "PAGERDUTY",
        "reason": "in PagerDuty's incident 2, by its user PLH1HKV",
        "actor": {"__typename": "SystemActor"},
    }
    await there.work.look(alert_id)
    await there.work.tick(MINUTE)
    assert there.actions == ["trigger"], "it is not told what it said"
    kept = {one["kind"]: one for one in await told(there.work.api, there.manager, alert_id)}
    assert (kept["ACKNOWLEDGED"]["state"], kept["ACKNOWLEDGED"]["problem"]) == (
        "DROPPED",
        "it came from PagerDuty itself",
    )
    assert await there.says("incident.unacknowledged", alert_id) == 200
    assert await there.status(alert_id) == "ACTIVE"
    assert await there.says("incident.resolved", alert_id) == 200
    assert await there.status(alert_id) == "RESOLVED"
    await there.work.look(alert_id)
    await there.work.tick(MINUTE)
    assert there.actions == ["trigger"]
    assert await there.says("incident.reopened", alert_id) == 200
    assert await there.status(alert_id) == "ACTIVE"


async def test_an_incident_of_a_group_is_all_of_the_group(there: There) -> None:
    api, manager = there.work.api, there.manager
    rule = {"name": "by cluster", "strategy": "LABELS", "labels": ["cluster"]}
    await api.change("createGroupRule", rule, "groupRule { id }", who=manager)
    ids = []
    for number in range(3):
        slow = {"title": f"Slow {number}", "severity": "HIGH", "labels": {"cluster": "eu"}}
        ids.append((await api.change("createAlert", slow, "alert { id }", who=manager))["alert"]["id"])
    for one in ids:
        await there.work.look(one)
    await there.work.tick()
    assert there.actions == ["trigger"]
    known_by = orjson.loads(there.server.posts[0].body)["dedup_key"].partition(":")[2]
    assert known_by == f"group:{ids[0]}"
    for kind, status in (
        ("acknowledged", "ACKNOWLEDGED"),
        ("unacknowledged", "ACTIVE"),
        ("acknowledged", "ACKNOWLEDGED"),
        ("resolved", "RESOLVED"),
    ):
        assert await there.says(f"incident.{kind}", known_by) == 200
        assert [await there.status(one) for one in ids] == [status] * 3
        for one in ids:
            await there.work.look(one)
        await there.work.tick(MINUTE)
    assert "resolve" not in there.actions, "it is not told what it said"


async def test_who_was_told_of_one_alert_alone_does_not_answer_its_group(there: There) -> None:
    """API1:2023, ASVS 5 V8.2.2: a channel of a rule's answers no alert that it was never told of."""
    api, manager, work = there.work.api, there.manager, there.work
    rule = {"name": "by cluster", "strategy": "LABELS", "labels": ["cluster"]}
    await api.change("createGroupRule", rule, "groupRule { id }", who=manager)
    values = [{"name": "routingKey", "value": "S" * 32}, {"name": "webhookSecret", "value": SECRET}]
    what = {"name": "Another", "kind": "PAGERDUTY", "values": values}
    other = (await api.change("createChannel", what, "channel { id }", who=manager))["channel"]["id"]
    routing = {
        "name": "Of one",
        "condition": 'alert.title == "Slow 0"',
        "targets": [{"kind": "CHANNEL", "id": other}],
    }
    made = await api.change("createRoutingRule", routing, "rule { id }", who=manager)
    assert made["__typename"] == "CreateRoutingRuleSuccess", made
    ids = []
    for number in range(3):
        slow = {"title": f"Slow {number}", "severity": "HIGH", "labels": {"cluster": "eu"}}
        ids.append((await api.change("createAlert", slow, "alert { id }", who=manager))["alert"]["id"])
    for one in ids:
        await work.look(one)
    async with work.engine.begin() as connection:
        assert await route(connection, [UUID(one) for one in ids], worsened=set(), now=work.now) == 1
    await work.tick()
    assert there.actions == ["trigger", "trigger"]
    (key,) = {key for post in there.server.posts if (key := orjson.loads(post.body)["dedup_key"]).count(":") > 2}
    for other_key in (ids[0], f"group:{ids[0]}"):
        body = event("incident.resolved", other_key, at=api.clock.now(), event_id=other_key)
        assert await there.calls_with(body, channel_id=other) == 200
        assert {await there.status(one) for one in ids} == {"ACTIVE"}, "it was told of no such incident"
    body = event("incident.resolved", key.removeprefix("tocsin:"), at=api.clock.now())
    assert await there.calls_with(body, channel_id=other) == 200
    assert [await there.status(one) for one in ids] == ["RESOLVED", "ACTIVE", "ACTIVE"]


async def test_a_call_that_is_older_than_what_is_kept_of_calls_changes_nothing(there: There) -> None:
    """API2:2023: a signature of PagerDuty's has no time in it; a recorded call is good for a week at most."""
    alert_id = await there.alert()
    body = event("incident.acknowledged", alert_id, at=there.work.api.clock.now())
    there.work.api.clock.ahead = INBOUND_CALLS + MINUTE
    assert await there.calls_with(body) == 200
    assert await there.status(alert_id) == "ACTIVE"


async def test_what_was_let_go_there_can_be_taken_here(there: There) -> None:
    alert_id = await there.alert()
    await there.says("incident.acknowledged", alert_id)
    await there.says("incident.unacknowledged", alert_id)
    await there.work.api.change("acknowledgeAlert", {"id": alert_id}, "alert { id }", who=there.manager)
    await there.work.look(alert_id)
    await there.work.tick(MINUTE)
    assert there.actions[-1] == "acknowledge"


async def test_other_channels_hear_of_it(there: There) -> None:
    """Of what happened in PagerDuty everybody else is told as of anything."""
    hook = await create(there.work.api, there.manager, "WEBHOOK", url=f"{there.server.url}/hook", secret="s" * 16)
    policy = {
        "name": "Also",
        "steps": [{"delay": "PT0S", "targets": [{"kind": "CHANNEL", "id": hook["id"]}]}],
    }
    await there.work.api.change("createEscalationPolicy", policy, "policy { id }", who=there.manager)
    there.work.now = there.work.api.clock.now()
    alert_id = await there.alert()
    await there.says("incident.resolved", alert_id)
    await there.work.look(alert_id)
    await there.work.tick(MINUTE)
    kinds = [orjson.loads(post.body)["kind"] for post in there.server.posts if post.path == "/hook"]
    assert kinds == ["page", "resolved"]


async def test_an_event_counts_once(there: There) -> None:
    """The same call again, later and from elsewhere. API2:2023."""
    alert_id = await there.alert()
    body = event("incident.acknowledged", alert_id, at=there.work.api.clock.now())
    assert await there.calls_with(body) == 200
    await there.says("incident.unacknowledged", alert_id)
    assert await there.calls_with(body) == 200
    assert await there.status(alert_id) == "ACTIVE", "what was said before counts no more"


async def test_only_what_is_signed_with_the_channels_secret_counts(there: There) -> None:
    """Spoofed calls. API2:2023, ASVS 5 V4.1.5."""
    alert_id = await there.alert()
    body = event("incident.acknowledged", alert_id, at=there.work.api.clock.now())
    for secrets, headers in (
        (("another",), {}),
        ((), {"x-pagerduty-signature": ""}),
        ((), {"x-pagerduty-signature": "v1="}),
        ((), {"x-pagerduty-signature": signed(b"another body")["x-pagerduty-signature"]}),
        ((), {"x-pagerduty-signature": signed(body)["x-pagerduty-signature"].replace("v1=", "v0=")}),
        ((), {"x-pagerduty-signature": ",".join(["v1=" + "0" * 64] * 20)}),
    ):
        assert await there.calls_with(body, *secrets, **headers) == 403
    assert await there.calls_with(body, channel_id="nothing") == 403
    assert await there.calls_with(body, channel_id="0197c7a0-0000-7000-8000-000000000000") == 403
    assert await there.calls_with(b"x" * 300_000) == 403, "nor what is larger than any call"
    assert await there.status(alert_id) == "ACTIVE"
    assert await there.calls_with(body, "the secret that comes next", SECRET) == 200, "while it is replaced"
    assert await there.status(alert_id) == "ACKNOWLEDGED"


async def test_a_channel_answers_for_what_it_was_told_alone(there: There) -> None:
    """Another team's alert by its id, signed with a secret of one's own. API1:2023, ASVS 5 V8.2.2."""
    secret = await there.work.api.team("Secret", is_private=True)
    hidden = await there.work.alert(team_id=secret.id)
    await there.work.tick()
    assert await there.says("incident.resolved", hidden) == 200
    stored = await there.work.database.fetchval("SELECT status::text FROM alerts WHERE id = $1::uuid", hidden)
    assert stored == "active"


async def test_a_late_call_is_not_about_what_began_anew(there: There) -> None:
    alert_id = await there.alert()
    before = there.work.api.clock.now()
    await there.says("incident.resolved", alert_id)
    await there.work.look(alert_id)
    there.work.api.clock.ahead += timedelta(hours=1)
    await there.work.api.change("reopenAlert", {"id": alert_id}, "alert { id }", who=there.manager)
    assert await there.says("incident.resolved", alert_id, at=there.work.api.clock.now()) == 200
    assert await there.status(alert_id) == "ACTIVE", "of this episode it was not told yet"
    there.work.now = there.work.api.clock.now()
    await there.work.look(alert_id)
    await there.work.tick()
    assert there.actions == ["trigger", "trigger"]
    assert await there.says("incident.resolved", alert_id, at=before) == 200
    assert await there.status(alert_id) == "ACTIVE", "it happened before"
    assert await there.says("incident.resolved", alert_id) == 200
    assert await there.status(alert_id) == "RESOLVED"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b'{"event": null}',
        b'{"event": {"id": 7, "event_type": ["incident.resolved"], "data": "x"}}',
        b'{"event": {"id": "1", "event_type": "pagey.ping", "data": {"message": "Hello from your friend Pagey!"}}}',
        b'{"event": {"id": "1", "event_type": "incident.resolved", "data": {"incident_key": "another tool\'s"}}}',
        b'{"event": {"id": "1", "event_type": "incident.resolved", "data": {"incident_key": "tocsin:1 OR 1=1"}}}',
        b"[" * 100_000,
    ],
    ids=["empty", "list", "null", "cut", "no event", "wrong types", "ping", "of another", "no id", "deep"],
)
async def test_what_is_none_of_ours_changes_nothing(there: There, body: bytes) -> None:
    """Signed or not, a body is not trusted to be what it should. ASVS 5 V2.2.1."""
    alert_id = await there.alert()
    assert await there.calls_with(body) == 200
    assert await there.status(alert_id) == "ACTIVE"


async def test_our_own_doing_does_not_come_back(there: There) -> None:
    """PagerDuty tells of what we told it, too: by the integration, not by a person."""
    alert_id = await there.alert()
    agent = {"id": "PXYZ", "type": "events_api_v2_inbound_integration_reference", "summary": "Tocsin"}
    assert await there.says("incident.resolved", alert_id, agent=agent) == 200
    assert await there.status(alert_id) == "ACTIVE"


async def test_words_of_a_call_do_not_reach_the_record_unchecked(there: There) -> None:
    """What a call says of who did it is an id or nothing. ASVS 5 V1.2.1."""
    alert_id = await there.alert()
    agent = {"id": "<b>Eve</b>\r\n", "type": "user_reference"}
    assert await there.says("incident.acknowledged", alert_id, agent=agent, number="2'; --") == 200
    found = (await there.work.api.data(SHOWN, {"id": alert_id}, who=there.manager))["alert"]
    assert [one["reason"] for one in found["timeline"]["nodes"] if one["via"]] == ["in PagerDuty"]


async def test_a_channel_without_the_secret_or_that_ended_listens_to_nobody(there: There, manager: Person) -> None:
    """An address that is known is no way in. API2:2023."""
    alert_id = await there.alert()
    body = event("incident.resolved", alert_id, at=there.work.api.clock.now())
    silent = await create(there.work.api, await there.work.api.person(Role.ADMIN), "TEAMS", url="https://example.com/")
    assert await there.calls_with(body, channel_id=silent["id"]) == 403
    await there.work.api.change("archiveChannel", {"id": there.channel_id}, "channel { id }", who=manager)
    assert await there.calls_with(body) == 403
    assert await there.status(alert_id) == "ACTIVE"
