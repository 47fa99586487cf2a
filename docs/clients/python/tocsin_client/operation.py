"""What are the generated models made of? Structs in camelCase on the wire, and enums that may get new values."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, Self, TypeVar

import msgspec
from gql import GraphQLRequest


class Model(msgspec.Struct, rename="camel"):
    """Something the API answers."""


class Input(msgspec.Struct, rename="camel"):
    """Something the API is given. A field that is not set is left out; None is sent as null."""


class OpenEnum(StrEnum):
    """An enum of the schema. A value that is newer than this client is kept as it came, and is equal to none known."""

    @classmethod
    def _missing_(cls, value: object) -> Self:
        member = str.__new__(cls, str(value))
        member._name_ = member._value_ = str(value)
        return member


V = TypeVar("V", bound=Input)
R = TypeVar("R", bound=Model)


@dataclass
class Operation(Generic[V, R]):
    """An operation of operations.graphql, and the type of its answer."""

    text: str
    answer: type[R]

    def request(self, variables: V) -> GraphQLRequest:
        """What gql sends."""
        return GraphQLRequest(self.text, variable_values=msgspec.to_builtins(variables))

    def read(self, data: Any) -> R:  # noqa: ANN401 - JSON
        """What came, checked."""
        return msgspec.convert(data, self.answer)
