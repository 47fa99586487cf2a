"""What is an incident elsewhere known by? A key: of an alert, or of a group by the alert that began it.

The two are never the same: an alert that stands for its group may be told of by itself, too, and ends before the group.
"""

from uuid import UUID

PREFIX = "tocsin:"
_GROUP = f"{PREFIX}group:"


def key_of_alert(alert_id: UUID) -> str:
    """The key of an alert's incident."""
    return f"{PREFIX}{alert_id}"


def key_of_group(lead_id: UUID) -> str:
    """The key of a group's incident; `lead_id` is the alert that stands for it."""
    return f"{_GROUP}{lead_id}"


def key_of_rules_group(lead_id: UUID, rule_id: UUID) -> str:
    """The key of what a routing rule tells of a group: it ends with the alerts that the rule holds for."""
    return f"{key_of_group(lead_id)}:{rule_id}"


def alert_of_key(key: str) -> tuple[UUID, bool] | None:
    """The alert a key is about, and whether it stands for a group there; None for no key of ours."""
    if not key.startswith(PREFIX):
        return None
    is_group = key.startswith(_GROUP)
    try:
        named = key.removeprefix(_GROUP).partition(":")[0] if is_group else key.removeprefix(PREFIX)
        return UUID(named), is_group
    except ValueError:
        return None


def rule_of_key(key: str) -> UUID | None:
    """The routing rule that told of the group, where one did."""
    rule_id = key.removeprefix(_GROUP).partition(":")[2] if key.startswith(_GROUP) else ""
    try:
        return UUID(rule_id) if rule_id else None
    except ValueError:
        return None
