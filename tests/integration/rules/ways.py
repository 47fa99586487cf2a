"""What does a test of alert rules do again and again? Make and change rules, and read alerts with what rules did."""

from typing import Any

from tests.api import Api, Person

RULE = """rule { id name condition mode position stops serviceFilter version archivedAt asksAlert
  effects { severity priority suppress labels dedupBy groupBy reopenWindow autoResolveAfter team { id } }
  activity { matches failures lastFailure } }"""
ALERT = """query($id: ID!) { alert(id: $id) {
  id severity labels status occurrences dedupKey team { name } version resolvedBy
  suppression { silences { id } rules { name effects { suppress } } }
  decisions { __typename ... on Explanation { reason }
    ... on AlertRuleDecision { ruleVersion isMonitored failure rule { name } changes { field before after } } }
  timeline { nodes { kind changes { field before after } } } } }"""


async def make_rule(api: Api, who: Person, name: str, condition: str, **more: object) -> dict[str, Any]:
    """A new rule."""
    what = {"name": name, "condition": condition, **more}
    answer = await api.change("createAlertRule", what, RULE, who=who)
    assert answer["__typename"] == "CreateAlertRuleSuccess", answer
    rule: dict[str, Any] = answer["rule"]
    return rule


async def change_rule(api: Api, who: Person, rule: dict[str, Any], **more: object) -> dict[str, Any]:
    """The rule after an edit."""
    answer = await api.change("updateAlertRule", {"id": rule["id"], **more}, RULE, who=who)
    assert answer["__typename"] == "UpdateAlertRuleSuccess", answer
    changed: dict[str, Any] = answer["rule"]
    return changed


async def read_alert(api: Api, alert_id: str, who: Person) -> dict[str, Any]:
    """The alert, with what was decided."""
    found: dict[str, Any] = (await api.data(ALERT, {"id": alert_id}, who=who))["alert"]
    return found


def by_rules(alert: dict[str, Any]) -> list[dict[str, Any]]:
    """The decisions of rules."""
    return [one for one in alert["decisions"] if one["__typename"] == "AlertRuleDecision"]
