"""Do Slack and a person's own webhook follow rules, quiet hours, rehearsal and the look ahead as other ways do? (N5).

Over the doubles of both, with the API and the jobs.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from domain.alerts.model import Severity
from domain.identity.model import Role
from jobs.texts import send_texts
from tests.api import Person
from tests.certificates import make_certificate
from tests.integration.channels.provider import Provider, provider
from tests.integration.contacts.slack_night import SlackNight, slack_night
from tests.served_door import Certificate
from tests.slack_double import SlackDouble, slack_double

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SIMULATE = """query($severity: Severity!, $at: DateTime!) { simulateRouting(severity: $severity, at: $at) {
  reached { messages { contactKind at held because } } } }"""
WORST = "{ escalationCoverage { worst worstSeverity mailOnly { id } quiet { id } unreached { startsAt } } }"
TOLD = """query($id: ID!) { alert(id: $id) { notifications {
  kind state contactKind heldReason heldUntil problem } } }"""


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Certificate:
    made = make_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.authority))
    return made


@pytest.fixture
async def slack(certificate: Certificate) -> AsyncIterator[SlackDouble]:
    async with slack_double(certificate) as double:
        yield double


@pytest.fixture
async def server(certificate: Certificate) -> AsyncIterator[Provider]:
    async with provider(certificate) as started:
        yield started


@pytest.fixture
async def night(
    application_url: str, tmp_path: Path, slack: SlackDouble, server: Provider
) -> AsyncIterator[SlackNight]:
    allowed = {"outbound_allowed_networks": "127.0.0.0/8"}
    async with slack_night(application_url, tmp_path, slack, **allowed) as opened:
        assert server.port
        yield opened


@pytest.fixture
async def ann(night: SlackNight) -> Person:
    return await night.api.person(Role.OPERATOR, email="ann@example.com")


async def with_webhook(night: SlackNight, server: Provider, who: Person) -> str:
    """A webhook of theirs, proved by the code that was posted there."""
    what = {"kind": "WEBHOOK", "address": f"{server.url}/mine"}
    made = (await night.api.change("addContactMethod", what, "contactMethod { id }", who=who))["contactMethod"]
    await send_texts(night.engine, night.api.settings, night.api.clock.now())
    proof = {"id": made["id"], "code": orjson.loads(server.posts.pop().body)["code"]}
    done = await night.api.change("verifyContactMethod", proof, "contactMethod { isUsable }", who=who)
    assert done["contactMethod"]["isUsable"]
    night.now = night.api.clock.now()
    method_id: str = made["id"]
    return method_id


async def with_rule(night: SlackNight, who: Person, *steps: tuple[str, int]) -> None:
    rule = {
        "severities": ["HIGH", "LOW"],
        "steps": [{"contactMethodId": method_id, "delay": f"PT{minutes}M"} for method_id, minutes in steps],
    }
    done = await night.api.change("setNotificationRules", {"rules": [rule]}, "preferences { version }", who=who)
    assert done["__typename"] == "SetNotificationRulesSuccess", done


async def quiet_around(night: SlackNight, who: Person, moment: datetime) -> datetime:
    """Quiet hours that hold what is below HIGH now; when they end."""
    starts, ends = moment - HOUR, (moment + HOUR).replace(second=0, microsecond=0)
    quiet = {"starts": f"{starts:%H:%M}", "ends": f"{ends:%H:%M}", "zone": "UTC", "floor": "HIGH"}
    done = await night.api.change("setQuietHours", {"quietHours": quiet}, "preferences { version }", who=who)
    assert done["__typename"] == "SetQuietHoursSuccess", done
    return ends


async def told(night: SlackNight, alert_id: str, who: Person) -> dict[str, dict[str, Any]]:
    """What was told of the alert, by the way it took."""
    found = (await night.api.data(TOLD, {"id": alert_id}, who=who))["alert"]["notifications"]
    return {one["contactKind"]: one for one in found if one["kind"] == "PAGE"}


async def test_the_steps_of_a_rule_go_by_slack_and_then_to_the_webhook(
    night: SlackNight, slack: SlackDouble, server: Provider, ann: Person
) -> None:
    member, hook = await night.linked(ann), await with_webhook(night, server, ann)
    await with_rule(night, ann, (member, 0), (hook, 10))
    await night.escalates_to(("USER", ann.id))
    at = {"severity": "HIGH", "at": "2030-01-07T12:00:00Z"}
    (step,) = (await night.api.data(SIMULATE, at, who=ann))["simulateRouting"]
    (reached,) = step["reached"]
    assert [(one["contactKind"], one["at"], one["held"]) for one in reached["messages"]] == [
        ("SLACK", "2030-01-07T12:00:00Z", None), ("WEBHOOK", "2030-01-07T12:10:00Z", None),
    ]  # fmt: skip

    slack.messages.clear()
    server.posts.clear()
    alert_id = await night.alert(severity=Severity.HIGH)
    await night.tick()
    assert (len(slack.messages), len(server.posts)) == (1, 0)
    await night.tick(10 * MINUTE)
    assert [orjson.loads(post.body)["notifications"][0]["kind"] for post in server.posts] == ["page"]
    found = await told(night, alert_id, ann)
    assert {kind: one["state"] for kind, one in found.items()} == {"SLACK": "SENT", "WEBHOOK": "SENT"}


async def test_quiet_hours_hold_both_and_each_comes_as_one_digest(
    night: SlackNight, slack: SlackDouble, server: Provider, ann: Person
) -> None:
    member, hook = await night.linked(ann), await with_webhook(night, server, ann)
    await with_rule(night, ann, (member, 0), (hook, 0))
    await night.escalates_to(("USER", ann.id))
    ends = await quiet_around(night, ann, night.now)
    (step,) = (await night.api.data(SIMULATE, {"severity": "LOW", "at": night.now.isoformat()}, who=ann))[
        "simulateRouting"
    ]
    messages = step["reached"][0]["messages"]
    assert {(one["contactKind"], one["held"] is not None) for one in messages} == {("SLACK", True), ("WEBHOOK", True)}
    assert {datetime.fromisoformat(one["at"]) for one in messages} == {ends}

    slack.messages.clear()
    server.posts.clear()
    low = [await night.alert(severity=Severity.LOW, title=f"Disk {number}") for number in (1, 2)]
    high = await night.alert(severity=Severity.HIGH, title="Payments down")
    await night.tick()
    assert (len(slack.messages), len(server.posts)) == (1, 1), "what is at the floor comes at once"
    assert "Payments down" in slack.messages[0].text
    held = await told(night, low[0], ann)
    assert {kind: one["state"] for kind, one in held.items()} == {"SLACK": "HELD", "WEBHOOK": "HELD"}
    assert all("quiet hours" in one["heldReason"] for one in held.values())
    assert {one["state"] for one in (await told(night, high, ann)).values()} == {"SENT"}
    await night.tick(ends - night.now)
    assert (len(slack.messages), len(server.posts)) == (2, 2), "one digest by each"
    assert len(orjson.loads(server.posts[-1].body)["notifications"]) == 2
    after = [await told(night, one, ann) for one in low]
    assert {way["state"] for one in after for way in one.values()} == {"SENT"}
    assert all(way["heldReason"] for one in after for way in one.values()), "the reason stays when it has left"


async def test_the_look_ahead_counts_them_as_ways(night: SlackNight, server: Provider, ann: Person) -> None:
    await night.escalates_to(("USER", ann.id))
    assert (await night.api.data(WORST, who=ann))["escalationCoverage"][0]["worst"] is None
    member, hook = await night.linked(ann), await with_webhook(night, server, ann)
    steps = [{"contactMethodId": member, "delay": "PT3M"}, {"contactMethodId": hook, "delay": "PT5M"}]
    rule = {"severities": ["CRITICAL", "HIGH", "MEDIUM", "LOW"], "steps": steps}
    await night.api.change("setNotificationRules", {"rules": [rule]}, "preferences { version }", who=ann)
    (found,) = (await night.api.data(WORST, who=ann))["escalationCoverage"]
    assert (found["worst"], found["unreached"], found["mailOnly"], found["quiet"]) == ("PT3M", [], [], [])
    noon = datetime(2030, 1, 7, 12, tzinfo=UTC)
    await quiet_around(night, ann, noon)
    (found,) = (await night.api.data(WORST, who=ann))["escalationCoverage"]
    assert (found["worst"], found["worstSeverity"], found["quiet"]) == ("PT2H3M", "MEDIUM", [{"id": str(ann.id)}])
    gone = await night.api.change("removeContactMethod", {"id": member}, "contactMethodId", who=ann)
    assert gone["__typename"] == "RemoveContactMethodSuccess"
    (found,) = (await night.api.data(WORST, who=ann))["escalationCoverage"]
    assert found["worst"] == "PT2H5M", "the webhook alone is left, two minutes later"
