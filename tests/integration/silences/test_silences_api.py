"""Does a person make, change and end silences over GraphQL, and are they told before it is done what it would hit?"""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from domain.identity.model import Role
from domain.ids import new_id
from persistence.tables import audit_log, silences
from tests.api import Api, Person
from tests.silence_calls import equal, fire, holders

pytestmark = pytest.mark.asyncio(loop_scope="module")
HOUR = timedelta(hours=1)
SHOWN = (
    "id version kind state matcherText condition startsAt endsAt createdBy comment heldAlerts holdsPrivateTeams "
    "team { id } integration { id } author { __typename ... on User { id } ... on ServiceAccount { id } }"
)
PREVIEW = "openAlerts { matched total share } lastDay { matched } sample { id } isComplete tooBroad"


async def silence(api: Api, who: Person, **fields: object) -> dict[str, Any]:
    """Ask for a silence of an hour; the answer."""
    what = {"comment": "moving disks", "endsAt": (api.clock.now() + HOUR).isoformat(), **fields}
    return await api.change("createSilence", what, f"silence {{ {SHOWN} }} preview {{ {PREVIEW} }}", who=who)


async def test_a_silence_is_made_shown_changed_and_ended(api: Api, operator: Person) -> None:
    run = str(new_id())
    held = await fire(api, operator, labels={"run": run, "host": "db-1"})
    free = await fire(api, operator, labels={"run": run, "host": "web-1"})
    made = await silence(api, operator, matchers=[equal("run", run), equal("host", "db-.*", "REGEX")])
    one = made["silence"]
    assert (one["kind"], one["state"], one["heldAlerts"], one["createdBy"]) == ("ONE_OFF", "ACTIVE", 1, "")
    assert one["author"] == {"__typename": "User", "id": str(operator.id)}
    assert made["preview"]["openAlerts"]["matched"] == made["preview"]["lastDay"]["matched"] == 1
    assert [alert["id"] for alert in made["preview"]["sample"]] == [held]
    assert (made["preview"]["isComplete"], made["preview"]["tooBroad"]) == (True, None)
    assert await holders(api, operator, held) == [one["id"]]
    assert await holders(api, operator, free) == []
    later = await fire(api, operator, labels={"run": run, "host": "db-2"})
    assert await holders(api, operator, later) == [one["id"]]

    ends_at = (api.clock.now() + 3 * HOUR).isoformat()
    change = {"id": one["id"], "expectedVersion": one["version"], "endsAt": ends_at, "comment": "more disks"}
    longer = await api.change("updateSilence", change, f"replaced silence {{ {SHOWN} }}", who=operator)
    assert (longer["replaced"], longer["silence"]["id"], longer["silence"]["comment"]) == (
        False,
        one["id"],
        "more disks",
    )
    stale = await api.change("updateSilence", change, "replaced", who=operator)
    assert stale["code"] == "STALE_VERSION"

    change = {"id": one["id"], "matchers": [equal("run", run), equal("host", "web-1")]}
    other = await api.change("updateSilence", change, f"replaced silence {{ {SHOWN} }}", who=operator)
    assert other["replaced"]
    assert other["silence"]["id"] != one["id"]
    assert await holders(api, operator, held) == []
    assert await holders(api, operator, free) == [other["silence"]["id"]]
    before = await api.data("query($id: ID!) { silence(id: $id) { state } }", {"id": one["id"]}, who=operator)
    assert before["silence"]["state"] == "EXPIRED"

    ended = await api.change("expireSilence", {"id": other["silence"]["id"]}, f"silence {{ {SHOWN} }}", who=operator)
    assert (ended["silence"]["state"], ended["silence"]["heldAlerts"]) == ("EXPIRED", 0)
    assert await holders(api, operator, free) == []
    timeline = "query($id: ID!) { alert(id: $id) { timeline { nodes { kind } } } }"
    told = await api.data(timeline, {"id": free}, who=operator)
    assert [event["kind"] for event in told["alert"]["timeline"]["nodes"]] == ["OPENED", "SUPPRESSED", "UNSUPPRESSED"]
    async with api.engine.connect() as connection:
        rows = sa.select(audit_log.c.action).where(
            audit_log.c.target_kind == "silence", audit_log.c.actor_id == operator.id
        )
        actions = list(await connection.scalars(rows.order_by(audit_log.c.seq)))
    assert actions == ["createSilence", "updateSilence", "expireSilence", "createSilence", "expireSilence"]


