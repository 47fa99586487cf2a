"""Does a channel hear nothing more of an alert that went to a private team, unless that team itself says so?"""

import orjson

from domain.identity.model import Role
from jobs.channels.sending import send_to_channels
from jobs.paging import page
from tests.api import Person
from tests.integration.channels.provider import Provider
from tests.integration.channels.work import Work, create, escalate_to, told

HOOK = {"secret": "a-secret-of-sixteen"}


async def test_a_page_that_waits_is_not_sent_once_its_alert_is_a_private_teams(
    work: Work, manager: Person, server: Provider
) -> None:
    """OWASP API1:2023, ASVS 5 V8.2.2: as with people, what is told is what may be seen when it leaves."""
    hook = await create(work.api, manager, "WEBHOOK", url=f"{server.url}/hook", **HOOK)
    await escalate_to(work.api, manager, hook["id"])
    work.now = work.api.clock.now()
    moved, stays = await work.alert(title="Moved"), await work.alert(title="Stays")
    secret = await work.api.team("Secret", is_private=True)
    await page(work.engine, work.api.settings, work.now)
    await work.move(moved, team_id=secret.id, title="Whom we will dismiss")
    assert await send_to_channels(work.engine, work.api.settings, work.now) == 1
    assert [orjson.loads(post.body)["alert"]["title"] for post in server.posts] == ["Stays"]
    problem = await work.database.fetchval("SELECT problem FROM notifications WHERE alert_id = $1::uuid", moved)
    assert problem == "the alert went to a private team"
    assert [one["state"] for one in await told(work.api, manager, stays)] == ["SENT"]


async def test_what_a_private_team_tells_a_channel_of_everybody_is_sent(
    work: Work, manager: Person, server: Provider
) -> None:
    """It is theirs to say."""
    hook = await create(work.api, manager, "WEBHOOK", url=f"{server.url}/hook", **HOOK)
    secret = await work.api.team("Secret", is_private=True)
    admin = await work.api.person(Role.ADMIN)
    step = {"delay": "PT0S", "targets": [{"kind": "CHANNEL", "id": hook["id"]}]}
    policy = {"name": "Theirs", "teamId": str(secret.id), "steps": [step]}
    made = await work.api.change("createEscalationPolicy", policy, "policy { id }", who=admin)
    assert made["__typename"] == "CreateEscalationPolicySuccess", made
    work.now = work.api.clock.now()
    await work.alert(title="Theirs", team_id=secret.id)
    await work.tick()
    assert [orjson.loads(post.body)["alert"]["title"] for post in server.posts] == ["Theirs"]
