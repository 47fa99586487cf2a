"""Which words do alert rules have in the API?"""

from domain.rules.builder import Field, Operator
from domain.rules.events import AlertRuleEventKind
from domain.rules.model import Priority, RuleMode
from graphql_api.exposes import expose_enum

expose_enum(
    RuleMode,
    name="AlertRuleMode",
    description="What a rule does when its condition holds.",
    values={
        RuleMode.ENABLED: "It changes the alert, and the decision says what.",
        RuleMode.MONITOR: "It changes nothing; the decision says what it would have changed.",
        RuleMode.DISABLED: "It is not asked.",
    },
)
expose_enum(
    Priority,
    description="How soon somebody should look; kept as the label `priority`.",
    values={
        Priority.P1: "At once.",
        Priority.P2: "Within the hour.",
        Priority.P3: "Today.",
        Priority.P4: "This week.",
        Priority.P5: "When there is time.",
    },
)
expose_enum(
    AlertRuleEventKind,
    description="What happened to an alert rule.",
    values={
        AlertRuleEventKind.CREATED: "It was made.",
        AlertRuleEventKind.UPDATED: "It was edited, switched on or off: `changes` says what.",
        AlertRuleEventKind.REORDERED: "It has another place in the order.",
        AlertRuleEventKind.ARCHIVED: "It was ended.",
    },
)
expose_enum(
    Field,
    name="AlertConditionField",
    description="What of an alert a comparison looks at.",
    values={
        Field.TITLE: "Its title.",
        Field.DESCRIPTION: "Its description; empty where it has none.",
        Field.SEVERITY: "Its severity; the values are CRITICAL, HIGH, MEDIUM and LOW, and have an order.",
        Field.SOURCE: "Where it comes from, as its integration says.",
        Field.SERVICE: "Its service; empty where it has none.",
        Field.LABEL: "One of its labels, which `label` names.",
        Field.INTEGRATION: "The id of its integration.",
        Field.DEDUP_KEY: "Its deduplication key.",
        Field.TEAM: "The id of its team; empty where it has none.",
        Field.STATUS: "Its status: active, acknowledged, investigating or resolved.",
        Field.OCCURRENCES: "How often its source has said it.",
    },
)
expose_enum(
    Operator,
    name="AlertConditionOperator",
    description="How it is compared. What says *not* counts an absent label as empty.",
    values={
        Operator.EQUALS: "It is the value.",
        Operator.NOT_EQUALS: "It is another than the value.",
        Operator.IN: "It is one of the values.",
        Operator.NOT_IN: "It is none of the values.",
        Operator.CONTAINS: "The value is a part of it; the case of letters counts.",
        Operator.NOT_CONTAINS: "The value is no part of it.",
        Operator.STARTS_WITH: "It begins with the value.",
        Operator.NOT_STARTS_WITH: "It does not begin with the value.",
        Operator.ENDS_WITH: "It ends with the value.",
        Operator.NOT_ENDS_WITH: "It does not end with the value.",
        Operator.MATCHES: "A part of it fits the regular expression (RE2); ^ and $ bind it to both ends.",
        Operator.NOT_MATCHES: "No part of it fits the regular expression.",
        Operator.AT_LEAST: "It is the value or more: severities and occurrences.",
        Operator.AT_MOST: "It is the value or less: severities and occurrences.",
        Operator.EXISTS: "The label is there, whatever its value.",
        Operator.NOT_EXISTS: "The label is absent.",
    },
)

__all__ = ["AlertRuleEventKind", "Field", "Operator", "Priority", "RuleMode"]
