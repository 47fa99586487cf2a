"""Do messages reach a channel over real TLS, once, through trouble, and never into our own network? (N1, N4)."""

import asyncio
import contextlib
import ipaddress
import socket
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest

from domain.identity.model import Role
from jobs.channels import pagerduty
from jobs.channels.sending import send_to_channels
from jobs.outbound import GuardedBackend, NotAllowed, Outbound
from jobs.paging import page
from persistence.channel_notifications import claim
from persistence.engine import create_engine
from tests.api import Api, Person, api_settings, running_api
from tests.integration.channels.provider import Provider
from tests.integration.channels.work import CHANNEL, HOUR, MINUTE, Work, create, escalate_to, told

NOTIFICATION = "query($id: ID!) { notification(id: $id) { state answer problem attempts } }"


async def test_every_kind_gets_its_message_and_the_end_of_it(
    api: Api, manager: Person, work: Work, server: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pagerduty, "URL", f"{server.url}/v2/enqueue")
    ids = [
        (await create(api, manager, "SLACK", url=f"{server.url}/slack"))["id"],
        (await create(api, manager, "TEAMS", url=f"{server.url}/teams"))["id"],
        (await create(api, manager, "PAGERDUTY", routingKey="R" * 32))["id"],
        (await create(api, manager, "WEBHOOK", url=f"{server.url}/hook", secret="a-secret-of-sixteen"))["id"],
    ]
    await escalate_to(api, manager, *ids)
    alert_id = await work.alert(title="Payments down")
    assert await work.tick() == 4
    assert sorted(post.path for post in server.posts) == ["/hook", "/slack", "/teams", "/v2/enqueue"]
    assert [one["state"] for one in await told(api, manager, alert_id)] == ["SENT"] * 4
    assert await work.tick(HOUR) == 0, "it is told once"

    await work.move(alert_id, status="acknowledged")
    await work.tick()
    assert [(post.path, orjson.loads(post.body)["event_action"]) for post in server.posts[4:]] == [
        ("/v2/enqueue", "acknowledge")
    ]
    await work.move(alert_id, status="resolved")
    await work.tick()
    assert sorted(post.path for post in server.posts[5:]) == ["/hook", "/slack", "/teams", "/v2/enqueue"]
    (event,) = [orjson.loads(post.body) for post in server.posts[5:] if post.path == "/v2/enqueue"]
    assert (event["event_action"], event["dedup_key"]) == ("resolve", f"tocsin:{alert_id}")


async def test_trouble_is_tried_again_and_shown_and_a_refusal_is_for_good(
    api: Api, manager: Person, work: Work, server: Provider
) -> None:
    made = await create(api, manager, "SLACK", url=f"{server.url}/slack")
    await escalate_to(api, manager, made["id"])
    server.answers += [(503, {}), (429, {"retry-after": "600"})]
    alert_id = await work.alert()
    assert await work.tick() == 0
    (one,) = await told(api, manager, alert_id)
    assert (one["state"], one["attempts"], one["problem"]) == ("QUEUED", 1, "503 no")
    assert await work.tick(timedelta(seconds=31)) == 0
    assert await work.tick(timedelta(minutes=9)) == 0, "as long as the provider says"
    assert len(server.posts) == 2
    shown = await api.data("query($id: ID!) { channel(id: $id) { problem } }", {"id": made["id"]}, who=manager)
    assert shown["channel"]["problem"] == "429 no"
    assert await work.tick(timedelta(minutes=2)) == 1
    (one,) = await told(api, manager, alert_id)
    assert (one["state"], one["attempts"], one["answer"]) == ("SENT", 3, "200 ok")
    shown = await api.data("query($id: ID!) { channel(id: $id) { problem } }", {"id": made["id"]}, who=manager)
    assert shown["channel"]["problem"] is None

    server.answers += [(410, {})]
    second = await work.alert(title="another")
    await work.tick()
    (one,) = await told(api, manager, second)
    assert (one["state"], one["problem"]) == ("FAILED", "410 no")
    assert await work.tick(HOUR) == 0


async def test_a_storm_is_one_message(api: Api, manager: Person, work: Work, server: Provider) -> None:
    made = await create(api, manager, "SLACK", url=f"{server.url}/slack")
    await escalate_to(api, manager, made["id"])
    for number in range(60):
        await work.alert(title=f"alert {number}")
    assert await work.tick() == 1
    (post,) = server.posts
    assert "and 59 more" in orjson.loads(post.body)["text"]


async def test_an_answer_before_it_left_spares_the_message(
    api: Api, manager: Person, work: Work, server: Provider
) -> None:
    made = await create(api, manager, "SLACK", url=f"{server.url}/slack")
    await escalate_to(api, manager, made["id"])
    alert_id = await work.alert()
    await page(work.engine, api.settings, work.now)
    await work.move(alert_id, status="acknowledged")
    assert await work.tick() == 0
    (one,) = await told(api, manager, alert_id)
    assert (one["state"], one["problem"]) == ("DROPPED", "somebody has answered")