async def test_a_resolve_passes_a_silence(api: Api, operator: Person) -> None:
    run = str(new_id())
    held = await fire(api, operator, labels={"run": run})
    await silence(api, operator, matchers=[equal("run", run)])
    answer = await api.change("resolveAlert", {"id": held}, "alert { status }", who=operator)
    assert answer["alert"]["status"] == "RESOLVED"


async def test_a_condition_holds_what_labels_cannot_say(api: Api, operator: Person) -> None:
    run = str(new_id())
    low = await fire(api, operator, labels={"run": run}, severity="LOW", serviceName="shop")
    high = await fire(api, operator, labels={"run": run}, severity="CRITICAL", serviceName="shop")
    made = await silence(api, operator, condition=f'alert.labels.run == "{run}" && alert.severity < HIGH')
    one = made["silence"]
    assert (one["heldAlerts"], one["matcherText"]) == (1, "")
    assert await holders(api, operator, low) == [one["id"]]
    assert await holders(api, operator, high) == []
    fresh = await fire(api, operator, labels={"run": run, "n": "2"}, severity="MEDIUM", serviceName="shop")
    assert await holders(api, operator, fresh) == [one["id"]]
    # A severity that a person raises brings it out from under the silence.
    await api.change("updateAlert", {"id": fresh, "severity": "CRITICAL"}, "alert { id }", who=operator)
    assert await holders(api, operator, fresh) == []
    gone = {"id": one["id"], "condition": None, "matchers": [equal("run", run)]}
    other = await api.change("updateSilence", gone, "silence { id condition }", who=operator)
    assert other["silence"]["condition"] is None
    assert await holders(api, operator, high) == [other["silence"]["id"]]


@pytest.mark.parametrize(
    ("fields", "path", "said"),
    [
        pytest.param({"matchers": []}, ["matchers"], "at least one matcher", id="without-a-matcher"),
        pytest.param({"matchers": [], "confirmBroad": True}, ["matchers"], "at least one matcher", id="nor-confirmed"),
        pytest.param({"matchers": [equal("a", "")]}, ["matchers"], "empty string", id="empty-value"),
        pytest.param({"matchers": [equal("a", "(", "REGEX")]}, ["matchers", "0", "value"], "RE2", id="bad-pattern"),
        pytest.param(
            {"matchers": [equal("a", "(x{500}){500}", "REGEX")]}, ["matchers", "0", "value"], "RE2", id="huge-pattern"
        ),
        pytest.param({"matchers": [equal("", "x")]}, ["matchers", "0", "name"], "name", id="no-name"),
        pytest.param({"comment": "  "}, ["comment"], "say why", id="no-comment"),
        pytest.param({"comment": "x" * 2001}, ["comment"], "2000", id="long-comment"),
        pytest.param({"condition": "alert.servce == 'x'"}, ["condition"], "did you mean alert.service", id="unknown"),
        pytest.param({"condition": "alert.title"}, ["condition"], "true or false", id="not-boolean"),
        pytest.param({"condition": "true"}, ["condition"], "says nothing", id="constant"),
        pytest.param({"condition": "alert.occurrences > 3"}, ["condition"], "cannot ask for", id="not-kept"),
        pytest.param({"integrationId": str(new_id())}, ["integrationId"], "no such", id="no-integration"),
        pytest.param({"teamId": str(new_id())}, ["teamId"], "no such", id="no-team"),
    ],
)
async def test_what_no_silence_can_be_is_refused(
    api: Api, operator: Person, fields: dict[str, Any], path: list[str], said: str
) -> None:
    answer = await silence(api, operator, **{"matchers": [equal("some", "label")], **fields})
    assert answer["path"] == path, answer
    assert said in answer["message"]


