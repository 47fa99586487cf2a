"""Does a channel say what its template says, and does a template that fails cost no message? (N1)."""

from typing import Any

import orjson
import pytest

from domain.alerts.model import Severity
from domain.identity.model import Role
from jobs.channels import pagerduty
from tests.api import Api, Person
from tests.integration.channels.provider import Provider
from tests.integration.channels.work import Work, create, escalate_to, told

TEMPLATE = "template { id kind source version }"
SHOWN = "query($id: ID!) { channel(id: $id) { templateFailures templateProblem templates { kind source version } } }"
PREVIEW = "text problem { message line column }"


async def channel_of(api: Api, who: Person, channel_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await api.data(SHOWN, {"id": channel_id}, who=who))["channel"]
    return found


async def set_to(api: Api, who: Person, source: str | None, **more: object) -> dict[str, Any]:
    return await api.change("setMessageTemplate", {"kind": "PAGE", "source": source, **more}, TEMPLATE, who=who)


async def test_a_channels_own_template_wins_over_the_one_for_all(
    api: Api,
    manager: Person,
    work: Work,
    server: Provider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pagerduty, "URL", f"{server.url}/v2/enqueue")
    slack = await create(api, manager, "SLACK", url=f"{server.url}/slack")
    others = [
        await create(api, manager, "TEAMS", url=f"{server.url}/teams"),
        await create(api, manager, "PAGERDUTY", routingKey="R" * 32),
        await create(api, manager, "WEBHOOK", url=f"{server.url}/hook", secret="a-secret-of-sixteen"),
    ]
    made = await set_to(api, manager, "all: {{ alert.title }}")
    assert made["template"]["version"] == 1
    await set_to(api, manager, "*{{ alert.title }}* by {{ why }}", channelId=slack["id"])
    await escalate_to(api, manager, slack["id"], *(one["id"] for one in others))
    alert_id = await work.alert(title="Disk <full>")
    assert await work.tick() == 4
    bodies = {post.path: orjson.loads(post.body) for post in server.posts}
    (block,) = bodies["/slack"]["blocks"]
    assert block["text"]["text"].startswith("*Disk &lt;full&gt;* by ")
    (attachment,) = bodies["/teams"]["attachments"]
    assert [part["text"] for part in attachment["content"]["body"]] == ["all: Disk <full>"]
    assert bodies["/v2/enqueue"]["payload"]["summary"] == "all: Disk <full>"
    assert bodies["/hook"]["text"] == "all: Disk <full>"
    await work.move(alert_id, status="resolved")
    await work.tick()
    end = orjson.loads([post for post in server.posts if post.path == "/slack"][-1].body)
    assert ":white_check_mark:" in end["blocks"][0]["text"]["text"], "another kind of message has the built-in text"
    assert (await channel_of(api, manager, slack["id"]))["templateFailures"] == 0


async def test_a_template_that_fails_loses_no_page(
    api: Api,
    manager: Person,
    work: Work,
    server: Provider,
) -> None:
    made = await create(api, manager, "SLACK", url=f"{server.url}/slack")
    # Right for every alert that has a label `at`; this one's is no time.
    assert "template" in await set_to(api, manager, "x\n{{ alert.labels.at | date }}", channelId=made["id"])
    await escalate_to(api, manager, made["id"])
    alert_id = await work.alert(title="Disk full")
    await work.move(alert_id, labels={"at": "yesterday"})
    await work.move(await work.alert(title="Disk fine"), labels={"at": "2026-11-26T03:00:00+00:00"})
    assert await work.tick() == 1
    (post,) = server.posts
    texts = [block["text"]["text"] for block in orjson.loads(post.body)["blocks"]]
    assert "*CRITICAL: Disk full*" in texts[0]
    assert texts[1] == "x\n2026-11-26 03:00"
    (sent,) = await told(api, manager, alert_id)
    assert sent["state"] == "SENT"
    shown = await channel_of(api, manager, made["id"])
    assert shown["templateFailures"] == 1
    assert shown["templateProblem"].startswith("line 2: date: ")
    await set_to(api, manager, "{{ alert.title }}", channelId=made["id"], expectedVersion=1)
    shown = await channel_of(api, manager, made["id"])
    assert (shown["templateFailures"], shown["templateProblem"]) == (1, None)
    assert shown["templates"] == [{"kind": "PAGE", "source": "{{ alert.title }}", "version": 2}]