async def test_a_channel_whose_page_only_failed_hears_of_no_end(
    api: Api, manager: Person, work: Work, server: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does it lose the end of what is on its way. An incident elsewhere is ended either way: it may be there."""
    monkeypatch.setattr(pagerduty, "URL", f"{server.url}/v2/enqueue")
    slack = await create(api, manager, "SLACK", url=f"{server.url}/slack")
    duty = await create(api, manager, "PAGERDUTY", routingKey="R" * 32)
    await escalate_to(api, manager, slack["id"], duty["id"])
    alert_id = await work.alert()
    server.answers += [(503, {})] * 2
    assert await work.tick() == 0
    await work.move(alert_id, status="resolved")
    assert await work.tick(HOUR) == 1
    assert orjson.loads(server.posts[-1].body)["event_action"] == "resolve"
    ends = {one["channel"]["name"] for one in await told(api, manager, alert_id) if one["kind"] == "RESOLVED"}
    assert ends == {"The pagerduty"}

    second = await work.alert(title="another")
    await page(work.engine, api.settings, work.now)
    assert len(await claim(work.engine, limit=9, now=work.now)) == 2
    await work.move(second, status="resolved")
    ends = {one["channel"]["name"] for one in await told(api, manager, second) if one["kind"] == "RESOLVED"}
    assert ends == {"The pagerduty", "The slack"}


async def test_an_end_that_waited_does_not_end_what_began_again(
    api: Api, manager: Person, work: Work, server: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pagerduty, "URL", f"{server.url}/v2/enqueue")
    made = await create(api, manager, "PAGERDUTY", routingKey="R" * 32)
    await escalate_to(api, manager, made["id"])
    alert_id = await work.alert()
    assert await work.tick() == 1
    server.answers.append((503, {}))
    await work.move(alert_id, status="resolved")
    assert await work.tick() == 0
    await work.move(alert_id, status="active", episode=2)
    assert await work.tick(HOUR) == 1
    actions = [orjson.loads(post.body)["event_action"] for post in server.posts]
    assert actions == ["trigger", "resolve", "trigger"], "the resolve of before is not tried again"


async def test_trying_a_channel_shows_what_the_provider_said(
    api: Api, manager: Person, work: Work, server: Provider
) -> None:
    made = await create(api, manager, "SLACK", url=f"{server.url}/slack")
    for status, state, shown in ((200, "SENT", {"answer": "200 ok"}), (404, "FAILED", {"problem": "404 no"})):
        server.answers.append((status, {}))
        answer = await api.change("testChannel", {"id": made["id"]}, "notification { id state }", who=manager)
        assert answer["notification"]["state"] == "QUEUED"
        await work.tick(MINUTE)
        found = await api.data(NOTIFICATION, {"id": answer["notification"]["id"]}, who=manager)
        assert found["notification"]["state"] == state
        assert found["notification"].items() >= shown.items()
    assert "A test message from Tocsin" in orjson.loads(server.posts[0].body)["text"]


async def test_secrets_are_sealed_never_shown_and_kept_by_an_edit(
    api: Api, manager: Person, work: Work, server: Provider
) -> None:
    """Secrets at rest are encrypted and do not come back out. ASVS 5 V13.3.1."""
    made = await create(api, manager, "WEBHOOK", url=f"{server.url}/old", secret="a-secret-of-sixteen")
    assert made["values"] == [{"name": "url", "value": f"{server.url}/old"}, {"name": "secret", "value": None}]
    stored = await work.database.fetchval("SELECT sealed_values FROM channels")
    assert b"a-secret-of-sixteen" not in stored
    written = await work.database.fetchval("SELECT string_agg(coalesce(after::text, ''), '') FROM audit_log")
    assert "a-secret" not in written
    assert "/old" not in written
    change = {"id": made["id"], "values": [{"name": "url", "value": f"{server.url}/new"}], "expectedVersion": 1}
    changed = await api.change("updateChannel", change, CHANNEL, who=manager)
    assert changed["channel"]["version"] == 2
    await api.change("testChannel", {"id": made["id"]}, "notification { id }", who=manager)
    assert await work.tick(MINUTE) == 1
    (post,) = server.posts
    assert post.path == "/new"
    assert post.headers["x-tocsin-signature"].startswith("t=")
    took = await work.database.fetchval("SELECT took_ms FROM delivery_attempts")
    assert took >= 0, "how long it took to answer is on the record"
    await api.change("archiveChannel", {"id": made["id"]}, "channel { id }", who=manager)
    assert await work.database.fetchval("SELECT sealed_values FROM channels") is None


async def test_an_address_inside_is_never_called(application_url: str, tmp_path: Path, server: Provider) -> None:
    """Server side request forgery by a channel's address, whatever it is called. API7:2023, ASVS 5 V1.3.6."""
    async with running_api(api_settings(application_url, tmp_path)) as api:
        manager = await api.person(Role.MANAGER)
        engine = create_engine(api.settings, pool_size=2)
        try:
            for number, host in enumerate(("localhost", "127.0.0.1", "[::1]", "2130706433", "0x7f.1")):
                values = [{"name": "url", "value": f"https://{host}:{server.port}/"}]
                what = {"name": f"Inside {number}", "kind": "SLACK", "values": values}
                made = await api.change("createChannel", what, CHANNEL, who=manager)
                if made["__typename"] != "CreateChannelSuccess":
                    continue
                asked = {"id": made["channel"]["id"]}
                tried = await api.change("testChannel", asked, "notification { id }", who=manager)
                await send_to_channels(engine, api.settings, api.clock.now())
                found = await api.data(NOTIFICATION, {"id": tried["notification"]["id"]}, who=manager)
                assert found["notification"]["state"] == "FAILED", host
        finally:
            await engine.dispose()
    assert server.posts == []


@pytest.mark.parametrize(
    "address",
    [
        *["10.0.0.1", "169.254.169.254", "192.168.1.1", "100.64.0.1", "0.0.0.1", "224.0.0.1", "192.0.0.192"],
        *["::", "::1", "fd00::1", "fe80::1", "fec0::1", "ff02::1", "3fff::1"],
        # An address of IPv4 in one of IPv6: mapped, compatible, translated by NAT64 and SIIT, 6to4, Teredo.
        *["::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b:1::10.0.0.1"],
        *["::ffff:0:127.0.0.1", "2002:7f00:1::1", "2002:a9fe:a9fe::", "2001:0:7f00:1::"],
    ],
)
async def test_private_and_special_addresses_are_refused(address: str) -> None:
    """Nor the addresses of a cloud's metadata or of a private network. API7:2023."""
    outbound = Outbound((ipaddress.ip_network("203.0.113.0/24"),))
    host = f"[{address}]" if ":" in address else address
    try:
        with pytest.raises(NotAllowed):
            await outbound.post(f"https://{host}/", b"", {})
    finally:
        await outbound.close()


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "2002:808:808::1"])
def test_addresses_of_the_world_are_let_through(address: str) -> None:
    assert GuardedBackend([])._may(address)  # noqa: SLF001 - a connection would leave this machine