async def test_matchers_that_are_taken_away_leave_no_silence_to_confirm(api: Api, operator: Person) -> None:
    one = (await silence(api, operator, matchers=[equal("some", str(new_id()))]))["silence"]
    for confirmed in (False, True):
        nothing = {"id": one["id"], "matchers": [], "confirmBroad": confirmed}
        refused = await api.change("updateSilence", nothing, "replaced", who=operator)
        assert (refused["code"], refused["path"]) == ("INVALID_INPUT", ["matchers"]), confirmed


async def test_a_condition_that_would_be_refused_by_now_can_be_sent_back_as_it_is(api: Api, operator: Person) -> None:
    """A form sends all of its fields: it was saved before conditions were looked through for slips."""
    slip = 'alert.severity in [HIGH, "warn"]'
    one = (await silence(api, operator, matchers=[equal("some", str(new_id()))], condition="alert.severity > LOW"))[
        "silence"
    ]
    async with api.engine.begin() as connection:
        mine = silences.c.id == UUID(one["id"])
        await connection.execute(sa.update(silences).where(mine).values(condition=slip))
    what = {"id": one["id"], "condition": slip, "comment": "still moving"}
    answer = await api.change("updateSilence", what, "replaced silence { comment condition }", who=operator)
    assert answer["silence"] == {"comment": "still moving", "condition": slip}
    assert not answer["replaced"]
    # With other matchers it is another silence, of the same condition.
    other = {**what, "matchers": [equal("some", str(new_id()))]}
    answer = await api.change("updateSilence", other, "replaced silence { id condition }", who=operator)
    assert (answer["replaced"], answer["silence"]["condition"]) == (True, slip)
    anew = {"id": answer["silence"]["id"], "condition": f"{slip} || alert.severity == HIGH"}
    refused = await api.change("updateSilence", anew, "replaced", who=operator)
    assert (refused["code"], refused["path"]) == ("INVALID_INPUT", ["condition"])


async def test_times_that_cannot_be_are_refused(api: Api, operator: Person) -> None:
    now = api.clock.now()
    matchers = [equal("some", "label")]
    for starts, ends, said in (
        (HOUR, HOUR, "before end"),
        (2 * HOUR, HOUR, "before end"),
        (-2 * HOUR, -HOUR, "past"),
        (timedelta(0), timedelta(days=400), "at most 366 days"),
    ):
        times = {"startsAt": (now + starts).isoformat(), "endsAt": (now + ends).isoformat()}
        answer = await silence(api, operator, matchers=matchers, **times)
        assert (answer["code"], answer["path"]) == ("INVALID_INPUT", ["endsAt"]), answer
        assert said in answer["message"]


async def test_a_silence_over_nearly_everything_must_be_confirmed(api: Api, operator: Person) -> None:
    for value, how in ((".*x?.*", "REGEX"), (".+", "REGEX"), ("nobody", "NOT_EQUAL"), ("no.*", "NOT_REGEX")):
        answer = await silence(api, operator, matchers=[equal("run", value, how)])
        expected = "INVALID_INPUT" if value == ".*x?.*" else "SILENCE_TOO_BROAD"
        assert answer["code"] == expected, (value, answer)
    run = str(new_id())
    for number in range(30):
        await fire(api, operator, labels={"broad": run, "n": str(number)})
    total = (await api.data("{ alertCounts(filter: {isOpen: true}) { total } }", who=operator))["alertCounts"]["total"]
    for number in range(total):
        await fire(api, operator, labels={"broad": run, "n": f"more {number}"})
    what = {"matchers": [equal("broad", run)]}
    looked = await api.change("previewSilence", what, f"preview {{ {PREVIEW} }}", who=operator)
    assert "open alerts" in looked["preview"]["tooBroad"]
    assert len(looked["preview"]["sample"]) == 10
    refused = await silence(api, operator, **what)
    assert refused["code"] == "SILENCE_TOO_BROAD"
    assert "confirmBroad" in refused["message"]
    made = await silence(api, operator, **what, confirmBroad=True)
    assert made["silence"]["heldAlerts"] == 30 + total
    assert made["preview"]["tooBroad"] is not None
    await api.change("expireSilence", {"id": made["silence"]["id"]}, "silence { id }", who=operator)


