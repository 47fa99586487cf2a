"""Who hears that an alert flaps, and that it settled? Each once, in place of a page and an end for every turn.

At the beginning those whom the first steps of the alert's policies reach; in the end those who heard of the beginning.
The alert is looked at as it is now, as for escalations: given twice or late it comes to the same.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.escalations.engine import policies_for, reason_against_flapping
from domain.escalations.model import Notification, NotificationKind, Target
from domain.ids import new_id
from persistence.among import among
from persistence.escalation_policies import active_policies
from persistence.escalations import notification_row, subjects_of
from persistence.reaching import Recipient, reach
from persistence.tables import alerts, notifications

_FLAPPING = NotificationKind.FLAPPING.value
# The newest alert of a key speaks for it: the mark may have begun on one before. What never turned is not looked for.
_SETTLED = sa.text("""
SELECT DISTINCT told.alert_id, told.episode, told.user_id, told.channel_id, told.flapping_since, newest.status
  FROM alerts newest
  JOIN alerts marked USING (integration_id, dedup_key)
  JOIN notifications told ON told.alert_id = marked.id AND told.kind = 'flapping'
 WHERE newest.id = ANY(:ids) AND newest.turns IS NOT NULL AND newest.flapping_since IS NULL
   AND told.flapping_since IS NOT NULL
   AND (told.state IN ('mailed', 'sent', 'delivered', 'read')
        OR (told.state = 'queued' AND told.channel_id IS NOT NULL AND told.attempts > 0))
   AND NOT EXISTS (SELECT FROM alerts later
                    WHERE later.integration_id = newest.integration_id AND later.dedup_key = newest.dedup_key
                      AND later.id > newest.id)
   AND NOT EXISTS (SELECT FROM notifications heard
                    WHERE heard.alert_id = told.alert_id AND heard.kind = 'settled'
                      AND heard.flapping_since = told.flapping_since
                      AND coalesce(heard.user_id, heard.channel_id) = coalesce(told.user_id, told.channel_id))
""").bindparams(sa.bindparam("ids", type_=sa.ARRAY(sa.Uuid)))


async def tell_of_flapping(connection: AsyncConnection, alert_ids: Sequence[UUID], *, now: datetime) -> int:
    """Queue the notices of the beginning and of the end; how many."""
    rows = [*await _begun(connection, alert_ids, now=now), *await _settled(connection, alert_ids, now=now)]
    if rows:
        # Two at once come to the same notices: the second finds them told.
        await connection.execute(insert(notifications).on_conflict_do_nothing(), rows)
    return len(rows)


async def _begun(connection: AsyncConnection, alert_ids: Sequence[UUID], *, now: datetime) -> list[dict[str, Any]]:
    untold = await _untold(connection, alert_ids)
    if not untold:
        return []
    subjects = [
        subject
        for subject in (await subjects_of(connection, untold)).values()
        if reason_against_flapping(subject, now=now) is None
    ]
    policies = await active_policies(connection)
    targets: list[tuple[Target, ...]] = [
        tuple(target for policy in policies_for(subject, policies) for target in policy.steps[0].targets)
        for subject in subjects
    ]
    return [
        _row(
            recipient,
            now=now,
            kind=NotificationKind.FLAPPING,
            alert_id=subject.id,
            episode=subject.episode,
            flapping_since=subject.flapping_since,
            why=f"the first step of a policy reaches you, and the alert flaps: {untold[subject.id]} turns so far. "
            "You are not paged for each; you hear when it settles",
        )
        for subject, reached in zip(subjects, await reach(connection, targets, now=now), strict=True)
        for recipient in reached
    ]


async def _untold(connection: AsyncConnection, alert_ids: Sequence[UUID]) -> dict[UUID, int]:
    """The turns of the alerts that flap, and nobody has been told of it. A mark carried on is told of already."""
    told = sa.exists().where(
        notifications.c.alert_id == alerts.c.id,
        notifications.c.kind == _FLAPPING,
        notifications.c.flapping_since == alerts.c.flapping_since,
    )
    statement = sa.select(alerts.c.id, alerts.c.flapping_turns).where(
        among(alerts.c.id, alert_ids), alerts.c.flapping_since >= alerts.c.created_at, ~told
    )
    return {row.id: row.flapping_turns for row in await connection.execute(statement)}


async def _settled(connection: AsyncConnection, alert_ids: Sequence[UUID], *, now: datetime) -> list[dict[str, Any]]:
    found = (await connection.execute(_SETTLED, {"ids": list(alert_ids)})).all()
    return [
        _row(
            Recipient(one.channel_id or one.user_id, is_channel=one.channel_id is not None),
            now=now,
            kind=NotificationKind.SETTLED,
            alert_id=one.alert_id,
            episode=one.episode,
            flapping_since=one.flapping_since,
            why=f"you were told that it began to flap; it settled, and is {one.status}",
        )
        for one in found
    ]


def _row(recipient: Recipient, *, now: datetime, **told: Any) -> dict[str, Any]:  # noqa: ANN401 - of a notification
    return notification_row(
        Notification(
            id=new_id(),
            user_id=None if recipient.is_channel else recipient.id,
            channel_id=recipient.id if recipient.is_channel else None,
            next_attempt_at=now if recipient.is_channel else None,
            created_at=now,
            **told,
        )
    )