async def test_a_name_that_leads_elsewhere_a_moment_later_leads_nowhere(
    api: Api, server: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: the address that was looked at is the one that is called, and all of a name's are. API7:2023."""
    asked: list[str] = []
    answers = ["127.0.0.1", "10.0.0.1"]

    async def lookup(self: object, host: str, port: int, **_more: object) -> list[tuple[Any, ...]]:
        del self
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (answers[min(len(asked), 2) - 1], port))]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", lookup)
    outbound = Outbound(api.settings.outbound_networks)
    try:
        with contextlib.suppress(httpx2.HTTPError):  # the certificate is of another name
            await outbound.post(f"https://rebinding.test:{server.port}/", b"", {})
        assert asked == ["rebinding.test"], "looked up once, by us"
        with pytest.raises(NotAllowed):
            await outbound.post(f"https://rebinding.test:{server.port + 1}/", b"", {})
    finally:
        await outbound.close()


async def test_no_proxy_of_the_environment_is_asked(
    api: Api, server: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy would look the name up anew, and call it from within. API7:2023."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    outbound = Outbound(api.settings.outbound_networks)
    try:
        assert (await outbound.post(f"{server.url}/straight", b"{}", {})).status == 200
    finally:
        await outbound.close()


async def test_a_redirect_is_not_followed(api: Api, manager: Person, work: Work, server: Provider) -> None:
    """A good address that redirects inside leads nowhere. API7:2023."""
    made = await create(api, manager, "SLACK", url=f"{server.url}/slack")
    server.answers.append((302, {"location": f"{server.url}/elsewhere"}))
    await api.change("testChannel", {"id": made["id"]}, "notification { id }", who=manager)
    await work.tick(MINUTE)
    assert [post.path for post in server.posts] == ["/slack"]


async def test_a_channel_is_its_teams_managers_to_change(api: Api, manager: Person, work: Work) -> None:
    """Function and object level authorisation. API1:2023, API5:2023."""
    del work
    secret = await api.team("Secret", is_private=True)
    insider = await api.person(Role.MANAGER, teams=(secret,))
    operator = await api.person(Role.OPERATOR)
    values = [{"name": "routingKey", "value": "R" * 32}]
    what = {"name": "Theirs", "kind": "PAGERDUTY", "values": values, "teamId": str(secret.id)}
    assert (await api.change("createChannel", what, CHANNEL, who=manager))["code"] == "NOT_FOUND"
    made = (await api.change("createChannel", what, CHANNEL, who=insider))["channel"]
    for field, change in (("updateChannel", {"name": "Mine"}), ("archiveChannel", {}), ("testChannel", {})):
        asked = {"id": made["id"], **change}
        assert (await api.change(field, asked, "__typename", who=manager))["code"] == "NOT_FOUND"
    asked = {"id": made["id"]}
    assert (await api.data("query($id: ID!) { channel(id: $id) { id } }", asked, who=manager))["channel"] is None
    everybodys = {"name": "Ours", "kind": "PAGERDUTY", "values": values}
    assert (await api.change("createChannel", everybodys, CHANNEL, who=operator))["code"] == "FORBIDDEN"
