"""Is a message worth more than its form, also to the provider? What it refuses as wrong or too long (N1)."""

from datetime import timedelta

import orjson
import pytest

from tests.api import Api, Person
from tests.integration.channels.provider import Provider
from tests.integration.channels.work import Work, create, escalate_to, told


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_what_is_refused_as_wrong_goes_once_more_as_one_plain_line(
    api: Api,
    manager: Person,
    work: Work,
    server: Provider,
    status: int,
) -> None:
    made = await create(api, manager, "SLACK", url=f"{server.url}/slack")
    await escalate_to(api, manager, made["id"])
    server.answers.append((status, {}))
    alert_id = await work.alert(title="Disk full")
    assert await work.tick() == 1
    full, plain = (orjson.loads(post.body) for post in server.posts)
    assert full["blocks"]
    assert plain == {"text": "[CRITICAL] Disk full (shop)"}
    (one,) = await told(api, manager, alert_id)
    assert (one["state"], one["attempts"]) == ("SENT", 1)
    assert one["answer"] == f"200 ok; as plain text, after {status} no"


async def test_what_is_refused_in_every_form_failed_and_trouble_on_the_way_is_tried_again(
    api: Api,
    manager: Person,
    work: Work,
    server: Provider,
) -> None:
    made = await create(api, manager, "TEAMS", url=f"{server.url}/teams")
    await escalate_to(api, manager, made["id"])
    server.answers += [(400, {}), (400, {})]
    first = await work.alert(title="one")
    await work.tick()
    (one,) = await told(api, manager, first)
    assert (one["state"], one["problem"]) == ("FAILED", "400 no")
    server.answers += [(413, {}), (429, {"retry-after": "60"})]
    second = await work.alert(title="two")
    await work.tick()
    (one,) = await told(api, manager, second)
    assert (one["state"], one["problem"]) == ("QUEUED", "429 no")
    assert await work.tick(timedelta(seconds=61)) == 1


async def test_a_webhooks_receiver_is_not_asked_twice(
    api: Api,
    manager: Person,
    work: Work,
    server: Provider,
) -> None:
    made = await create(api, manager, "WEBHOOK", url=f"{server.url}/hook", secret="a-secret-of-sixteen")
    await escalate_to(api, manager, made["id"])
    server.answers.append((400, {}))
    alert_id = await work.alert()
    await work.tick()
    assert len(server.posts) == 1
    (one,) = await told(api, manager, alert_id)
    assert (one["state"], one["problem"]) == ("FAILED", "400 no")
