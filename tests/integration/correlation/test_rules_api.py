"""Group rules and services over the API: made, changed, ended, and every bad one refused with what would be right."""

from typing import Any

import pytest

from domain.ids import new_id
from tests.api import Api, Person
from tests.integration.correlation.conftest import RULE, a_rule, an_alert

SERVICE = "service { id name description version archivedAt dependsOn { name } dependants { name } }"


async def test_a_rule_is_made_changed_and_ended(api: Api, manager: Person, operator: Person) -> None:
    made = await a_rule(
        api, manager, matchers='env="prod"', condition="alert.severity >= HIGH", fields=["SERVICE"], window="PT5M"
    )
    assert (made["matchers"], made["condition"]) == ('env="prod"', "alert.severity >= HIGH")
    assert (made["window"], made["maxAge"], made["version"]) == ("PT5M", "P1D", 1)

    changed = await api.change(
        "updateGroupRule", {"id": made["id"], "expectedVersion": 1, "rank": 5, "condition": ""}, RULE, who=manager
    )
    assert (changed["groupRule"]["rank"], changed["groupRule"]["version"]) == (5, 2)
    assert (changed["groupRule"]["condition"], changed["groupRule"]["matchers"]) == (None, 'env="prod"')
    stale = {"id": made["id"], "expectedVersion": 1, "rank": 6}
    assert (await api.change("updateGroupRule", stale, RULE, who=manager))["__typename"] == "StaleVersion"

    listed = (await api.data("{ groupRules { id rank } }", who=operator))["groupRules"]
    assert listed == [{"id": made["id"], "rank": 5}]
    ended = await api.change("archiveGroupRule", {"id": made["id"]}, RULE, who=manager)
    assert ended["groupRule"]["archivedAt"] is not None
    assert (await api.data("{ groupRules { id } }", who=operator))["groupRules"] == []
    assert (await api.data("{ groupRules(includeArchived: true) { id } }", who=operator))["groupRules"] != []
    again = await api.change("archiveGroupRule", {"id": made["id"]}, RULE, who=manager)
    assert again["__typename"] == "NotFound"


async def test_the_same_key_makes_one_rule_and_the_same_name_none(api: Api, manager: Person) -> None:
    first = await a_rule(api, manager, idempotencyKey="one")
    assert (await a_rule(api, manager, idempotencyKey="one"))["id"] == first["id"]
    taken = await api.change(
        "createGroupRule", {"name": "by cluster", "strategy": "LABELS", "labels": ["x"]}, RULE, who=manager
    )
    assert taken["__typename"] == "AlreadyExists"


@pytest.mark.parametrize(
    ("values", "path", "said"),
    [
        pytest.param({"labels": []}, ["labels"], "this would group everything", id="everything"),
        pytest.param({"window": "PT0S"}, ["window"], "from one second to one day", id="no window"),
        pytest.param({"window": "P2D"}, ["window"], "from one second to one day", id="a long window"),
        pytest.param({"maxAge": "PT1M"}, ["maxAge"], "at least its window", id="younger than its window"),
        pytest.param({"rank": 0}, ["rank"], "from 1 to", id="rank"),
        pytest.param({"labels": [""]}, ["labels", "0"], "must not be empty", id="empty label"),
        pytest.param({"labels": [str(n) for n in range(11)]}, ["labels"], "at most 10 labels", id="many labels"),
        pytest.param({"matchers": "env"}, ["matchers"], "", id="half a matcher"),
        pytest.param({"matchers": 'env=~"("'}, ["matchers"], "RE2", id="a bad pattern"),
        pytest.param({"parts": [{"name": "a", "matchers": 'a="1"'}]}, ["parts"], "only a rule", id="parts of labels"),
        pytest.param({"strategy": "TOPOLOGY"}, ["labels"], "goes by the services", id="labels of a topology"),
        pytest.param(
            {"strategy": "SIMILARITY", "threshold": 20}, ["threshold"], "from 50 to 100", id="everything is alike"
        ),
        pytest.param(
            {"strategy": "SIMILARITY", "fields": ["TITLE_TEMPLATE"]}, ["fields"], "compared already", id="titles twice"
        ),
        pytest.param({"strategy": "TOGETHER"}, ["parts"], "from 2 to 5 parts", id="together with nothing"),
        pytest.param(
            {"strategy": "TOGETHER", "parts": [{"name": "a", "matchers": 'a="1"'}, {"name": "b", "matchers": ""}]},
            ["parts", "1", "matchers"],
            "at least one matcher",
            id="a part that is everything",
        ),
    ],
)
async def test_what_no_rule_can_be_is_refused_with_what_would_be_right(
    api: Api, manager: Person, values: dict[str, Any], path: list[str], said: str
) -> None:
    wanted = {"name": "a rule", "strategy": "LABELS", "labels": ["cluster"], **values}
    refused = await api.change("createGroupRule", wanted, "groupRule { id }", who=manager)

    assert refused["__typename"] == "InvalidInput", refused
    assert (refused["path"], said in refused["message"]) == (path, True), refused


