"""Is what waits still to be told? Asked of the alert, of its group, and of what the person may see, as they are now."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.visibility import Sight
from domain.escalations.engine import Subject, not_needed
from domain.escalations.model import Notification, NotificationState
from persistence.escalations import subjects_of
from persistence.group_messages import news_of_groups
from persistence.person_viewer import viewer_of_person
from persistence.reads.visibility import teams_in_sight
from persistence.rule_group_messages import GroupNews
from persistence.swap_notices import reasons_against_swaps
from persistence.tables import notifications

NO_SIGN_IN = "the person may no longer sign in"
NO_SIGHT = "the person may no longer see the alert"


async def reasons_against(
    connection: AsyncConnection, waiting: Sequence[Notification], *, groups: Mapping[UUID, GroupNews], now: datetime
) -> dict[UUID, str | None]:
    """Why each is no longer needed; None when it is. `groups` is what there is to tell of groups."""
    alert_ids = {one.alert_id for one in waiting if one.alert_id is not None}
    subjects = await subjects_of(connection, alert_ids) if alert_ids else {}
    return {one.id: reason_against(one, subjects, groups, now=now) for one in waiting}


async def reasons_against_telling(
    connection: AsyncConnection, user_id: UUID, waiting: Sequence[Notification], *, now: datetime
) -> dict[UUID, str | None]:
    """The same of what waits for one person: also for what they may see, and for the shifts they swap."""
    subjects = await subjects_of(connection, {one.alert_id for one in waiting if one.alert_id is not None})
    groups = await news_of_groups(connection, waiting, now=now)
    reasons = {one.id: reason_against(one, subjects, groups, now=now) for one in waiting}
    viewer = await viewer_of_person(connection, user_id)
    if viewer is None:
        return dict.fromkeys(reasons, NO_SIGN_IN)
    reasons |= await reasons_against_swaps(connection, waiting, sight=viewer.sight, now=now)
    hidden = await _hidden(connection, waiting, subjects, groups, sight=viewer.sight)
    return reasons | dict.fromkeys(hidden, NO_SIGHT)


async def _hidden(
    connection: AsyncConnection,
    waiting: Sequence[Notification],
    subjects: Mapping[UUID, Subject],
    groups: Mapping[UUID, GroupNews],
    *,
    sight: Sight,
) -> set[UUID]:
    """Those of the notifications that are of a team whose alerts the person does not see."""
    teams: dict[UUID, UUID] = {}
    for one in waiting:
        about = groups.get(one.id) or (None if one.alert_id is None else subjects.get(one.alert_id))
        if about is not None and about.team_id is not None:
            teams[one.id] = about.team_id
    seen = await teams_in_sight(connection, set(teams.values()), sight=sight)
    return {one for one, team_id in teams.items() if team_id not in seen}


def reason_against(
    one: Notification, subjects: Mapping[UUID, Subject], groups: Mapping[UUID, GroupNews], *, now: datetime
) -> str | None:
    """Why the notification is no longer needed; None when it is. A test is about no alert."""
    if one.id in groups:
        return groups[one.id].reason_against(one)
    if one.alert_id is None:
        return None
    return not_needed(one.kind, one.episode, subjects.get(one.alert_id), now=now)


async def drop(connection: AsyncConnection, reasons: Mapping[UUID, str], *, now: datetime) -> None:
    """Settle those that are no longer needed, each with its reason."""
    for notification_id, reason in reasons.items():
        await connection.execute(
            sa.update(notifications)
            .where(notifications.c.id == notification_id)
            .values(state=NotificationState.DROPPED.value, settled_at=now, problem=reason)
        )
