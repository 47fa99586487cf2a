"""Which tables are there? The schema as SQLAlchemy sees it; migrations/ is what the database runs.

Names in `alerts`, `users` and `alert_rules` are fixed by the product's data model and never renamed or dropped.
Three tables are range-partitioned by time, so that old data leaves by DROP, not by DELETE; their partitions are made
by persistence/partitions.py. Rows there carry no foreign keys: a key check a row would cost more than the insert,
and the ids are made by the same transaction that makes the row they name.
"""

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
from persistence.tables.base import OPEN, XID8, metadata
from persistence.tables.counts import alert_count_changes, alert_counts, alert_counts_frontier, alert_daily_counts
from persistence.tables.documents import trusted_documents
from persistence.tables.due import due_marks
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
from persistence.tables.people import (
    audit_log,
    idempotency_keys,
    memberships,
    sessions,
    teams,
    users,
)

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
    "alert_groups",
    "alert_metrics",
    "alert_rules",
    "alerts",
    "attachments",
    "audit_log",
    "due_marks",
    "early_resolves",
    "idempotency_keys",
    "integration_activity",
    "integration_keys",
    "integrations",
    "leases",
    "log_epoch",
    "memberships",
    "metadata",
    "one_time_tokens",
    "outgoing_mail",
    "receipts",
    "rejected_items",
    "relay_cursors",
    "sessions",
    "signals",
    "silences",
    "teams",
    "trusted_documents",
    "users",
]
