"""Which tables are there? The schema as SQLAlchemy sees it; migrations/ is what the database runs.

Names in `alerts`, `users` and `alert_rules` are fixed by the product's data model and never renamed or dropped.
Four tables are range-partitioned by time, so that old data leaves by DROP, not by DELETE; their partitions are made
by persistence/partitions.py. Rows there carry no foreign keys: a key check a row would cost more than the insert,
and the ids are made by the same transaction that makes the row they name.
"""

from persistence.tables.access import api_keys, service_account_teams, service_accounts
from persistence.tables.accounts import account_requests, admissions, one_time_tokens
from persistence.tables.alerts import (
    alert_groups,
    alert_rules,
    alerts,
    attachments,
    early_resolves,
    integration_activity,
    integration_keys,
    integrations,
    silences,
)
from persistence.tables.answering import inbound_calls, slack_answers, slack_messages
from persistence.tables.audit import audit_log, audit_seals
from persistence.tables.base import OPEN, XID8, metadata
from persistence.tables.contacts import contact_codes, contact_methods, contact_preferences, text_messages
from persistence.tables.correlation import (
    alert_group_events,
    alert_group_keys,
    alert_group_sightings,
    correlation_version,
    group_rules,
    inhibition_rules,
    inhibitors,
    service_dependencies,
    services,
)
from persistence.tables.counts import (
    alert_count_changes,
    alert_counts,
    alert_counts_frontier,
    alert_daily_counts,
    alert_team_counts,
)
from persistence.tables.documents import trusted_documents
from persistence.tables.drills import drills
from persistence.tables.due import due_marks, set_aside
from persistence.tables.escalations import (
    channels,
    escalation_members,
    escalation_policies,
    escalations,
    notifications,
)
from persistence.tables.factors import (
    code_guesses,
    identity_challenges,
    passkeys,
    recovery_codes,
    totp_secrets,
)
from persistence.tables.federation import federation_codes, federation_flows, identities
from persistence.tables.log import (
    alert_events,
    alert_metrics,
    leases,
    log_epoch,
    receipts,
    rejected_items,
    relay_cursors,
    signals,
)
from persistence.tables.mail import outgoing_mail
from persistence.tables.maintenance import maintenance_windows
from persistence.tables.people import (
    idempotency_keys,
    memberships,
    sessions,
    teams,
    users,
)
from persistence.tables.privacy import data_exports, erasures_applied, person_keys
from persistence.tables.providers import message_templates, person_message_templates, provider_circuits
from persistence.tables.routing import (
    delivery_attempts,
    routing_rule_versions,
    routing_rules,
    routings,
    team_quiet_hours,
)
from persistence.tables.rules import alert_rule_activity, alert_rule_events, alert_rule_versions, alert_rules_version
from persistence.tables.schedules import (
    calendar_feeds,
    followed_calendars,
    schedule_overrides,
    schedule_versions,
    schedules,
    shift_swaps,
)
from persistence.tables.team_ownership import team_events, team_handovers, team_ownership_version, team_ownerships
from persistence.tables.thresholds import heartbeats, threshold_rules, threshold_states

__all__ = [
    "OPEN",
    "XID8",
    "account_requests",
    "admissions",
    "alert_count_changes",
    "alert_counts",
    "alert_counts_frontier",
    "alert_daily_counts",
    "alert_events",
    "alert_group_events",
    "alert_group_keys",
    "alert_group_sightings",
    "alert_groups",
    "alert_metrics",
    "alert_rule_activity",
    "alert_rule_events",
    "alert_rule_versions",
    "alert_rules",
    "alert_rules_version",
    "alert_team_counts",
    "alerts",
    "api_keys",
    "attachments",
    "audit_log",
    "audit_seals",
    "calendar_feeds",
    "channels",
    "code_guesses",
    "contact_codes",
    "contact_methods",
    "contact_preferences",
    "correlation_version",
    "data_exports",
    "delivery_attempts",
    "drills",
    "due_marks",
    "early_resolves",
    "erasures_applied",
    "escalation_members",
    "escalation_policies",
    "escalations",
    "federation_codes",
    "federation_flows",
    "followed_calendars",
    "group_rules",
    "heartbeats",
    "idempotency_keys",
    "identities",
    "identity_challenges",
    "inbound_calls",
    "inhibition_rules",
    "inhibitors",
    "integration_activity",
    "integration_keys",
    "integrations",
    "leases",
    "log_epoch",
    "maintenance_windows",
    "memberships",
    "message_templates",
    "metadata",
    "notifications",
    "one_time_tokens",
    "outgoing_mail",
    "passkeys",
    "person_keys",
    "person_message_templates",
    "provider_circuits",
    "receipts",
    "recovery_codes",
    "rejected_items",
    "relay_cursors",
    "routing_rule_versions",
    "routing_rules",
    "routings",
    "schedule_overrides",
    "schedule_versions",
    "schedules",
    "service_account_teams",
    "service_accounts",
    "service_dependencies",
    "services",
    "sessions",
    "set_aside",
    "shift_swaps",
    "signals",
    "silences",
    "slack_answers",
    "slack_messages",
    "team_events",
    "team_handovers",
    "team_ownership_version",
    "team_ownerships",
    "team_quiet_hours",
    "teams",
    "text_messages",
    "threshold_rules",
    "threshold_states",
    "totp_secrets",
    "trusted_documents",
    "users",
]
