"""May what can wait go by a contact method now? Asked of many at once; see domain/contacts/pacing.py."""

from datetime import datetime

import sqlalchemy as sa

from domain.contacts.model import ContactKind
from domain.contacts.pacing import PACES
from domain.escalations.model import CALLS, NotificationKind
from persistence.tables import notifications

# Who asked for a test waits for it.
_AT_ONCE = [kind.value for kind in (*sorted(CALLS), NotificationKind.TEST)]


def may_go(now: datetime) -> sa.ColumnElement[bool]:
    """Whether a notification of the statement calls for somebody, or its method has room for news."""
    kind = sa.func.coalesce(notifications.c.contact_kind, ContactKind.EMAIL.value)
    full = [
        sa.and_(kind == of.value, _sent_since(now - pace.window) >= pace.most)
        for of, paces in PACES.items()
        for pace in paces
    ]
    return sa.or_(notifications.c.kind.in_(_AT_ONCE), sa.not_(sa.or_(*full)))


def _sent_since(since: datetime) -> sa.ColumnElement[int]:
    """How many messages went by the same method since then: what is in one message has one time."""
    earlier = notifications.alias("sent_earlier")
    return (
        sa.select(sa.func.count(earlier.c.mailed_at.distinct()))
        .where(
            earlier.c.user_id == notifications.c.user_id,
            earlier.c.contact_method_id.is_not_distinct_from(notifications.c.contact_method_id),
            earlier.c.mailed_at > since,
        )
        .scalar_subquery()
    )
