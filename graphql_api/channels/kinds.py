"""How are the kinds of channel an enum of the schema? Made of what is registered: a new kind needs no line here."""

from enum import StrEnum
from typing import TYPE_CHECKING

from domain.channels.kinds import all_kinds
from graphql_api.exposes import expose_enum

if TYPE_CHECKING:

    class ChannelKindName(StrEnum):
        """The name of a kind; which there are is known when the schema is made."""
else:
    ChannelKindName = StrEnum("ChannelKindName", {kind.name.upper(): kind.name for kind in all_kinds()})

expose_enum(
    ChannelKindName,
    name="ChannelKind",
    description="Whose protocol a channel speaks.",
    values={ChannelKindName(kind.name): kind.description for kind in all_kinds()},
)
