"""Is a webhook's body what somebody selected, checked when saved, with the team's sight, and signed as before? (N1)."""

import hashlib
import hmac
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import orjson
import pytest

from domain.channels.templates import TemplateFails
from domain.identity.model import Role
from graphql_api.channels.selecting import Selecting
from jobs.channels import selecting
from tests.api import Api, Person
from tests.integration.channels.provider import Post, Provider
from tests.integration.channels.work import CHANNEL, HOUR, Work, escalate_to, told

SECRET = "a-secret-of-sixteen"
SHOWN = "query($id: ID!) { channel(id: $id) { templateFailures templateProblem } }"


@pytest.fixture(autouse=True)
def _provided() -> Iterator[None]:
    """As the command that starts a worker does."""
    selecting.provide(Selecting)
    yield
    selecting._provided.clear()  # noqa: SLF001 - as it was
    selecting._made.clear()  # noqa: SLF001 - as it was


async def hook(api: Api, who: Person, server: Provider, selection: str, **more: object) -> dict[str, Any]:
    values = {"url": f"{server.url}/hook", "secret": SECRET, "selection": selection}
    given = [{"name": name, "value": value} for name, value in values.items()]
    return await api.change(
        "createChannel", {"name": "Hook", "kind": "WEBHOOK", "values": given, **more}, CHANNEL, who=who
    )


async def failures(api: Api, who: Person, channel_id: str) -> tuple[int, str | None]:
    shown = (await api.data(SHOWN, {"id": channel_id}, who=who))["channel"]
    return shown["templateFailures"], shown["templateProblem"]


def alert_in(post: Post) -> dict[str, Any]:
    """What a signed post says of its alert."""
    at, _, digest = post.headers["x-tocsin-signature"].partition(",v1=")
    expected = hmac.new(SECRET.encode(), at[2:].encode() + b"." + post.body, hashlib.sha256).hexdigest()
    assert digest == expected
    found: dict[str, Any] = orjson.loads(post.body)["alert"]
    return found


async def test_the_body_is_what_was_selected(
    api: Api,
    manager: Person,
    work: Work,
    server: Provider,
) -> None:
    text = "{ id name: title severity status labels timeline(first: 2) { nodes { kind } } ... on Alert { version } }"
    made = (await hook(api, manager, server, text))["channel"]
    assert {"name": "selection", "value": text} in made["values"]
    await escalate_to(api, manager, made["id"])
    alert_id = await work.alert(title="Disk full")
    assert await work.tick() == 1
    (post,) = server.posts
    found = alert_in(post)
    assert found.pop("timeline") == {"nodes": []}
    assert found == {
        "id": alert_id,
        "name": "Disk full",
        "severity": "CRITICAL",
        "status": "ACTIVE",
        "labels": {},
        "version": 1,
    }
    assert await failures(api, manager, made["id"]) == (0, None)
    await api.change("testChannel", {"id": made["id"]}, "notification { id }", who=manager)
    await work.tick(HOUR)
    assert alert_in(server.posts[1])["title"] == "A test message from Tocsin", "a test is about no alert"


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        ("{ id titel }", "line 1, column 6: Cannot query field 'titel' on type 'Alert'"),
        ("{ id\n  team { nmae } }", "line 2, column 10"),
        ("{ id", "line 1, column 5: Syntax Error"),
        ("id title", "Syntax Error"),
        ("{ id } { title }", "one pair of braces"),
        ("query Q { id }", "one pair of braces"),
        ("mutation { id }", "one pair of braces"),
        ("subscription { id }", "one pair of braces"),
        ("query ($x: ID) { id }", "one pair of braces"),
        ("fragment F on Alert { id }", "one pair of braces"),
        ("{ id } fragment F on Alert { id }", "one pair of braces"),
        ("{ ...F }", "Unknown fragment"),
        ("{ timeline(first: $n) { nodes { kind } } }", "is not defined"),
        ("{ __schema { types { name } } }", "introspection is switched off"),
        ("} me { id } alert(id: 1) { id", "Syntax Error"),
        ("{ assignedTo { email } }", "User.email is not for a channel to post"),
        ("{ assignedTo { contactMethods { id } } }", "User.contactMethods is not for a channel to post"),
        ("{ team { members { user { id } } } }", "Team.members is not for a channel to post"),
        ("{ timeline(first: 100) { nodes { alert { timeline(first: 100) { nodes { id } } } } } }", "costs"),
        ("{ " * 2_000, "Syntax Error"),
    ],
    ids=range(20),
)
async def test_a_selection_that_is_none_is_refused_with_its_place(
    api: Api,
    manager: Person,
    server: Provider,
    selection: str,
    message: str,
) -> None:
    """Whatever is written is read by the schema's own parser: no way out of the alert. ASVS 5 V4.3.1, API5:2023."""
    refused = await hook(api, manager, server, selection)
    assert (refused["code"], refused["path"]) == ("INVALID_INPUT", ["values", "selection"])
    assert message in refused["message"]


