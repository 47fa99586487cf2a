"""How is a calendar shown that a schedule follows? How its readings went, and never its address."""

from datetime import datetime
from uuid import UUID

import strawberry

from domain.identity import model as identity
from domain.schedules import followed, following, imports
from graphql_api.audit_writer import desk_of
from graphql_api.context import Context, Info
from graphql_api.exposes import expose_enum, exposes
from graphql_api.identity.loaders import load_users
from graphql_api.identity.types import User
from graphql_api.schedules.calendar_imports import MEANING
from persistence.calendar_follows import FollowRepository, followed_by_schedules
from persistence.unit_of_work import UnitOfWork

expose_enum(
    followed.FollowProblem,
    name="FollowedCalendarProblem",
    description="Why a followed calendar could not be read, or not be used. What it said last goes on to count.",
    values={
        followed.FollowProblem.UNREACHABLE: "Its server cannot be reached.",
        followed.FollowProblem.NOT_ALLOWED: "It leads into a private network, or redirects to what is not https.",
        followed.FollowProblem.REFUSED: "Its server answered with an error.",
        followed.FollowProblem.TOO_SLOW: "Its server did not answer in time.",
        followed.FollowProblem.TOO_LARGE: "It is larger than what is read.",
        followed.FollowProblem.NO_CALENDAR: "What is there is no calendar (RFC 5545).",
        followed.FollowProblem.PERSON_LEFT: "Who would be on call by it is no active person any more.",
    },
)
expose_enum(
    followed.UnusedReason,
    name="UnusedEventReason",
    description="Why an event of a followed calendar puts nobody on call.",
    values={
        followed.UnusedReason.UNREADABLE: "It cannot be read; `detail` says why.",
        followed.UnusedReason.CANCELLED: "It was cancelled.",
        followed.UnusedReason.NO_SHIFT: "Its person is away then, and has no shift to be covered.",
        followed.UnusedReason.LATER: "There are more than are used at a time: it counts when its turn comes.",
    },
)


@exposes(followed.UnusedEvent, name="UnusedCalendarEvent", description="An event that puts nobody on call.")
class UnusedCalendarEvent:
    """See domain.schedules.followed.UnusedEvent."""

    reason: followed.UnusedReason = strawberry.field(description="Why.")
    event: str = strawberry.field(description="Which, where it cannot be read: its place in the calendar; else empty.")
    detail: str = strawberry.field(description="What is wrong with it; may be empty.")
    starts_at: datetime | None = strawberry.field(description="When it begins, where that can be read.")


async def _user(root: strawberry.Parent[followed.FollowedCalendar], info: Info) -> identity.User | None:
    return await info.context.loader(load_users).load(root.user_id)


async def _cover(root: strawberry.Parent[followed.FollowedCalendar], info: Info) -> identity.User | None:
    return None if root.cover_id is None else await info.context.loader(load_users).load(root.cover_id)


def _is_stale(root: strawberry.Parent[followed.FollowedCalendar], info: Info) -> bool:
    return root.is_stale(info.context.now())


@exposes(followed.FollowedCalendar, description="A calendar kept elsewhere whose times are overrides of the schedule.")
class FollowedCalendar:
    """See domain.schedules.followed.FollowedCalendar."""

    id: strawberry.ID = strawberry.field(description="Its id.")
    host: str = strawberry.field(description="The host of its address. The rest is a secret and not shown.")
    user = strawberry.field(resolver=_user, graphql_type=User | None, description="Whose calendar it is.")
    meaning: imports.CalendarMeaning = strawberry.field(description=MEANING)
    cover = strawberry.field(
        resolver=_cover, graphql_type=User | None, description="Who is on call while they are away; null for ON_CALL."
    )
    created_at: datetime = strawberry.field(
        description="Since when it is followed. Its overrides count as made then: those made by hand later cover them."
    )
    fetched_at: datetime | None = strawberry.field(
        name="lastFetchedAt", description="When it was last asked for, well or not."
    )
    read_at: datetime | None = strawberry.field(name="lastReadAt", description="When that last went well.")
    changed_at: datetime | None = strawberry.field(
        name="lastChangedAt", description="When a reading last changed who is on call."
    )
    next_read_at: datetime = strawberry.field(
        name="nextFetchAt", description="When it is asked for again, at the earliest."
    )
    problem: followed.FollowProblem | None = strawberry.field(description="Why it could not be read; null for well.")
    problem_detail: str = strawberry.field(description="The problem in words; empty for none.")
    problem_since: datetime | None = strawberry.field(description="Since when there is a problem.")
    is_stale = strawberry.field(
        resolver=_is_stale, description="Whether it could not be read for 24 hours: somebody has to look."
    )
    used: int = strawberry.field(name="usedCount", description="How many overrides it comes to, as it was last read.")
    unused_count: int = strawberry.field(description="How many of its events ahead put nobody on call.")
    unused: list[UnusedCalendarEvent] = strawberry.field(
        name="unusedEvents", description="The first fifty of these, with the reasons."
    )


async def load_followed(context: Context, ids: list[UUID]) -> list[list[followed.FollowedCalendar]]:
    """The calendars each schedule follows."""
    async with context.read() as connection:
        return await followed_by_schedules(connection, ids)


def follow_desk(context: Context, uow: UnitOfWork, action: str) -> following.FollowDesk:
    """What an action on followed calendars needs of this request."""
    return desk_of(context, uow, FollowRepository(uow.connection), action=action, target_kind="schedule")
