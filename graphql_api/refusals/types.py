"""What does each refusal say? One GraphQL type a domain error."""

from datetime import datetime

import strawberry

from domain.identity.proofs import Method
from graphql_api.enums import Severity
from graphql_api.exposes import expose_enum
from graphql_api.refusals.codes import UserError


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
