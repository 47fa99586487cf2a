"""Which fields below a root field ask more of their caller than the field that led to them, and which never do?

An id and a name in passing (who acknowledged this?) go with what they are part of; the rest of a person, a team or an
integration does not. What root fields ask is in graphql_api/permissions.py.
"""

from collections.abc import Mapping

from domain.access.scopes import Scope
from graphql_api.needs import Access, Need, table

_PERSON = Need(Access.VIEWER, Scope.PEOPLE_READ, personal=True)
_TEAM = Need(Access.VIEWER, Scope.PEOPLE_READ)
_INTEGRATION = Need(Access.VIEWER, Scope.INTEGRATIONS_READ)
# As "Type.field".
FIELDS: Mapping[str, Need] = table(
    {
        "User.email": _PERSON,
        "User.hasSecondFactor": Need(Access.VIEWER, personal=True),
        "User.lastLogin": _PERSON,
        "User.sessions": Need(Access.VIEWER, personal=True),
        "User.identities": Need(Access.VIEWER, personal=True),
        "User.contactMethods": Need(Access.VIEWER, personal=True),
        "User.notificationPreferences": Need(Access.VIEWER, personal=True),
        "SimulatedRecipient.messages": Need(Access.VIEWER, personal=True),
        "Invitation.email": Need(Access.ADMIN, personal=True),
        "User.isActive": _TEAM,
        "User.emailVerified": _TEAM,
        "User.createdAt": _TEAM,
        "User.role": _TEAM,
        "User.team": _TEAM,
        "Team.members": _TEAM,
        "Escalation.policy": _TEAM,
        "Drill.escalation": Need(Access.VIEWER, Scope.ALERTS_READ),
        "Drill.receipts": Need(Access.VIEWER, Scope.ALERTS_READ),
        "ShiftSwap.notifications": Need(Access.VIEWER, Scope.ALERTS_READ),
        "Escalation.steps": _TEAM,
        "NotificationReason.policy": _TEAM,
        "Notification.channel": _TEAM,
        "RoutingDecision.rule": _TEAM,
        "NotificationDecision.policy": _TEAM,
        "Notification.routingRule": _TEAM,
        "EscalationTarget.channel": _TEAM,
        "ThresholdDecision.rule": _TEAM,
        "HeartbeatDecision.heartbeat": _TEAM,
        "ThresholdGroup.alert": Need(Access.VIEWER, Scope.ALERTS_READ),
        "Heartbeat.alert": Need(Access.VIEWER, Scope.ALERTS_READ),
        "TestChannelSuccess.notification": Need(Access.VIEWER, Scope.ALERTS_READ),
        "TestNotificationSuccess.notification": Access.VIEWER,
        "Team.description": _TEAM,
        "Team.ownership": _TEAM,
        "Team.pause": _TEAM,
        "Team.handover": _TEAM,
        "Team.handedOverTo": _TEAM,
        "EscalationTarget.schedule": _TEAM,
        "ServiceAccount.role": _TEAM,
        "ServiceAccount.teams": _TEAM,
        "ServiceAccount.createdBy": _TEAM,
        "ServiceAccount.keys": Need(Access.ADMIN),
        "Integration.keys": Need(Access.MANAGER, Scope.INTEGRATIONS_READ),
        "Integration.webhookUrl": _INTEGRATION,
        "Integration.severityMap": _INTEGRATION,
        "Integration.mapping": _INTEGRATION,
        "Integration.isSigned": _INTEGRATION,
        "Integration.defaultTeam": _INTEGRATION,
        "Integration.lastSeenAt": _INTEGRATION,
        "ReceiptItem.alert": Need(Access.VIEWER, Scope.ALERTS_READ),
        "RejectedItem.rawText": Need(Access.MANAGER, Scope.INTEGRATIONS_READ),
        "RejectedItem.rawBase64": Need(Access.MANAGER, Scope.INTEGRATIONS_READ),
    }
)
# What of a type goes with whatever it is part of, for keys of every scope. A type that can be reached with different
# scopes must have each of its fields here or above: tests/unit/access/test_scopes.py looks.
IN_PASSING: Mapping[str, frozenset[str]] = {
    "User": frozenset({"id", "name", "firstName", "lastName", "isErased", "version"}),
    "Team": frozenset({"id", "name", "slug", "isPrivate", "createdAt", "archivedAt", "version"}),
    "SystemActor": frozenset({"name"}),
    "FieldChange": frozenset({"field", "before", "after"}),
    "StreamReset": frozenset({"reason", "resumeAfter"}),
    "EscalationStep": frozenset({"delay", "targets"}),
    "EscalationTarget": frozenset({"kind", "user", "team"}),
    "ServiceAccount": frozenset({"id", "name", "createdAt", "archivedAt", "version"}),
    "Integration": frozenset({"id", "name", "source", "createdAt", "archivedAt", "version"}),
    "AlertComparison": frozenset({"field", "operator", "values", "label"}),
    "AlertConditionAll": frozenset({"all"}),
    "AlertConditionAny": frozenset({"any"}),
    "AlertConditionNot": frozenset({"condition"}),
    "RefusedTime": frozenset({"startsAt", "endsAt"}),
    "OpenedGap": frozenset({"teamId", "severities", "startsAt", "endsAt"}),
    "PageInfo": frozenset({"hasNextPage", "hasPreviousPage", "startCursor", "endCursor"}),
}
