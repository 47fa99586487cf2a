"""How does a client say what a policy's steps are?"""

from collections.abc import Sequence
from datetime import timedelta

import strawberry

from domain.errors import InvalidInput
from domain.escalations.model import Step, Target, TargetKind
from domain.escalations.policies import PolicyDesk
from graphql_api.audit_writer import desk_of
from graphql_api.context import Context
from graphql_api.scalars import uuid_or_none
from persistence.escalation_policies import EscalationPolicyRepository
from persistence.unit_of_work import UnitOfWork


@strawberry.input(description="Whom a step reaches.")
class EscalationTargetInput:
    """See domain.escalations.model.Target."""

    kind: TargetKind = strawberry.field(description="A person, a team or a schedule.")
    id: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.input(description="One step of a policy.")
class EscalationStepInput:
    """See domain.escalations.model.Step."""

    delay: timedelta = strawberry.field(
        description="How long after the step before, at least a minute; of the first, after the alert opened: PT0S is "
        "at once."
    )
    targets: list[EscalationTargetInput] = strawberry.field(description="Whom it reaches, at most 20.")


def steps_of(given: Sequence[EscalationStepInput]) -> tuple[Step, ...]:
    """The domain's steps; InvalidInput for an id that is none."""
    return tuple(
        Step(
            delay=step.delay,
            targets=targets_of(step.targets, "steps", str(number), "targets"),
        )
        for number, step in enumerate(given)
    )


def targets_of(given: Sequence[EscalationTargetInput], *path: str) -> tuple[Target, ...]:
    """The domain's targets; InvalidInput for an id that is none."""
    return tuple(_target(target, (*path, str(place))) for place, target in enumerate(given))


def _target(given: EscalationTargetInput, path: tuple[str, ...]) -> Target:
    found = uuid_or_none(given.id)
    if found is None:
        message = f"no such {'active person' if given.kind is TargetKind.USER else given.kind.value}"
        raise InvalidInput(message, path)
    return Target(given.kind, found)


def desk(context: Context, uow: UnitOfWork, action: str) -> PolicyDesk:
    """What an action on policies needs of this request."""
    return desk_of(
        context, uow, EscalationPolicyRepository(uow.connection), action=action, target_kind="escalation_policy"
    )
