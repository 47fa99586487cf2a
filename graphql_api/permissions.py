"""Who may do what? One table of fields and what each asks of its caller; graphql_api/guards.py enforces it.

A root field that is not in the table stops the schema from building, so none can be added without a decision. Fields of
other types are reached only through a root field; those that ask more than their parent are in `FIELDS`. The test that
walks every field as every role and with every scope is tests/integration/access/test_every_field.py.
What a viewer may *see* of a list is another matter: domain/alerts/visibility.py.
"""

from collections.abc import Mapping

from domain.access.scopes import Scope
from graphql_api.needs import Access, Line, Need, table

# An `Access` alone: no API key may. `Need(role, scope)`: a key with the scope, acting for an owner with the role.
QUERIES: Mapping[str, Line] = {
    "me": Access.ANYONE,
    "serverInfo": Access.ANYONE,
    "identityProviders": Access.ANYONE,
    "sessions": Need(Access.VIEWER, personal=True),
    "mySecondFactors": Access.VIEWER,
    "dataExports": Need(Access.VIEWER, personal=True),
    "users": Need(Access.VIEWER, Scope.PEOPLE_READ),
    "user": Need(Access.VIEWER, Scope.PEOPLE_READ),
    "invitations": Access.ADMIN,
    "teams": Need(Access.VIEWER, Scope.PEOPLE_READ),
    "team": Need(Access.VIEWER, Scope.PEOPLE_READ),
    "alert": Need(Access.VIEWER, Scope.ALERTS_READ),
    "alerts": Need(Access.VIEWER, Scope.ALERTS_READ),
    "alertCounts": Need(Access.VIEWER, Scope.ALERTS_READ),
    "noiseReport": Need(Access.VIEWER, Scope.ALERTS_READ),
    "noiseSuggestions": Need(Access.VIEWER, Scope.ALERTS_READ),
    "searchAlerts": Need(Access.VIEWER, Scope.ALERTS_READ),
    "alertGroup": Need(Access.VIEWER, Scope.ALERTS_READ),
    "alertGroups": Need(Access.VIEWER, Scope.ALERTS_READ),
    "alertRule": Need(Access.VIEWER, Scope.ALERTS_READ),
    "alertRules": Need(Access.VIEWER, Scope.ALERTS_READ),
    "checkCondition": Need(Access.VIEWER, Scope.ALERTS_READ),
    "groupRule": Need(Access.VIEWER, Scope.ALERTS_READ),
    "groupRules": Need(Access.VIEWER, Scope.ALERTS_READ),
    "service": Need(Access.VIEWER, Scope.ALERTS_READ),
    "services": Need(Access.VIEWER, Scope.ALERTS_READ),
    "integration": Need(Access.VIEWER, Scope.INTEGRATIONS_READ),
    "integrations": Need(Access.VIEWER, Scope.INTEGRATIONS_READ),
    "ingestReceipt": Need(Access.VIEWER, Scope.INTEGRATIONS_READ),
    "rejectedItems": Need(Access.MANAGER, Scope.INTEGRATIONS_READ),
    "trustedDocuments": Need(Access.ADMIN, Scope.DOCUMENTS_WRITE),
    "auditEntries": Need(Access.ADMIN, Scope.AUDIT_READ, personal=True),
    "auditEntry": Need(Access.ADMIN, Scope.AUDIT_READ, personal=True),
    "auditSeals": Need(Access.ADMIN, Scope.AUDIT_READ),
    "serviceAccounts": Access.ADMIN,
    "apiKeys": Access.ADMIN,
    "myApiKeys": Access.VIEWER,
    "schedule": Need(Access.VIEWER, Scope.PEOPLE_READ),
    "schedules": Need(Access.VIEWER, Scope.PEOPLE_READ),
    "onCall": Need(Access.VIEWER, Scope.PEOPLE_READ),
    "escalationPolicy": Need(Access.VIEWER, Scope.PEOPLE_READ),
    "escalationPolicies": Need(Access.VIEWER, Scope.PEOPLE_READ),
    "simulateRouting": Need(Access.VIEWER, Scope.PEOPLE_READ),
    "escalationCoverage": Need(Access.VIEWER, Scope.PEOPLE_READ),
    "channelKinds": Need(Access.VIEWER, Scope.PEOPLE_READ),
    "channel": Need(Access.VIEWER, Scope.PEOPLE_READ),
    "channels": Need(Access.VIEWER, Scope.PEOPLE_READ),
    "notification": Need(Access.VIEWER, Scope.ALERTS_READ),
    "thresholdRule": Need(Access.VIEWER, Scope.PEOPLE_READ),
    "thresholdRules": Need(Access.VIEWER, Scope.PEOPLE_READ),
    "heartbeat": Need(Access.VIEWER, Scope.PEOPLE_READ),
    "heartbeats": Need(Access.VIEWER, Scope.PEOPLE_READ),
    "silence": Need(Access.VIEWER, Scope.ALERTS_READ),
    "silences": Need(Access.VIEWER, Scope.ALERTS_READ),
    "maintenanceWindow": Need(Access.VIEWER, Scope.ALERTS_READ),
    "maintenanceWindows": Need(Access.VIEWER, Scope.ALERTS_READ),
}
MUTATIONS: Mapping[str, Line] = {
    # People
    "login": Need(Access.ANYONE, credential=True),
    "completeLogin": Need(Access.ANYONE, credential=True),
    "beginPasskeySignIn": Access.ANYONE,
    "finishPasskeySignIn": Need(Access.ANYONE, credential=True),
    "refreshSession": Access.ANYONE,
    "completeFederatedSignIn": Need(Access.ANYONE, credential=True),
    "logout": Access.VIEWER,
    # Second factors: one's own, but for the last
    "beginPasskeyStepUp": Access.VIEWER,
    "stepUp": Need(Access.VIEWER, credential=True),
    "beginTotpEnrolment": Access.VIEWER,
    "confirmTotpEnrolment": Need(Access.VIEWER, credential=True),
    "disableTotp": Access.VIEWER,
    "regenerateRecoveryCodes": Access.VIEWER,
    "beginPasskeyRegistration": Access.VIEWER,
    "finishPasskeyRegistration": Access.VIEWER,
    "renamePasskey": Access.VIEWER,
    "removePasskey": Access.VIEWER,
    "resetUserFactors": Access.ADMIN,
    "revokeSession": Access.VIEWER,
    "revokeOtherSessions": Access.VIEWER,
    "revokeUserSessions": Access.ADMIN,
    "linkIdentity": Access.VIEWER,
    "unlinkIdentity": Access.VIEWER,
    # … accounts: what a stranger may do, or whoever has a mailed link
    "register": Access.ANYONE,
    "resendVerification": Access.ANYONE,
    "verifyAddress": Need(Access.ANYONE, credential=True),
    "requestPasswordReset": Access.ANYONE,
    "resetPassword": Need(Access.ANYONE, credential=True),
    "acceptInvitation": Need(Access.ANYONE, credential=True),
    "confirmAddressChange": Need(Access.ANYONE, credential=True),
    # … a person with their own account
    "updateMe": Access.VIEWER,
    # Their data: one's own, or an administrator's doing for somebody
    "requestDataExport": Access.VIEWER,
    "eraseMe": Access.VIEWER,
    "eraseUser": Access.ADMIN,
    "changePassword": Need(Access.VIEWER, credential=True),
    "requestAddressChange": Need(Access.VIEWER, credential=True),
    # … an administrator
    "inviteUser": Access.ADMIN,
    "revokeInvitation": Access.ADMIN,
    "updateUser": Access.ADMIN,
    "changeUserRole": Access.ADMIN,
    "deactivateUser": Access.ADMIN,
    "reactivateUser": Access.ADMIN,
    "createUser": Access.ADMIN,
    "createTeam": Need(Access.MANAGER, Scope.TEAMS_WRITE),
    # Teams: each looks in which team the role is.
    "updateTeam": Need(Access.MANAGER, Scope.TEAMS_WRITE, in_team=True),
    "addTeamMember": Need(Access.MANAGER, Scope.TEAMS_WRITE, in_team=True),
    "changeTeamRole": Need(Access.MANAGER, Scope.TEAMS_WRITE, in_team=True),
    # Everybody may leave.
    "removeTeamMember": Need(Access.VIEWER, Scope.TEAMS_WRITE),
    "setTeamOwnership": Need(Access.MANAGER, Scope.TEAMS_WRITE, in_team=True),
    "handOverTeam": Need(Access.MANAGER, Scope.TEAMS_WRITE, in_team=True),
    "archiveTeam": Need(Access.MANAGER, Scope.TEAMS_WRITE, in_team=True),
    # Alerts
    "createAlert": Need(Access.OPERATOR, Scope.ALERTS_WRITE),
    "updateAlert": Need(Access.OPERATOR, Scope.ALERTS_WRITE),
    "acknowledgeAlert": Need(Access.OPERATOR, Scope.ALERTS_WRITE),
    "investigateAlert": Need(Access.OPERATOR, Scope.ALERTS_WRITE),
    "resolveAlert": Need(Access.OPERATOR, Scope.ALERTS_WRITE),
    "reopenAlert": Need(Access.OPERATOR, Scope.ALERTS_WRITE),
    "assignAlert": Need(Access.OPERATOR, Scope.ALERTS_WRITE),
    "moveAlert": Need(Access.OPERATOR, Scope.ALERTS_WRITE),
    "commentOnAlert": Need(Access.OPERATOR, Scope.ALERTS_WRITE),
    "snoozeAlert": Need(Access.OPERATOR, Scope.ALERTS_WRITE),
    "wakeAlert": Need(Access.OPERATOR, Scope.ALERTS_WRITE),
    "acknowledgeAlerts": Need(Access.OPERATOR, Scope.ALERTS_WRITE),
    "resolveAlerts": Need(Access.OPERATOR, Scope.ALERTS_WRITE),
    "assignAlerts": Need(Access.OPERATOR, Scope.ALERTS_WRITE),
    "moveAlerts": Need(Access.OPERATOR, Scope.ALERTS_WRITE),
    "deleteAttachment": Need(Access.OPERATOR, Scope.ALERTS_WRITE),
    # What alerts go through when they arrive
    "createAlertRule": Need(Access.MANAGER, Scope.ALERTS_WRITE),
    "updateAlertRule": Need(Access.MANAGER, Scope.ALERTS_WRITE),
    "deleteAlertRule": Need(Access.MANAGER, Scope.ALERTS_WRITE),
    "reorderAlertRules": Need(Access.MANAGER, Scope.ALERTS_WRITE),
    # Groups of alerts, and what makes them
    "acknowledgeAlertGroup": Need(Access.OPERATOR, Scope.ALERTS_WRITE),
    "resolveAlertGroup": Need(Access.OPERATOR, Scope.ALERTS_WRITE),
    "updateAlertGroup": Need(Access.OPERATOR, Scope.ALERTS_WRITE),
    "mergeAlertGroups": Need(Access.OPERATOR, Scope.ALERTS_WRITE),
    "splitAlertGroup": Need(Access.OPERATOR, Scope.ALERTS_WRITE),
    "moveAlertToGroup": Need(Access.OPERATOR, Scope.ALERTS_WRITE),
    "removeAlertFromGroup": Need(Access.OPERATOR, Scope.ALERTS_WRITE),
    "createGroupRule": Need(Access.MANAGER, Scope.ALERTS_WRITE),
    "updateGroupRule": Need(Access.MANAGER, Scope.ALERTS_WRITE),
    "archiveGroupRule": Need(Access.MANAGER, Scope.ALERTS_WRITE),
    "createService": Need(Access.MANAGER, Scope.ALERTS_WRITE),
    "updateService": Need(Access.MANAGER, Scope.ALERTS_WRITE),
    "archiveService": Need(Access.MANAGER, Scope.ALERTS_WRITE),
    # Integrations
    "createIntegration": Need(Access.MANAGER, Scope.INTEGRATIONS_WRITE),
    "updateIntegration": Need(Access.MANAGER, Scope.INTEGRATIONS_WRITE),
    "rotateIntegrationKey": Need(Access.MANAGER, Scope.INTEGRATIONS_WRITE),
    "revokeIntegrationKey": Need(Access.MANAGER, Scope.INTEGRATIONS_WRITE),
    "archiveIntegration": Need(Access.MANAGER, Scope.INTEGRATIONS_WRITE),
    "previewSignal": Need(Access.MANAGER, Scope.INTEGRATIONS_READ),
    "replayRejectedItems": Need(Access.MANAGER, Scope.INTEGRATIONS_WRITE),
    # Service accounts and keys: no key makes, changes or ends one
    "createServiceAccount": Access.ADMIN,
    "updateServiceAccount": Access.ADMIN,
    "archiveServiceAccount": Access.ADMIN,
    "createApiKey": Access.ADMIN,
    "createMyApiKey": Access.VIEWER,
    "rotateApiKey": Access.VIEWER,
    "revokeApiKey": Access.VIEWER,
    # Trusted documents
    "registerDocuments": Need(Access.ADMIN, Scope.DOCUMENTS_WRITE),
    "removeDocument": Need(Access.ADMIN, Scope.DOCUMENTS_WRITE),
    # Silences: each looks in which team the role is.
    "createSilence": Need(Access.OPERATOR, Scope.ALERTS_WRITE, in_team=True),
    "updateSilence": Need(Access.OPERATOR, Scope.ALERTS_WRITE, in_team=True),
    "expireSilence": Need(Access.OPERATOR, Scope.ALERTS_WRITE, in_team=True),
    "previewSilence": Need(Access.OPERATOR, Scope.ALERTS_READ, in_team=True),
    "createMaintenanceWindow": Need(Access.MANAGER, Scope.ALERTS_WRITE, in_team=True),
    "updateMaintenanceWindow": Need(Access.MANAGER, Scope.ALERTS_WRITE, in_team=True),
    "archiveMaintenanceWindow": Need(Access.MANAGER, Scope.ALERTS_WRITE, in_team=True),
    "previewMaintenanceWindow": Need(Access.MANAGER, Scope.ALERTS_READ, in_team=True),
    # On-call schedules
    "createSchedule": Need(Access.MANAGER, Scope.TEAMS_WRITE, in_team=True),
    "updateSchedule": Need(Access.MANAGER, Scope.TEAMS_WRITE, in_team=True),
    "archiveSchedule": Need(Access.MANAGER, Scope.TEAMS_WRITE, in_team=True),
    "previewSchedule": Need(Access.VIEWER, Scope.PEOPLE_READ),
    "createScheduleOverride": Need(Access.OPERATOR, Scope.TEAMS_WRITE, in_team=True),
    "removeScheduleOverride": Need(Access.OPERATOR, Scope.TEAMS_WRITE, in_team=True),
    # Escalation policies
    "createEscalationPolicy": Need(Access.MANAGER, Scope.TEAMS_WRITE, in_team=True),
    "updateEscalationPolicy": Need(Access.MANAGER, Scope.TEAMS_WRITE, in_team=True),
    "archiveEscalationPolicy": Need(Access.MANAGER, Scope.TEAMS_WRITE, in_team=True),
    # Channels
    "createChannel": Need(Access.MANAGER, Scope.TEAMS_WRITE, in_team=True),
    "updateChannel": Need(Access.MANAGER, Scope.TEAMS_WRITE, in_team=True),
    "archiveChannel": Need(Access.MANAGER, Scope.TEAMS_WRITE, in_team=True),
    "testChannel": Need(Access.MANAGER, Scope.TEAMS_WRITE, in_team=True),
    # Threshold rules and heartbeats
    "createThresholdRule": Need(Access.MANAGER, Scope.TEAMS_WRITE, in_team=True),
    "updateThresholdRule": Need(Access.MANAGER, Scope.TEAMS_WRITE, in_team=True),
    "archiveThresholdRule": Need(Access.MANAGER, Scope.TEAMS_WRITE, in_team=True),
    "previewThresholdRule": Need(Access.VIEWER, Scope.ALERTS_READ),
    "createHeartbeat": Need(Access.MANAGER, Scope.TEAMS_WRITE, in_team=True),
    "updateHeartbeat": Need(Access.MANAGER, Scope.TEAMS_WRITE, in_team=True),
    "rotateHeartbeatKey": Need(Access.MANAGER, Scope.TEAMS_WRITE, in_team=True),
    "pauseHeartbeat": Need(Access.MANAGER, Scope.TEAMS_WRITE, in_team=True),
    "resumeHeartbeat": Need(Access.MANAGER, Scope.TEAMS_WRITE, in_team=True),
    "archiveHeartbeat": Need(Access.MANAGER, Scope.TEAMS_WRITE, in_team=True),
}
SUBSCRIPTIONS: Mapping[str, Line] = {
    "alertEvents": Need(Access.VIEWER, Scope.ALERTS_READ),
    "alertEventBatches": Need(Access.VIEWER, Scope.ALERTS_READ),
    "alertCounts": Need(Access.VIEWER, Scope.ALERTS_READ),
    "alertRuleEvents": Need(Access.VIEWER, Scope.ALERTS_READ),
    "teamEvents": Need(Access.VIEWER, Scope.PEOPLE_READ),
}
ROOT_FIELDS: Mapping[str, Mapping[str, Need]] = {
    "Query": table(QUERIES),
    "Mutation": table(MUTATIONS),
    "Subscription": table(SUBSCRIPTIONS),
}

