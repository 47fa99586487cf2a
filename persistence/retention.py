"""What has been kept long enough? Rows of small tables, deleted in bounded batches; big ones leave by month."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from persistence.tables import (
    OPEN,
    admissions,
    alert_group_keys,
    alert_group_sightings,
    alerts,
    contact_codes,
    data_exports,
    delivery_attempts,
    early_resolves,
    federation_codes,
    federation_flows,
    idempotency_keys,
    identity_challenges,
    inbound_calls,
    inhibitors,
    one_time_tokens,
    outgoing_mail,
    rejected_items,
    sessions,
    silences,
    slack_answers,
    slack_messages,
    text_messages,
)
from tocsin.settings import Settings

BATCH = 5_000
IDEMPOTENCY_KEYS = timedelta(hours=24)
# A firing that comes a day after its resolve is no late delivery any more.
EARLY_RESOLVES = timedelta(days=1)
# No group takes alerts for longer than a week, and no part is waited for longer than a day.
GROUP_KEYS = timedelta(days=8)
GROUP_SIGHTINGS = timedelta(days=2)
INHIBITORS = timedelta(days=8)
# An export's row says for a while that there was one.
PAST_EXPORTS = timedelta(days=90)
# A window may occur every hour, a tool may silence with each deployment; what it was stays on the audit log.
PAST_SILENCES = timedelta(days=365)
# A message in Slack follows its alert for as long; after that its buttons say that it is over.
SLACK_MESSAGES = timedelta(days=30)
# PagerDuty tries a call again within two days; one of Slack counts for five minutes.
INBOUND_CALLS = timedelta(days=7)
# A link that no longer works paces the next one for as long as it works; nothing needs it after that.
DEAD_LINKS = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long is kept what a setting decides about: docs/privacy.md says why."""

    rejected: timedelta
    # An ended session is of interest for as long as somebody may ask where it was used.
    ended_sessions: timedelta
    # That a mail was sent, or why it was not, is worth knowing for a while; what it said is erased at once.
    settled_mail: timedelta

    @classmethod
    def of(cls, settings: Settings) -> "Retention":
        """As the settings say."""
        return cls(
            rejected=timedelta(days=settings.rejected_retention_days),
            ended_sessions=timedelta(days=settings.ended_session_retention_days),
            settled_mail=timedelta(days=settings.sent_mail_retention_days),
        )


async def purge_expired(engine: AsyncEngine, *, kept: Retention, now: datetime) -> int:
    """Delete what is past its retention; the number of rows."""
    deleted = 0
    for table, key, condition in (
        (rejected_items, rejected_items.c.id, rejected_items.c.received_at < now - kept.rejected),
        (idempotency_keys, None, idempotency_keys.c.created_at < now - IDEMPOTENCY_KEYS),
        (early_resolves, None, early_resolves.c.recorded_at < now - EARLY_RESOLVES),
        (alert_group_keys, None, alert_group_keys.c.opened_at < now - GROUP_KEYS),
        (inhibitors, None, _parent_of_old(now - INHIBITORS)),
        (alert_group_sightings, None, alert_group_sightings.c.seen_at < now - GROUP_SIGHTINGS),
        (sessions, sessions.c.id, _ended_before(now - kept.ended_sessions)),
        (data_exports, data_exports.c.id, _past_before(now - PAST_EXPORTS)),
        (outgoing_mail, outgoing_mail.c.id, _settled_before(now - kept.settled_mail)),
        (silences, silences.c.id, _silent_before(now - PAST_SILENCES)),
        (slack_messages, slack_messages.c.id, slack_messages.c.created_at < now - SLACK_MESSAGES),
        (slack_answers, slack_answers.c.id, slack_answers.c.created_at < now - DEAD_LINKS),
        (inbound_calls, None, inbound_calls.c.received_at < now - INBOUND_CALLS),
        (text_messages, text_messages.c.id, text_messages.c.created_at < now - kept.settled_mail),
        (delivery_attempts, delivery_attempts.c.id, delivery_attempts.c.attempted_at < now - kept.settled_mail),
        # Limits on codes look back an hour.
        (contact_codes, contact_codes.c.id, contact_codes.c.created_at < now - DEAD_LINKS),
        (one_time_tokens, None, one_time_tokens.c.expires_at < now - DEAD_LINKS),
        (admissions, admissions.c.id, admissions.c.expires_at < now - DEAD_LINKS),
        # Each new one takes some old ones along; of the last before a quiet time this does.
        (identity_challenges, identity_challenges.c.id, identity_challenges.c.expires_at < now),
        (federation_flows, federation_flows.c.id, federation_flows.c.expires_at < now),
        (federation_codes, federation_codes.c.digest, federation_codes.c.expires_at < now),
    ):
        deleted += await _delete(engine, table, key, condition)
    return deleted


def _parent_of_old(moment: datetime) -> sa.ColumnElement[bool]:
    """Parents that are over: their children were let go long ago, and one that opens again is noted again."""
    stands = sa.exists().where(alerts.c.id == inhibitors.c.alert_id, sa.text("alerts." + OPEN))
    return sa.and_(inhibitors.c.noted_at < moment, sa.not_(stands))


def _ended_before(moment: datetime) -> sa.ColumnElement[bool]:
    """However it ended: revoked, unused, or past its time."""
    return sa.or_(sessions.c.revoked_at < moment, sessions.c.idle_expires_at < moment, sessions.c.expires_at < moment)


def _past_before(moment: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(data_exports.c.state.in_(["expired", "failed"]), data_exports.c.finished_at < moment)


def _silent_before(moment: datetime) -> sa.ColumnElement[bool]:
    """Silences that are over, marks and all."""
    return sa.and_(silences.c.applied == "expired", silences.c.swept_after.is_(None), silences.c.ends_at < moment)


def _settled_before(moment: datetime) -> sa.ColumnElement[bool]:
    return sa.or_(outgoing_mail.c.sent_at < moment, outgoing_mail.c.failed_at < moment)


async def _delete(
    engine: AsyncEngine, table: sa.Table, key: sa.Column[object] | None, condition: sa.ColumnElement[bool]
) -> int:
    """Delete in batches when there is a key to batch by: one statement over a backlog would hold its locks for long."""
    total = 0
    while True:
        statement = sa.delete(table).where(condition)
        if key is not None:
            statement = sa.delete(table).where(key.in_(sa.select(key).where(condition).limit(BATCH)))
        async with engine.begin() as connection:
            count = (await connection.execute(statement)).rowcount
        total += count
        if key is None or count < BATCH:
            return total
