"""Which kinds of refusal are there? What a program matches on, and what every refusal has."""

from enum import StrEnum

import strawberry

from graphql_api.exposes import expose_enum


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
