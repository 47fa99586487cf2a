"""How are the steps of a policy kept? As JSON that a person can read; an escalation has a copy of its own."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from domain.escalations.model import Step, Target, TargetKind


def steps_json(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """The column's value."""
    return [
        {
            "delay_seconds": step.delay.total_seconds(),
            "targets": [{"kind": target.kind.value, "id": str(target.id)} for target in step.targets],
        }
        for step in steps
    ]


def steps_of(stored: Sequence[Mapping[str, Any]]) -> tuple[Step, ...]:
    """The steps a row holds."""
    return tuple(
        Step(
            delay=timedelta(seconds=one["delay_seconds"]),
            targets=tuple(Target(TargetKind(target["kind"]), UUID(target["id"])) for target in one["targets"]),
        )
        for one in stored
    )
