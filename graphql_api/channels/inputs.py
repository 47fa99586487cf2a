"""How does a client say what a channel's values are?"""

from collections.abc import Sequence

import strawberry

from domain.channels.actions import ChannelDesk
from domain.errors import InvalidInput
from graphql_api.audit_writer import desk_of
from graphql_api.channels.selection import FIELD, check_selection
from graphql_api.context import Context, Info
from persistence.channels import ChannelRepository
from persistence.unit_of_work import UnitOfWork


@strawberry.input(description="A value of a channel.")
class ChannelValueInput:
    """See domain.channels.kind.ChannelField."""

    name: str = strawberry.field(description="The field's name, from `channelKinds`.")
    value: str = strawberry.field(description="Its value.")


def values_of(given: Sequence[ChannelValueInput], info: Info) -> dict[str, str]:
    """The values by name; InvalidInput for a name that is there twice, or a selection that is none."""
    values = {one.name: one.value for one in given}
    if len(values) < len(given):
        message = "a value is given twice"
        raise InvalidInput(message, ("values",))
    if values.get(FIELD):
        check_selection(values[FIELD], info.schema._schema)  # noqa: SLF001 - strawberry has no public way to it
    return values


def desk(context: Context, uow: UnitOfWork, action: str) -> ChannelDesk:
    """What an action on channels needs of this request."""
    return desk_of(context, uow, ChannelRepository(uow.connection), action=action, target_kind="channel")