async def test_nobody_quiets_a_private_team_from_outside(api: Api, operator: Person, admin: Person) -> None:
    team = await api.team(f"Quiet {new_id()}", is_private=True)
    member = await api.person(Role.OPERATOR, teams=(team,))
    run = str(new_id())
    theirs = await fire(api, member, labels={"run": run}, teamId=str(team.id))
    public = await fire(api, operator, labels={"run": run, "n": "2"})
    matchers = [equal("run", run)]

    outside = await silence(api, operator, matchers=matchers)
    assert outside["preview"]["openAlerts"]["matched"] == 1
    assert await holders(api, member, theirs) == []
    assert await holders(api, member, public) == [outside["silence"]["id"]]
    second = await fire(api, member, labels={"run": run, "n": "3"}, teamId=str(team.id))
    assert await holders(api, member, second) == []
    # What becomes the private team's comes out from under it, and the other way.
    await api.change("moveAlert", {"id": public, "teamId": str(team.id)}, "alert { id }", who=member)
    assert await holders(api, member, public) == []
    await api.change("moveAlert", {"id": public, "teamId": None}, "alert { id }", who=member)
    assert await holders(api, member, public) == [outside["silence"]["id"]]

    refused = await silence(api, operator, matchers=matchers, teamId=str(team.id))
    assert (refused["code"], refused["path"]) == ("NOT_FOUND", ["teamId"])
    inside = await silence(api, member, matchers=matchers, teamId=str(team.id))
    assert inside["silence"]["heldAlerts"] == 2
    assert await holders(api, member, theirs) == [inside["silence"]["id"]]
    query = "query($id: ID!) { silence(id: $id) { id } }"
    assert (await api.data(query, {"id": inside["silence"]["id"]}, who=operator))["silence"] is None
    for mutation in ("expireSilence", "updateSilence"):
        hidden = await api.change(mutation, {"id": inside["silence"]["id"]}, "silence { id }", who=operator)
        assert hidden["code"] == "NOT_FOUND"
        absent = await api.change(mutation, {"id": str(new_id())}, "silence { id }", who=operator)
        assert hidden == absent

    everything = await silence(api, admin, matchers=matchers)
    assert everything["silence"]["holdsPrivateTeams"]
    assert set(await holders(api, member, theirs)) == {inside["silence"]["id"], everything["silence"]["id"]}
    longer = {"id": everything["silence"]["id"], "endsAt": (api.clock.now() + 2 * HOUR).isoformat()}
    assert (await api.change("updateSilence", longer, "silence { id }", who=operator))["code"] == "FORBIDDEN"
    ended = await api.change("expireSilence", {"id": everything["silence"]["id"]}, "silence { state }", who=operator)
    assert ended["silence"]["state"] == "EXPIRED"


