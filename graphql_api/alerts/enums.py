"""Which words does the API have for alerts? The domain's enums, each value with its meaning."""

from enum import StrEnum

from domain.alerts.events import AlertEventKind, Via
from domain.alerts.model import AlertStatus, ResolvedBy
from domain.alerts.order import AlertOrderField
from domain.silences.matchers import MatchOperator
from graphql_api.exposes import expose_enum

expose_enum(
    AlertStatus,
    description="Where an alert is in its life.",
    values={
        AlertStatus.ACTIVE: "It stands, and nobody has taken it.",
        AlertStatus.ACKNOWLEDGED: "Somebody has seen it and takes care.",
        AlertStatus.INVESTIGATING: "Somebody is looking for the cause.",
        AlertStatus.RESOLVED: "It is over.",
    },
)
expose_enum(
    ResolvedBy,
    description="Who ended an alert.",
    values={
        ResolvedBy.SOURCE: "The monitoring tool said that it is over.",
        ResolvedBy.PERSON: "A person resolved it.",
        ResolvedBy.EXPIRY: "The time its source gave it passed without a re-send.",
    },
)
expose_enum(
    AlertEventKind,
    description="What happened to an alert.",
    values={
        AlertEventKind.OPENED: "It was opened.",
        AlertEventKind.REPEATED: "Its source said the same again; at most one such event a minute, with a count.",
        AlertEventKind.UPDATED: "Its source or a person changed what it says.",
        AlertEventKind.ACKNOWLEDGED: "Somebody takes care of it.",
        AlertEventKind.UNACKNOWLEDGED: "The acknowledgement timed out: it needs somebody again.",
        AlertEventKind.INVESTIGATING: "Somebody is looking for the cause.",
        AlertEventKind.RESOLVED: "It is over.",
        AlertEventKind.REOPENED: "It was not over: a new episode of the same alert.",
        AlertEventKind.ASSIGNED: "It was given to somebody, or to nobody.",
        AlertEventKind.MOVED: "It was given to another team, or to none.",
        AlertEventKind.COMMENTED: "Somebody wrote a note.",
        AlertEventKind.SNOOZED: "It is left in peace for a time.",
        AlertEventKind.WOKEN: "Its snooze ended.",
        AlertEventKind.SUPPRESSED: "A silence began to hold it.",
        AlertEventKind.UNSUPPRESSED: "A silence that held it ended.",
        AlertEventKind.GROUPED: "It was put into a group.",
        AlertEventKind.UNGROUPED: "It was taken out of a group.",
        AlertEventKind.FLAPPING_STARTED: "It turned so often that it is marked as flapping.",
        AlertEventKind.FLAPPING_ENDED: "It stopped turning: the mark of flapping ended.",
        AlertEventKind.PAUSE_ENDED: "It did not end by itself within its pause, and calls for somebody.",
        AlertEventKind.ATTACHMENT_ADDED: "A file was attached.",
        AlertEventKind.ATTACHMENT_REMOVED: "A file was removed.",
        AlertEventKind.REDACTED: "The words of a person who was erased were taken out of earlier entries.",
    },
)
expose_enum(
    Via,
    name="AlertEventVia",
    description="From where somebody acted who was not in Tocsin itself.",
    values={
        Via.LINK: "By the link of a message.",
        Via.SMS: "By a reply to a text message.",
        Via.SLACK: "By a button in Slack.",
        Via.PAGERDUTY: "In PagerDuty, where the alert's incident is.",
    },
)
expose_enum(
    AlertOrderField,
    description="What a list of alerts is ordered by; equal ones by age, then by id.",
    values={
        AlertOrderField.CREATED_AT: "When the alert was opened.",
        AlertOrderField.UPDATED_AT: "When it last changed.",
        AlertOrderField.LAST_SEEN_AT: "When its source last spoke of it.",
        AlertOrderField.SEVERITY: "How bad it is.",
    },
)
expose_enum(
    MatchOperator,
    description="How a label is compared with a matcher's value. A label that is absent counts as empty.",
    values={
        MatchOperator.EQUAL: "The label has this value.",
        MatchOperator.NOT_EQUAL: "The label has another value.",
        MatchOperator.REGEX: "The whole of the label matches this regular expression.",
        MatchOperator.NOT_REGEX: "The whole of the label does not match this regular expression.",
    },
)


class OrderDirection(StrEnum):
    """Which end of an order comes first."""

    ASC = "asc"
    DESC = "desc"


expose_enum(
    OrderDirection,
    description="Which end of an order comes first.",
    values={
        OrderDirection.ASC: "The oldest, or the least severe.",
        OrderDirection.DESC: "The newest, or the worst.",
    },
)


class FoldOutcome(StrEnum):
    """What a signal did to its alert."""

    OPENED = "opened"
    REOPENED = "reopened"


expose_enum(
    FoldOutcome,
    description="What a signal did to its alert.",
    values={
        FoldOutcome.OPENED: "It opened the alert.",
        FoldOutcome.REOPENED: "It opened a resolved alert again.",
    },
)

__all__ = [
    "AlertEventKind",
    "AlertOrderField",
    "AlertStatus",
    "FoldOutcome",
    "MatchOperator",
    "OrderDirection",
    "ResolvedBy",
    "Via",
]