@pytest.mark.parametrize(
    ("condition", "said", "place"),
    [
        pytest.param("alert.severty == HIGH", "did you mean alert.severity", (1, 1), id="misspelt"),
        pytest.param("alert.title", "must be true or false", None, id="not boolean"),
        pytest.param('alert.team == "x"', "before the alert has a team", None, id="state"),
        pytest.param("alert.title ==", "", (1, 15), id="half"),
    ],
)
async def test_a_bad_condition_says_where(
    api: Api, manager: Person, condition: str, said: str, place: tuple[int, int] | None
) -> None:
    wanted = {"name": "a rule", "strategy": "LABELS", "labels": ["cluster"], "condition": condition}
    query = """mutation($input: CreateGroupRuleInput!) { createGroupRule(input: $input) { __typename
      ... on InvalidCondition { message path line column } } }"""
    refused = (await api.data(query, {"input": wanted}, who=manager))["createGroupRule"]
    assert refused["__typename"] == "InvalidCondition", refused
    assert said in refused["message"]
    if place is not None:
        assert (refused["line"], refused["column"]) == place


async def test_services_know_what_they_need_and_who_needs_them(api: Api, manager: Person) -> None:
    async def service(name: str, *needs: dict[str, Any]) -> dict[str, Any]:
        wanted = {"name": name, "dependsOnIds": [one["id"] for one in needs]}
        return (await api.change("createService", wanted, SERVICE, who=manager))["service"]  # type: ignore[no-any-return]

    database = await service("db")
    shop = await service("api", database)
    assert shop["dependsOn"] == [{"name": "db"}]
    found = await api.data(
        "query($id: ID!) { service(id: $id) { dependants { name } } }", {"id": database["id"]}, who=manager
    )
    assert found["service"]["dependants"] == [{"name": "api"}]

    itself = {"id": shop["id"], "dependsOnIds": [shop["id"]]}
    assert (await api.change("updateService", itself, SERVICE, who=manager))["path"] == ["dependsOnIds"]
    unknown = {"id": shop["id"], "dependsOnIds": [str(new_id())]}
    refused = await api.change("updateService", unknown, SERVICE, who=manager)
    assert (refused["__typename"], refused["path"]) == ("InvalidInput", ["dependsOnIds", "0"])
    taken = await api.change("updateService", {"id": shop["id"], "name": "db"}, SERVICE, who=manager)
    assert taken["__typename"] == "AlreadyExists"

    ended = await api.change("archiveService", {"id": database["id"]}, SERVICE, who=manager)
    assert ended["service"]["archivedAt"] is not None
    page = (await api.data("{ services(first: 1) { totalCount nodes { name dependsOn { name } } } }", who=manager))[
        "services"
    ]
    assert page == {"totalCount": 1, "nodes": [{"name": "api", "dependsOn": []}]}


