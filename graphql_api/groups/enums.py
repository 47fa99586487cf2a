"""Which words has correlation? Each with what it means."""

from domain.alerts.groups import GroupEventKind
from domain.correlation.model import GroupedBy, GroupField, GroupStrategy
from graphql_api.exposes import expose_enum

__all__ = ["GroupEventKind", "GroupField", "GroupStrategy", "GroupedBy"]

expose_enum(
    GroupStrategy,
    name="GroupStrategy",
    description="How a group rule tells which alerts are one problem.",
    values={
        GroupStrategy.LABELS: "Those with equal labels and fields.",
        GroupStrategy.TOGETHER: "Those that are parts of something, once each part was seen within the window.",
        GroupStrategy.TOPOLOGY: "Those of a service and of what depends on it.",
        GroupStrategy.SIMILARITY: "Those with titles alike, once numbers, ids and hosts are masked.",
    },
)
expose_enum(
    GroupedBy,
    name="GroupedBy",
    description="What put an alert into its group.",
    values={
        GroupedBy.LABELS: "A group rule: equal labels and fields.",
        GroupedBy.TOGETHER: "A group rule: parts that were seen together.",
        GroupedBy.TOPOLOGY: "A group rule: a service and what depends on it.",
        GroupedBy.SIMILARITY: "A group rule: titles alike.",
        GroupedBy.KEY: "The group key that an alert rule gave it.",
        GroupedBy.PERSON: "A person.",
    },
)
expose_enum(
    GroupField,
    name="GroupField",
    description="What else than labels alerts may have in common.",
    values={
        GroupField.SERVICE: "The service.",
        GroupField.SOURCE: "Where it comes from.",
        GroupField.SEVERITY: "The severity.",
        GroupField.INTEGRATION: "The integration.",
        GroupField.TITLE_TEMPLATE: "The title, once numbers, ids and hosts are masked.",
    },
)
expose_enum(
    GroupEventKind,
    name="AlertGroupEventKind",
    description="What happened to a group itself; what happens to its members is on their timelines.",
    values={
        GroupEventKind.OPENED: "It was made.",
        GroupEventKind.RENAMED: "Somebody gave it another title.",
        GroupEventKind.ALERTS_ADDED: "Somebody put alerts into it.",
        GroupEventKind.ALERTS_REMOVED: "Somebody took alerts out of it.",
        GroupEventKind.MERGED: "Another group was merged into it.",
        GroupEventKind.MERGED_AWAY: "It was merged into another group.",
        GroupEventKind.SPLIT: "Some of its alerts became a group of their own.",
        GroupEventKind.ACKNOWLEDGED: "Somebody acknowledged its open alerts.",
        GroupEventKind.RESOLVED: "Somebody resolved its open alerts.",
        GroupEventKind.PAGED: "An escalation began that stands for all its alerts of one team.",
        GroupEventKind.PAGE_JOINED: "Alerts came under its escalation: nobody is told of each.",
        GroupEventKind.PAGED_AGAIN: "Its escalation goes on, or began again; `reason` says why.",
        GroupEventKind.PAGE_ANSWERED: "All of its alerts that called were answered.",
        GroupEventKind.PAGE_PAUSED: "Its escalation pauses; `reason` says why.",
        GroupEventKind.PAGE_OVER: "Its escalation ended.",
    },
)
