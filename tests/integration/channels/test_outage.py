"""A provider is away for hours and comes back: who is told what then? Once, what still counts, at once."""

import orjson

from tests.api import Api, Person
from tests.integration.channels.provider import Provider
from tests.integration.channels.work import MINUTE, Work, create, escalate_to, told

ATTEMPTS = 40


async def test_an_outage_and_the_recovery(api: Api, manager: Person, work: Work, server: Provider) -> None:
    made = await create(api, manager, "SLACK", url=f"{server.url}/slack")
    await escalate_to(api, manager, made["id"])
    server.answers += [(503, {})] * ATTEMPTS
    first, over, answered = [await work.alert(title=title) for title in ("Disk full", "Blip", "Slow")]
    assert await work.tick() == 0
    for _ in range(24):  # two hours
        assert await work.tick(5 * MINUTE) == 0
    await work.move(over, status="resolved")
    await work.move(answered, status="acknowledged")
    during = await work.alert(title="Payments down")
    tried = len(server.posts)
    assert 2 <= tried < ATTEMPTS, "it was tried again and again, and not every time"

    server.answers.clear()
    for _ in range(72):  # six hours at most
        if await work.tick(5 * MINUTE):
            break
    assert await work.tick(MINUTE) + await work.tick(MINUTE) <= 2, "what waited longest does not go on waiting"
    texts = "\n".join(orjson.dumps(orjson.loads(post.body)).decode() for post in server.posts[tried:])
    assert {title: texts.count(f"CRITICAL: {title}*") for title in ("Disk full", "Blip", "Slow", "Payments down")} == {
        "Disk full": 1,
        "Blip": 0,
        "Slow": 0,
        "Payments down": 1,
    }
    states = {}
    for title, alert_id in (("first", first), ("over", over), ("answered", answered), ("during", during)):
        pages = [one for one in await told(api, manager, alert_id) if one["kind"] == "PAGE"]
        states[title] = [(one["state"], one["attempts"] > 1) for one in pages]
    assert states["first"] == [("SENT", True)], "the record says that it was tried before"
    assert states["during"][0][0] == "SENT"
    assert [state for state, _ in states["over"] + states["answered"]] == ["DROPPED", "DROPPED"]
