"""How does a refusal reach the client? As data: one GraphQL type a domain error, in the payload's union.

A client matches on `__typename` or on `code`. Top-level `errors` are for what no payload can hold: nobody signed in, a
limit, a malformed document, or a bug of ours (masked, with a reference: graphql_api/masking.py).
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar, Union

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.types.base import get_object_definition
from strawberry.types.field import StrawberryField

from domain import errors
from graphql_api.refusals.codes import ErrorCode, UserError
from graphql_api.refusals.mapping import MAPPING, TOP_LEVEL, as_user_error, code_of
from graphql_api.refusals.types import (
    AlreadyExists,
    Forbidden,
    IdempotencyConflict,
    IllegalMove,
    InvalidCondition,
    InvalidCredentials,
    InvalidInput,
    InvalidLink,
    LastAdministrator,
    NewerAlertOpen,
    NotFound,
    SilenceTooBroad,
    StaleVersion,
    StepUpRequired,
    SwapConflict,
    TeamInUse,
    TooManyAttempts,
    WeakPassword,
    WouldOpenGaps,
    WrongTransport,
)
from graphql_api.step_up import DANGEROUS

__all__ = [
    "MAPPING",
    "TOP_LEVEL",
    "AlreadyExists",
    "ErrorCode",
    "Forbidden",
    "IdempotencyConflict",
    "IllegalMove",
    "InvalidCondition",
    "InvalidCredentials",
    "InvalidInput",
    "InvalidLink",
    "LastAdministrator",
    "NewerAlertOpen",
    "NotFound",
    "Payload",
    "RefusalsAsData",
    "SilenceTooBroad",
    "StaleVersion",
    "StepUpRequired",
    "SwapConflict",
    "TeamInUse",
    "TooManyAttempts",
    "UserError",
    "WeakPassword",
    "WouldOpenGaps",
    "WrongTransport",
    "as_user_error",
    "code_of",
    "mutation",
    "payload",
]

Result = TypeVar("Result")


class Payload:
    """A payload union: its success type and the refusals it may hold."""

    def __init__(self, name: str, success: type, refusals: tuple[type[UserError], ...], description: str) -> None:
        if f"{name[0].lower()}{name[1:]}" in DANGEROUS:
            refusals = (*refusals, StepUpRequired)
        self.refusals = tuple(dict.fromkeys((*refusals, InvalidInput, Forbidden)))
        self.graphql_type: Any = Annotated[
            Union[(success, *self.refusals)], strawberry.union(f"{name}Payload", description=description)
        ]


def payload(name: str, success: type, *refusals: type[UserError], description: str | None = None) -> Payload:
    """`<name>Payload = success | refusals…`. InvalidInput and Forbidden are always among the refusals.

    StepUpRequired is among those of what is dangerous (graphql_api/step_up.py).
    """
    return Payload(name, success, refusals, description or f"What became of `{name[0].lower()}{name[1:]}`.")


class RefusalsAsData(FieldExtension):
    """Turns a DomainError into a member of the payload union; one it does not hold is a bug, and stays raised."""

    def __init__(self, refusals: tuple[type[UserError], ...]) -> None:
        self._refusals = refusals

    async def resolve_async(
        self, next_: Callable[..., Awaitable[Any]], source: object, info: strawberry.Info[Any], **kwargs: object
    ) -> object:
        """Run the mutation."""
        if WrongTransport in self._refusals and not info.context.over_http:
            message = f"{info.field_name} is answered by plain HTTP alone"
            return WrongTransport(message=message, code=ErrorCode.WRONG_TRANSPORT, path=None)
        try:
            return await next_(source, info, **kwargs)
        except errors.DomainError as error:
            if isinstance(error, errors.Forbidden):
                info.context.noted.refuse(info.field_name)
            elif isinstance(error, errors.TooManyAttempts):
                info.context.noted.lock_out(info.field_name)
            found = as_user_error(error)
            if found is None or not isinstance(found, self._refusals):
                raise
            return found


def mutation(
    answer: Payload, *, description: str, name: str | None = None
) -> Callable[[Callable[..., Awaitable[Result]]], StrawberryField]:
    """Make an `async def` that returns the success type a mutation field.

    Besides `info` it takes one argument, which is the mutation's `input` whatever its Python name.
    """

    def decorate(resolver: Callable[..., Awaitable[Result]]) -> StrawberryField:
        field: Any = strawberry.mutation(
            resolver=resolver,
            name=name,
            description=description,
            graphql_type=answer.graphql_type,
            extensions=[RefusalsAsData(answer.refusals)],
        )
        (argument,) = field.arguments
        argument.graphql_name = "input"
        argument.description = get_object_definition(argument.type, strict=True).description
        made: StrawberryField = field
        return made

    return decorate