async def test_what_is_saved_is_checked_versioned_and_taken_back(api: Api, manager: Person, server: Provider) -> None:
    made = await create(api, manager, "SLACK", url=f"{server.url}/slack")
    wrong = await set_to(api, manager, "a\n{{ alert.titel }}", channelId=made["id"])
    assert (wrong["code"], wrong["path"]) == ("INVALID_INPUT", ["source"])
    assert wrong["message"].startswith("line 2, column 9: an alert has no titel")
    never = await set_to(api, manager, "{{ why }}", kind="SWAP_ASKED")
    assert (never["code"], never["path"]) == ("INVALID_INPUT", ["kind"])
    await set_to(api, manager, "{{ why }}", channelId=made["id"], expectedVersion=0)
    stale = await set_to(api, manager, "{{ kind }}", channelId=made["id"], expectedVersion=0)
    assert stale["code"] == "STALE_VERSION"
    gone = await set_to(api, manager, None, channelId=made["id"], expectedVersion=1)
    assert gone["template"] is None
    assert (await channel_of(api, manager, made["id"]))["templates"] == []
    assert (await set_to(api, manager, None, channelId=made["id"]))["code"] == "NOT_FOUND"


async def test_templates_are_for_who_manages_the_channel(api: Api, manager: Person) -> None:
    """Object and function level authorisation. API1:2023, API5:2023."""
    secret = await api.team("Secret", is_private=True)
    insider = await api.person(Role.MANAGER, teams=(secret,))
    values = [{"name": "url", "value": "https://hooks.slack.test/x"}]
    what = {"name": "Theirs", "kind": "SLACK", "values": values, "teamId": str(secret.id)}
    made = (await api.change("createChannel", what, "channel { id }", who=insider))["channel"]
    assert (await set_to(api, manager, "{{ why }}", channelId=made["id"]))["code"] == "NOT_FOUND"
    assert "template" in await set_to(api, insider, "{{ why }}", channelId=made["id"])
    operator = await api.person(Role.OPERATOR)
    assert (await set_to(api, operator, "{{ why }}"))["code"] == "FORBIDDEN"


async def test_a_template_is_tried_on_an_alert_or_a_sample(api: Api, manager: Person, work: Work) -> None:
    async def tried(source: str, who: Person = manager, **more: object) -> dict[str, Any]:
        return await api.change("previewTemplate", {"source": source, **more}, PREVIEW, who=who)

    assert (await tried("{{ heading }}: {{ alert.title }}"))["text"] == "CRITICAL: Checkout answers slowly"
    assert (await tried("{{ heading }}", kind="RESOLVED"))["text"] == "RESOLVED"
    wrong = await tried("a\nb {{ alert.nothing }}")
    assert wrong["text"] is None
    assert (wrong["problem"]["line"], wrong["problem"]["column"]) == (2, 11)
    alert_id = await work.alert(title="<b>", severity=Severity.LOW)
    assert (await tried("{{ alert.title }}", alertId=alert_id, channelKind="SLACK"))["text"] == "&lt;b&gt;"
    assert (await tried("{{ alert.title }}", alertId=alert_id))["text"] == "<b>"
    assert (await tried("{{ alert.title }}", alertId=alert_id, channelKind="SLACK_BOT"))["text"] == "&lt;b&gt;"
    team = await api.team("Hidden", is_private=True)
    await work.move(alert_id, team_id=team.id)
    assert (await tried("{{ alert.title }}", alertId=alert_id))["code"] == "NOT_FOUND"