# Fields of other types that ask more than the field that led to them, as "Type.field". An id and a name in passing (who
# acknowledged this?) go with what they are part of; the rest of a person, a team or an integration does not.
_PERSON = Need(Access.VIEWER, Scope.PEOPLE_READ, personal=True)
_TEAM = Need(Access.VIEWER, Scope.PEOPLE_READ)
_INTEGRATION = Need(Access.VIEWER, Scope.INTEGRATIONS_READ)
FIELDS: Mapping[str, Need] = table(
    {
        "User.email": _PERSON,
        "User.hasSecondFactor": Need(Access.VIEWER, personal=True),
        "User.lastLogin": _PERSON,
        "User.sessions": Need(Access.VIEWER, personal=True),
        "User.identities": Need(Access.VIEWER, personal=True),
        "Invitation.email": Need(Access.ADMIN, personal=True),
        "User.isActive": _TEAM,
        "User.emailVerified": _TEAM,
        "User.createdAt": _TEAM,
        "User.role": _TEAM,
        "User.team": _TEAM,
        "Team.members": _TEAM,
        "Escalation.policy": _TEAM,
        "Escalation.steps": _TEAM,
        "Notification.channel": _TEAM,
        "ThresholdDecision.rule": _TEAM,
        "HeartbeatDecision.heartbeat": _TEAM,
        "ThresholdGroup.alert": Need(Access.VIEWER, Scope.ALERTS_READ),
        "Heartbeat.alert": Need(Access.VIEWER, Scope.ALERTS_READ),
        "TestChannelSuccess.notification": Need(Access.VIEWER, Scope.ALERTS_READ),
        "Team.description": _TEAM,
        "Team.ownership": _TEAM,
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
    "PageInfo": frozenset({"hasNextPage", "hasPreviousPage", "startCursor", "endCursor"}),
}

# What is asked for by an address of its own instead of in a document.
ROUTES: Mapping[str, Need] = table(
    {
        "attachFile": Need(Access.OPERATOR, Scope.ALERTS_WRITE),
        "downloadAttachment": Need(Access.VIEWER, Scope.ALERTS_READ),
        "downloadDataExport": Need(Access.VIEWER, personal=True),
    }
)
