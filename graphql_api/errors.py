"""How does a refusal reach the client? As data: one GraphQL type a domain error, in the payload's union.

A client matches on `__typename` or on `code`. Top-level `errors` are for what no payload can hold: nobody signed in, a
limit, a malformed document, or a bug of ours (masked, with a reference: graphql_api/masking.py).
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, TypeVar, Union

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.types.base import get_object_definition
from strawberry.types.field import StrawberryField

from domain import errors
from domain.identity.proofs import Method
from graphql_api.enums import Severity
from graphql_api.exposes import expose_enum
from graphql_api.step_up import DANGEROUS

Result = TypeVar("Result")


class ErrorCode(StrEnum):
    """The kind of refusal, for programs."""

    INVALID_INPUT = "INVALID_INPUT"
    NOT_FOUND = "NOT_FOUND"
    FORBIDDEN = "FORBIDDEN"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    INVALID_CREDENTIALS = "INVALID_CREDENTIALS"
    TOO_MANY_ATTEMPTS = "TOO_MANY_ATTEMPTS"
    SECOND_FACTOR_REQUIRED = "SECOND_FACTOR_REQUIRED"
    ENROLMENT_REQUIRED = "ENROLMENT_REQUIRED"
    STEP_UP_REQUIRED = "STEP_UP_REQUIRED"
    ILLEGAL_MOVE = "ILLEGAL_MOVE"
    STALE_VERSION = "STALE_VERSION"
    NEWER_ALERT_OPEN = "NEWER_ALERT_OPEN"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    IDEMPOTENCY_CONFLICT = "IDEMPOTENCY_CONFLICT"
    WEAK_PASSWORD = "WEAK_PASSWORD"  # noqa: S105 - a kind of refusal
    INVALID_LINK = "INVALID_LINK"
    LAST_ADMINISTRATOR = "LAST_ADMINISTRATOR"
    TEAM_IN_USE = "TEAM_IN_USE"
    WRONG_TRANSPORT = "WRONG_TRANSPORT"
    OVERLOADED = "OVERLOADED"
    SILENCE_TOO_BROAD = "SILENCE_TOO_BROAD"
    SWAP_CONFLICT = "SWAP_CONFLICT"
    WOULD_OPEN_GAPS = "WOULD_OPEN_GAPS"


expose_enum(
    ErrorCode,
    description="The kind of refusal, for programs; `message` is for people.",
    values={
        ErrorCode.INVALID_INPUT: "A field's value is not acceptable; `path` names it.",
        ErrorCode.NOT_FOUND: "No such thing, or not visible to you.",
        ErrorCode.FORBIDDEN: "Your role does not allow it.",
        ErrorCode.UNAUTHENTICATED: "Nobody is signed in, or the token is wrong, expired or revoked.",
        ErrorCode.INVALID_CREDENTIALS: "The address, password, code or refresh token is not right.",
        ErrorCode.TOO_MANY_ATTEMPTS: "Too many failed attempts; wait before the next.",
        ErrorCode.SECOND_FACTOR_REQUIRED: "You have a second factor: prove it, by `completeLogin` or by `stepUp`.",
        ErrorCode.ENROLMENT_REQUIRED: "Your role needs a second factor: add one, then go on.",
        ErrorCode.STEP_UP_REQUIRED: "Prove anew who you are, by `stepUp`, then ask again.",
        ErrorCode.ILLEGAL_MOVE: "The alert's status does not allow this move.",
        ErrorCode.STALE_VERSION: "It changed since you read it.",
        ErrorCode.NEWER_ALERT_OPEN: "A newer open alert has the same dedup key.",
        ErrorCode.ALREADY_EXISTS: "Another one has this name or address.",
        ErrorCode.IDEMPOTENCY_CONFLICT: "The idempotency key was used for another input.",
        ErrorCode.WEAK_PASSWORD: "The password is easy to guess.",
        ErrorCode.INVALID_LINK: "The mailed link was used, replaced by a newer one, or is too old.",
        ErrorCode.LAST_ADMINISTRATOR: "Nobody else could administer the server any more.",
        ErrorCode.TEAM_IN_USE: "The team still has open alerts or integrations.",
        ErrorCode.WRONG_TRANSPORT: "Credentials are given and taken by plain HTTP alone, over no socket or stream.",
        ErrorCode.SILENCE_TOO_BROAD: "The silence would hold most alerts: confirm it, or ask for less.",
        ErrorCode.SWAP_CONFLICT: "The shifts are not as the swap needs them, or it was answered already.",
        ErrorCode.WOULD_OPEN_GAPS: "Nobody would be told at times at which somebody would be now.",
        ErrorCode.OVERLOADED: "The server is full or its database is away; try again shortly.",
    },
)


@strawberry.interface(description="A refusal the caller can act on.")
class UserError:
    """What every error type has."""

    message: str = strawberry.field(description="A sentence for a person.")
    code: ErrorCode = strawberry.field(description="The kind of refusal, for programs.")
    path: list[str] | None = strawberry.field(
        description="The input field it is about, outermost first; null when it is about none.", default=None
    )


@strawberry.type(description="A field's value is not acceptable; the message says what would be right.")
class InvalidInput(UserError):
    """See domain.errors.InvalidInput."""


@strawberry.type(description="A condition cannot be used; the message says what would be right.")
class InvalidCondition(UserError):
    """See domain.errors.InvalidCondition."""

    line: int | None = strawberry.field(
        description="In which line of its text, from 1; null when unknown.", default=None
    )
    column: int | None = strawberry.field(description="In which column, from 1; null when unknown.", default=None)


@strawberry.type(description="No such thing, or not visible to you; the two look the same.")
class NotFound(UserError):
    """See domain.errors.NotFound."""


@strawberry.type(description="Your role does not allow it.")
class Forbidden(UserError):
    """See domain.errors.Forbidden."""


@strawberry.type(description="The alert's status does not allow this move.")
class IllegalMove(UserError):
    """See domain.errors.IllegalMove."""

    current: str = strawberry.field(description="The status the alert has.", default="")
    allowed: list[str] = strawberry.field(description="The statuses it may go to.", default_factory=list)


@strawberry.type(description="It changed since you read it: read it again and decide anew.")
class StaleVersion(UserError):
    """See domain.errors.StaleVersion."""

    expected: int = strawberry.field(description="The version you gave.", default=0)
    actual: int = strawberry.field(description="The version it has.", default=0)


@strawberry.type(description="A newer open alert has the same dedup key, so the older one cannot be reopened.")
class NewerAlertOpen(UserError):
    """See domain.errors.NewerAlertOpen."""

    newer_alert_id: strawberry.ID | None = strawberry.field(
        description="The alert that is open; null for one you may not see.", default=None
    )


@strawberry.type(description="Another one has this name or address already.")
class AlreadyExists(UserError):
    """See domain.errors.AlreadyExists."""


@strawberry.type(description="The address, password, code or refresh token is not right. It is not said which.")
class InvalidCredentials(UserError):
    """See domain.errors.InvalidCredentials."""


@strawberry.type(description="Too many failed attempts from here for this address.")
class TooManyAttempts(UserError):
    """See domain.errors.TooManyAttempts."""

    retry_after_seconds: int = strawberry.field(description="How long to wait before the next attempt.", default=0)


expose_enum(
    Method,
    name="ProofMethod",
    description="How somebody proves who they are.",
    values={
        Method.PASSWORD: "The password.",
        Method.TOTP: "A code of an authenticator app.",
        Method.RECOVERY_CODE: "One of the codes to write down; each is good once.",
        Method.PASSKEY: "A passkey: a key pair in a device.",
        Method.FEDERATED: "Another provider's word: sign in there anew.",
        Method.FEDERATED_MFA: "Another provider's word that it asked for two factors.",
    },
)


@strawberry.type(description="This is dangerous, and you proved who you are too long ago: `stepUp`, then ask again.")
class StepUpRequired(UserError):
    """See domain.errors.StepUpRequired."""

    methods: list[Method] = strawberry.field(description="Each of these would do.", default_factory=list)


@strawberry.type(description="The idempotency key was used within 24 hours for another input.")
class IdempotencyConflict(UserError):
    """See domain.errors.IdempotencyConflict."""

    first_used_at: datetime | None = strawberry.field(description="When the key was first used.", default=None)


@strawberry.type(description="The password is easy to guess: take another.")
class WeakPassword(UserError):
    """See domain.errors.WeakPassword."""

    score: int = strawberry.field(description="How hard it is to guess, from 0 to 4.", default=0)
    suggestions: list[str] = strawberry.field(description="What would make it better.", default_factory=list)


@strawberry.type(description="The mailed link works no more: used, replaced by a newer one, or too old.")
class InvalidLink(UserError):
    """See domain.errors.InvalidLink."""


@strawberry.type(description="Nobody else could administer the server any more: make another administrator first.")
class LastAdministrator(UserError):
    """See domain.errors.LastAdministrator."""


@strawberry.type(description="Credentials are given and taken by plain HTTP alone: send it there.")
class WrongTransport(UserError):
    """Asked over a socket or an event stream.

    A mutation whose payload may hold this is answered over plain HTTP and nowhere else: a socket has no headers of its
    own an operation, so it can carry no cookie, and its frames are kept by tools that know to leave out a header.
    """


@strawberry.type(description="Something still hangs on the team, so it cannot be archived.")
class TeamInUse(UserError):
    """See domain.errors.TeamInUse."""

    open_alerts: int = strawberry.field(description="How many open alerts it has.", default=0)
    integrations: int = strawberry.field(description="Of how many integrations it is the default team.", default=0)


@strawberry.type(
    description="The silence would hold most alerts. Ask for less, or say `confirmBroad` if it is meant so."
)
class SilenceTooBroad(UserError):
    """See domain.errors.SilenceTooBroad."""

    matched: int = strawberry.field(description="How many alerts it would hold, of those looked at.", default=0)
    total: int = strawberry.field(description="How many there are.", default=0)


@strawberry.type(description="A time.")
class RefusedTime:
    """See domain.schedules.model.Span."""

    starts_at: datetime = strawberry.field(description="From when.")
    ends_at: datetime = strawberry.field(description="Until when.")


@strawberry.type(description="The shifts are not as the swap needs them, or it was answered already.")
class SwapConflict(UserError):
    """See domain.errors.SwapConflict."""

    user_id: strawberry.ID | None = strawberry.field(
        description="Who is not on call for all of what they give; null when it is about neither.", default=None
    )
    times: list[RefusedTime] = strawberry.field(description="When they are not on call.", default_factory=list)


@strawberry.type(description="A time in which nobody would be told of alerts any more.")
class OpenedGap:
    """See domain.escalations.gaps.OpenedGap."""

    team_id: strawberry.ID | None = strawberry.field(description="Whose alerts; null for those of no team.")
    severities: list[Severity] = strawberry.field(description="Alerts of which severities.")
    starts_at: datetime = strawberry.field(description="From when.")
    ends_at: datetime = strawberry.field(description="Until when, as far ahead as is looked.")


@strawberry.type(
    description="Nobody would be told at times at which somebody would be now. Fill the gaps first, or say "
    "`evenIfItOpensGaps` if it is meant so."
)
class WouldOpenGaps(UserError):
    """See domain.errors.WouldOpenGaps."""

    gaps: list[OpenedGap] = strawberry.field(
        description="The first hundred, of the teams you may see.", default_factory=list
    )


def _times(error: errors.SwapConflict) -> dict[str, Any]:
    return {
        "user_id": None if error.user_id is None else strawberry.ID(str(error.user_id)),
        "times": [RefusedTime(starts_at=one.starts_at, ends_at=one.ends_at) for one in error.times],
    }


def _opened(error: errors.WouldOpenGaps) -> dict[str, Any]:
    return {
        "gaps": [
            OpenedGap(
                team_id=None if one.team_id is None else strawberry.ID(str(one.team_id)),
                severities=list(one.severities),
                starts_at=one.span.starts_at,
                ends_at=one.span.ends_at,
            )
            for one in error.gaps
        ]
    }


def _moves(error: errors.DomainError) -> dict[str, Any]:
    return {"current": error.current.upper(), "allowed": [name.upper() for name in error.allowed]}  # type: ignore[attr-defined]


def _same(*names: str) -> Callable[[errors.DomainError], dict[str, Any]]:
    return lambda error: {name: getattr(error, name) for name in names}


# Each domain error: its GraphQL type, its code, and the fields it has beyond the interface.
MAPPING: dict[type[errors.DomainError], tuple[type[UserError], ErrorCode, Callable[[Any], dict[str, Any]]]] = {
    errors.InvalidInput: (InvalidInput, ErrorCode.INVALID_INPUT, _same()),
    errors.InvalidCondition: (InvalidCondition, ErrorCode.INVALID_INPUT, _same("line", "column")),
    errors.NotFound: (NotFound, ErrorCode.NOT_FOUND, _same()),
    errors.Forbidden: (Forbidden, ErrorCode.FORBIDDEN, _same()),
    errors.IllegalMove: (IllegalMove, ErrorCode.ILLEGAL_MOVE, _moves),
    errors.StaleVersion: (StaleVersion, ErrorCode.STALE_VERSION, _same("expected", "actual")),
    errors.NewerAlertOpen: (NewerAlertOpen, ErrorCode.NEWER_ALERT_OPEN, _same("newer_alert_id")),
    errors.AlreadyExists: (AlreadyExists, ErrorCode.ALREADY_EXISTS, _same()),
    errors.InvalidCredentials: (InvalidCredentials, ErrorCode.INVALID_CREDENTIALS, _same()),
    errors.TooManyAttempts: (TooManyAttempts, ErrorCode.TOO_MANY_ATTEMPTS, _same("retry_after_seconds")),
    errors.StepUpRequired: (StepUpRequired, ErrorCode.STEP_UP_REQUIRED, _same("methods")),
    errors.IdempotencyConflict: (IdempotencyConflict, ErrorCode.IDEMPOTENCY_CONFLICT, _same("first_used_at")),
    errors.WeakPassword: (WeakPassword, ErrorCode.WEAK_PASSWORD, _same("score", "suggestions")),
    errors.InvalidLink: (InvalidLink, ErrorCode.INVALID_LINK, _same()),
    errors.LastAdministrator: (LastAdministrator, ErrorCode.LAST_ADMINISTRATOR, _same()),
    errors.TeamInUse: (TeamInUse, ErrorCode.TEAM_IN_USE, _same("open_alerts", "integrations")),
    errors.SwapConflict: (SwapConflict, ErrorCode.SWAP_CONFLICT, _times),
    errors.WouldOpenGaps: (WouldOpenGaps, ErrorCode.WOULD_OPEN_GAPS, _opened),
    errors.SilenceTooBroad: (SilenceTooBroad, ErrorCode.SILENCE_TOO_BROAD, _same("matched", "total")),
}


# What no payload holds: whoever asks must do something else first.
TOP_LEVEL: dict[type[errors.DomainError], ErrorCode] = {
    errors.Unauthenticated: ErrorCode.UNAUTHENTICATED,
    errors.EnrolmentRequired: ErrorCode.ENROLMENT_REQUIRED,
    errors.ProofRequired: ErrorCode.SECOND_FACTOR_REQUIRED,
}


def _mapped(error: errors.DomainError) -> tuple[type[UserError], ErrorCode, Callable[[Any], dict[str, Any]]]:
    """The line of the table for the error's class, or for the nearest one it inherits from."""
    return next(MAPPING[kind] for kind in type(error).__mro__ if kind in MAPPING)


def code_of(error: errors.DomainError) -> ErrorCode:
    """The code of a domain error."""
    top_level = next((code for kind, code in TOP_LEVEL.items() if isinstance(error, kind)), None)
    return top_level or _mapped(error)[1]


def as_user_error(error: errors.DomainError) -> UserError | None:
    """The GraphQL object for a domain error; None for one that is a top-level error."""
    if isinstance(error, tuple(TOP_LEVEL)):
        return None
    kind, code, extra = _mapped(error)
    return kind(message=error.message, code=code, path=list(error.path) or None, **extra(error))


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
