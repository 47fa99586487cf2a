"""Which refusal is a domain error? Its type, its code, and what it tells besides."""

from collections.abc import Callable
from typing import Any

import strawberry

from domain import errors
from graphql_api.refusals.codes import ErrorCode, UserError
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
    OpenedGap,
    RefusedTime,
    SilenceTooBroad,
    StaleVersion,
    StepUpRequired,
    SwapConflict,
    TeamInUse,
    TooManyAttempts,
    WeakPassword,
    WouldOpenGaps,
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