async def test_a_team_that_becomes_private_is_no_longer_quieted_by_others(
    api: Api, operator: Person, admin: Person
) -> None:
    team = await api.team(f"open-{new_id()}")
    member = await api.person(Role.MANAGER, teams=(team,))
    run = str(new_id())
    made = await silence(api, operator, matchers=[equal("run", run)])
    before = await fire(api, member, labels={"run": run}, teamId=str(team.id))
    assert await holders(api, member, before) == [made["silence"]["id"]]
    changed = await api.change("updateTeam", {"id": str(team.id), "isPrivate": True}, "__typename", who=admin)
    assert changed["__typename"] == "UpdateTeamSuccess"
    after = await fire(api, member, labels={"run": run, "n": "2"}, teamId=str(team.id))
    assert await holders(api, member, after) == []


async def test_who_is_operator_in_a_team_silences_that_team_alone(api: Api, operator: Person) -> None:
    team = await api.team(f"Loud {new_id()}")
    viewer = await api.person(Role.VIEWER)
    await api.change(
        "addTeamMember",
        {"teamId": str(team.id), "userId": str(viewer.id), "role": "OPERATOR"},
        "__typename",
        who=await api.person(Role.ADMIN),
    )
    run = str(new_id())
    theirs = await fire(api, operator, labels={"run": run}, teamId=str(team.id))
    other = await fire(api, operator, labels={"run": run, "n": "2"})
    refused = await silence(api, viewer, matchers=[equal("run", run)])
    assert refused["code"] == "FORBIDDEN"
    made = await silence(api, viewer, matchers=[equal("run", run)], teamId=str(team.id))
    assert await holders(api, operator, theirs) == [made["silence"]["id"]]
    assert await holders(api, operator, other) == []


async def test_silences_are_listed_by_what_is_asked(api: Api, operator: Person) -> None:
    me = await api.person(Role.OPERATOR)
    ids = []
    for number in range(5):
        made = await silence(api, me, matchers=[equal("list", str(number))])
        ids.append(made["silence"]["id"])
    later = (api.clock.now() + HOUR).isoformat()
    pending = await silence(
        api, me, matchers=[equal("list", "p")], startsAt=later, endsAt=(api.clock.now() + 2 * HOUR).isoformat()
    )
    await api.change("expireSilence", {"id": ids[0]}, "silence { id }", who=me)
    query = (
        "query($f: SilenceFilter, $n: Int, $a: String) { silences(filter: $f, first: $n, after: $a) "
        "{ totalCount nodes { id } pageInfo { hasNextPage endCursor } } }"
    )

    async def listed(**given: object) -> list[str]:
        page = (await api.data(query, {"f": {"mine": True, **given}}, who=me))["silences"]
        assert page["totalCount"] == len(page["nodes"])
        return [one["id"] for one in page["nodes"]]

    newest = [pending["silence"]["id"], *reversed(ids)]
    assert await listed() == newest
    assert await listed(state=["ACTIVE"]) == list(reversed(ids[1:]))
    assert await listed(state=["PENDING", "EXPIRED"]) == [pending["silence"]["id"], ids[0]]
    assert await listed(kind=["MAINTENANCE"]) == []
    assert await listed(integrationId=str(new_id())) == []
    assert await listed(teamId="nonsense") == []
    found: list[str] = []
    after = None
    while True:
        answer = await api.data(query, {"f": {"mine": True}, "n": 2, "a": after}, who=me)
        found += [one["id"] for one in answer["silences"]["nodes"]]
        if not answer["silences"]["pageInfo"]["hasNextPage"]:
            break
        after = answer["silences"]["pageInfo"]["endCursor"]
    assert found == newest


async def test_a_key_makes_one_silence(api: Api, operator: Person) -> None:
    ends_at = (api.clock.now() + HOUR).isoformat()
    what = {"matchers": [equal("once", "only")], "endsAt": ends_at, "idempotencyKey": str(new_id())}
    first, second = [await silence(api, operator, **what) for _ in range(2)]
    assert first["silence"]["id"] == second["silence"]["id"]
    other = await silence(api, operator, **{**what, "comment": "something else"})
    assert other["code"] == "IDEMPOTENCY_CONFLICT"
