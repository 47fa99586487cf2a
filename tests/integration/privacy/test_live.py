"""Who is erased while others follow is erased in what they are told from then on (T10; GDPR Art. 17)."""

from domain.identity.model import ERASED_PERSON, Role
from tests.api import Api
from tests.integration.privacy.test_erasure import ALERT, FIRST, LAST, erase, grace
from tests.integration.test_alert_subscriptions import followed
from tests.sockets import connected
from tests.waiting import until

FOLLOW = """subscription($after: String) { alertEvents(after: $after) { ... on AlertEvent {
  cursor kind actor { ... on User { name firstName isErased } } alert { assignedTo { name } } } } }"""


async def test_what_was_made_for_others_a_moment_ago_is_not_told_with_the_name(api: Api, address: str) -> None:
    """A result is kept some seconds for who comes back with a cursor: it must not outlive the person's key."""
    hub = api.state.hub
    assert hub is not None
    told: list[None] = []
    hub.sight_listeners.add(lambda: told.append(None))
    person, admin = await grace(api), await api.person(Role.ADMIN)
    async with connected(address, admin) as first:
        await first.subscribe(FOLLOW)
        await followed(api)
        opened = (await api.change("createAlert", ALERT, "alert { id }", who=admin))["alert"]
        before = (await first.next_data())["alertEvents"]["cursor"]
        note = {"id": opened["id"], "text": "I looked"}
        await api.change("commentOnAlert", note, "alert { id }", who=person)
        assert (await first.next_data())["alertEvents"]["actor"]["name"] == f"{FIRST} {LAST}"
        noticed = len(told)
        await erase(api, person, who=admin)
        await until(lambda: len(told) > noticed)
        async with connected(address, admin) as second:
            await second.subscribe(FOLLOW, {"after": before})
            event = (await second.next_data())["alertEvents"]
    assert (event["kind"], event["actor"]) == (
        "COMMENTED",
        {"name": ERASED_PERSON, "firstName": "", "isErased": True},
    )