async def test_an_edit_is_checked_as_well_and_takes_it_back(api: Api, manager: Person, server: Provider) -> None:
    made = (await hook(api, manager, server, "{ id }"))["channel"]
    change = {"id": made["id"], "values": [{"name": "selection", "value": "{ nothing }"}]}
    assert (await api.change("updateChannel", change, CHANNEL, who=manager))["code"] == "INVALID_INPUT"
    change = {"id": made["id"], "values": [{"name": "selection", "value": ""}]}
    changed = (await api.change("updateChannel", change, CHANNEL, who=manager))["channel"]
    assert [one["name"] for one in changed["values"]] == ["url", "secret"]


async def test_it_is_run_with_the_sight_of_the_channels_team(
    api: Api,
    work: Work,
    server: Provider,
) -> None:
    """A channel of everybody's tells nothing more of a hidden team's alert than it told before. API1:2023."""
    secret = await api.team("Secret", is_private=True)
    insider = await api.person(Role.MANAGER, teams=(secret,))
    ours = (await hook(api, insider, server, "{ id status team { name } }", teamId=str(secret.id)))["channel"]
    await escalate_to(api, insider, ours["id"])
    alert_id = await work.alert()
    await work.move(alert_id, team_id=secret.id)
    run = Selecting(api.settings, work.engine)
    assert await run("{ team { name } }", UUID(alert_id), team_id=secret.id) == {"team": {"name": "Secret"}}
    with pytest.raises(TemplateFails, match="does not see the alert"):
        await run("{ id }", UUID(alert_id), team_id=None)


async def test_a_selection_that_fails_loses_no_message(
    api: Api,
    manager: Person,
    work: Work,
    server: Provider,
) -> None:
    made = (await hook(api, manager, server, "{ id }"))["channel"]
    await escalate_to(api, manager, made["id"])

    class Broken:
        def __init__(self, *_: object) -> None: ...

        async def __call__(self, *_: object, **__: object) -> dict[str, Any]:
            raise RuntimeError("a fault of ours")

    selecting.provide(Broken)
    alert_id = await work.alert(title="Disk full")
    assert await work.tick() == 1
    assert alert_in(server.posts[0])["title"] == "Disk full", "what is built in"
    assert await failures(api, manager, made["id"]) == (1, "the selection: RuntimeError")
    (sent,) = await told(api, manager, alert_id)
    assert sent["state"] == "SENT"


async def test_a_template_that_fails_leaves_the_form_of_what_is_posted(
    api: Api,
    manager: Person,
    work: Work,
    server: Provider,
) -> None:
    made = (await hook(api, manager, server, "{ name: title }"))["channel"]
    broken = {"channelId": made["id"], "kind": "PAGE", "source": "{{ alert.title | date }}"}
    await api.change("setMessageTemplate", broken, "__typename", who=manager)
    await escalate_to(api, manager, made["id"])
    await work.alert(title="Disk full")
    assert await work.tick() == 1
    (post,) = server.posts
    assert alert_in(post) == {"name": "Disk full"}
    assert "text" not in orjson.loads(post.body)
    count, problem = await failures(api, manager, made["id"])
    assert (count, (problem or "").split(":")[:2]) == (1, ["line 1", " date"])


async def test_the_form_of_each_field_is_told(api: Api, manager: Person) -> None:
    found = await api.data(
        "{ channelKinds { kind fields { name form isRequired isSecret pattern most } } }", who=manager
    )
    fields = {one["kind"]: {field["name"]: field for field in one["fields"]} for one in found["channelKinds"]}
    assert fields["PAGERDUTY"]["routingKey"]["pattern"] == "[0-9A-Za-z]{32}"
    selection = fields["WEBHOOK"]["selection"]
    assert (selection["form"], selection["isRequired"], selection["isSecret"]) == ("GRAPHQL_SELECTION", False, False)
    odd = [{"name": "routingKey", "value": "!" * 32}]
    refused = await api.change("createChannel", {"name": "P", "kind": "PAGERDUTY", "values": odd}, CHANNEL, who=manager)
    assert refused["path"] == ["values", "routingKey"]
