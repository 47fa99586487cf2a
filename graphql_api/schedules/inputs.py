"""How does a client say what a schedule's layers are?"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import strawberry

from domain.errors import InvalidInput
from domain.ids import new_id
from domain.schedules.actions import ScheduleDesk
from domain.schedules.model import Layer, Restriction, Rotation, ShiftUnit, Weekday
from domain.schedules.swaps import SwapDesk
from graphql_api.audit_writer import desk_of
from graphql_api.context import Context
from graphql_api.scalars import LocalDateTime, LocalTime, uuid_or_none
from persistence.shift_swaps import SwapRepository
from persistence.unit_of_work import UnitOfWork


@strawberry.input(description="Hours of the week in which a layer counts.")
class ScheduleRestrictionInput:
    """See domain.schedules.model.Restriction."""

    weekdays: list[Weekday] = strawberry.field(description="The days on which the window begins.")
    starts: LocalTime = strawberry.field(description="When it begins, on the clock of the schedule's zone.")
    ends: LocalTime = strawberry.field(description="When it ends; not after `starts` means on the next day.")


@strawberry.input(description="People who take turns.")
class ScheduleLayerInput:
    """See domain.schedules.model.Layer."""

    id: strawberry.ID | None = strawberry.field(
        description="The id of a layer the schedule has, to keep it; left out for a new one.", default=None
    )
    name: str = strawberry.field(description="The name people read.", default="")
    participant_ids: list[strawberry.ID] = strawberry.field(
        description="Who takes turns, in this order; a person may be named more than once."
    )
    starts_at: LocalDateTime = strawberry.field(
        description="The first handoff, on the clock of the schedule's zone; it may lie in the past."
    )
    unit: ShiftUnit = strawberry.field(description="What a shift's length is counted in.")
    shift_length: int = strawberry.field(description="How many units a shift lasts.", default=1)
    restrictions: list[ScheduleRestrictionInput] = strawberry.field(
        description="The hours in which it counts; none means always.", default_factory=list
    )
    begins_at: datetime | None = strawberry.field(description="From when it counts; null for no bound.", default=None)
    ends_at: datetime | None = strawberry.field(description="Until when it counts; null for no bound.", default=None)


def layers_of(given: Sequence[ScheduleLayerInput]) -> tuple[Layer, ...]:
    """The domain's layers; InvalidInput for an id that is none."""
    return tuple(_layer(one, ("layers", str(number))) for number, one in enumerate(given))


def _layer(given: ScheduleLayerInput, path: tuple[str, ...]) -> Layer:
    return Layer(
        id=new_id() if given.id is None else _id(given.id, "layer", (*path, "id")),
        name=given.name,
        rotation=Rotation(
            starts_at=given.starts_at.replace(second=0, microsecond=0),
            unit=given.unit,
            shift_length=given.shift_length,
            participants=tuple(
                _id(user_id, "active person", (*path, "participantIds", str(place)))
                for place, user_id in enumerate(given.participant_ids)
            ),
        ),
        restrictions=tuple(
            Restriction(weekdays=frozenset(one.weekdays), starts=one.starts, ends=one.ends)
            for one in given.restrictions
        ),
        begins_at=given.begins_at,
        ends_at=given.ends_at,
    )


def _id(text: str, what: str, path: tuple[str, ...]) -> UUID:
    found = uuid_or_none(text)
    if found is None:
        message = f"no such {what}"
        raise InvalidInput(message, path)
    return found


def desk(context: Context, uow: UnitOfWork, action: str) -> ScheduleDesk:
    """What an action on schedules needs of this request."""
    return desk_of(context, uow, uow.schedules, action=action, target_kind="schedule")


def swap_desk(context: Context, uow: UnitOfWork, action: str) -> SwapDesk:
    """What an action on swaps needs of this request."""
    return desk_of(
        context, uow, SwapRepository(uow.connection, now=context.now()), action=action, target_kind="schedule"
    )
