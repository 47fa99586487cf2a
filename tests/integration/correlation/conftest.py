"""What the tests of correlation over the API share."""

from typing import Any

from tests.api import Api, Person

RULE = """groupRule { id name strategy rank enabled matchers condition labels fields parts { name matchers } window
  maxAge threshold version archivedAt }"""


async def a_rule(api: Api, who: Person, **values: object) -> dict[str, Any]:
    """A rule made over the API."""
    wanted = {"name": "by cluster", "strategy": "LABELS", "labels": ["cluster"], **values}
    answer = await api.change("createGroupRule", wanted, RULE, who=who)
    assert answer["__typename"] == "CreateGroupRuleSuccess", answer
    made: dict[str, Any] = answer["groupRule"]
    return made


async def an_alert(api: Api, who: Person, title: str = "Disk full", **values: object) -> dict[str, Any]:
    """An alert made over the API, with its group."""
    wanted = {"title": title, "severity": "HIGH", **values}
    answer = await api.change(
        "createAlert", wanted, "alert { id title version groupReason group { id title status severity } }", who=who
    )
    assert answer["__typename"] == "CreateAlertSuccess", answer
    made: dict[str, Any] = answer["alert"]
    return made