async def test_an_alert_says_which_group_it_is_in_and_why(api: Api, manager: Person, operator: Person) -> None:
    rule = await a_rule(api, manager)
    first = await an_alert(api, operator, labels={"cluster": "eu"})
    second = await an_alert(api, operator, "Disk on fire", labels={"cluster": "eu"}, severity="CRITICAL")

    assert first["group"]["id"] == second["group"]["id"]
    assert second["group"] == {
        "id": first["group"]["id"],
        "title": "by cluster: cluster=eu",
        "status": "ACTIVE",
        "severity": "CRITICAL",
    }
    assert second["groupReason"].startswith("it joined an open group: rule “by cluster”, cluster=eu")
    query = """query($id: ID!) { alert(id: $id) { decisions { __typename ... on GroupDecision {
      reason opened groupedBy ruleVersion rule { id } group { id } } } } }"""
    decisions = (await api.data(query, {"id": second["id"]}, who=operator))["alert"]["decisions"]
    assert [one for one in decisions if one["__typename"] == "GroupDecision"] == [
        {
            "__typename": "GroupDecision",
            "reason": second["groupReason"],
            "opened": False,
            "groupedBy": "LABELS",
            "ruleVersion": 1,
            "rule": {"id": rule["id"]},
            "group": {"id": first["group"]["id"]},
        }
    ]
    query = """query($id: ID!) { alertGroup(id: $id) { openAlerts ruleVersion rule { name } groupedBy resolvedAt
      alerts { totalCount nodes { title groupReason } } timeline { nodes { kind reason actor { __typename }
      about { id } } } } }"""
    found = (await api.data(query, {"id": first["group"]["id"]}, who=operator))["alertGroup"]
    assert (found["openAlerts"], found["alerts"]["totalCount"], found["resolvedAt"]) == (2, 2, None)
    assert found["rule"] == {"name": "by cluster"}
    (opened,) = found["timeline"]["nodes"]
    assert (opened["kind"], opened["actor"]["__typename"]) == ("OPENED", "SystemActor")
    assert opened["about"] == [{"id": first["id"]}]


async def test_a_groups_state_is_that_of_its_members_and_found_by_it(
    api: Api, manager: Person, operator: Person
) -> None:
    await a_rule(api, manager)
    first = await an_alert(api, operator, labels={"cluster": "eu"}, serviceName="api")
    worst = await an_alert(api, operator, "worse", labels={"cluster": "eu"}, severity="CRITICAL", serviceName="db")
    await an_alert(api, operator, "beside", labels={"cluster": "us"}, severity="LOW")

    async def state() -> tuple[str, str]:
        query = "query($id: ID!) { alertGroup(id: $id) { status severity } }"
        found = (await api.data(query, {"id": first["group"]["id"]}, who=operator))["alertGroup"]
        return found["status"], found["severity"]

    async def found(**wanted: object) -> list[str]:
        query = "query($filter: AlertGroupFilter) { alertGroups(filter: $filter) { totalCount nodes { title } } }"
        page = (await api.data(query, {"filter": wanted}, who=operator))["alertGroups"]
        assert page["totalCount"] == len(page["nodes"])
        return [node["title"] for node in page["nodes"]]

    assert await state() == ("ACTIVE", "CRITICAL")
    assert await found(severity=["CRITICAL"], isOpen=True) == ["by cluster: cluster=eu"]
    assert await found(serviceName=["db"]) == ["by cluster: cluster=eu"]
    assert await found(serviceName=["mail"]) == await found(teamId=[str(new_id())]) == await found(ruleId=["x"]) == []
    await api.change("resolveAlert", {"id": worst["id"]}, "alert { id }", who=operator)
    assert await state() == ("ACTIVE", "HIGH"), "the worst of those that are open"
    await api.change("acknowledgeAlert", {"id": first["id"]}, "alert { id }", who=operator)
    assert await state() == ("ACKNOWLEDGED", "HIGH")
    await api.change("resolveAlert", {"id": first["id"]}, "alert { id }", who=operator)
    assert await state() == ("RESOLVED", "CRITICAL")
    assert await found(status=["RESOLVED"]) == ["by cluster: cluster=eu"]
    assert await found(isOpen=True) == ["by cluster: cluster=us"]
