"""How are the layers of a schedule's version kept? As JSON that a person can read; nothing ever changes it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, time
from typing import Any
from uuid import UUID

from domain.schedules.model import Layer, Restriction, Rotation, ShiftUnit, Weekday


def layers_json(layers: Sequence[Layer]) -> list[dict[str, Any]]:
    """The column's value."""
    return [
        {
            "id": str(layer.id),
            "name": layer.name,
            "begins_at": None if layer.begins_at is None else layer.begins_at.isoformat(),
            "ends_at": None if layer.ends_at is None else layer.ends_at.isoformat(),
            "rotation": {
                "starts_at": layer.rotation.starts_at.isoformat(),
                "unit": layer.rotation.unit.value,
                "shift_length": layer.rotation.shift_length,
                "participants": [str(user_id) for user_id in layer.rotation.participants],
            },
            "restrictions": [
                {
                    "weekdays": [day.value for day in Weekday if day in restriction.weekdays],
                    "starts": restriction.starts.isoformat(),
                    "ends": restriction.ends.isoformat(),
                }
                for restriction in layer.restrictions
            ],
        }
        for layer in layers
    ]


def layers_of(stored: Sequence[Mapping[str, Any]]) -> tuple[Layer, ...]:
    """The layers a row holds."""
    return tuple(_layer(one) for one in stored)


def _layer(stored: Mapping[str, Any]) -> Layer:
    rotation = stored["rotation"]
    return Layer(
        id=UUID(stored["id"]),
        name=stored["name"],
        begins_at=None if stored["begins_at"] is None else datetime.fromisoformat(stored["begins_at"]),
        ends_at=None if stored["ends_at"] is None else datetime.fromisoformat(stored["ends_at"]),
        rotation=Rotation(
            starts_at=datetime.fromisoformat(rotation["starts_at"]),
            unit=ShiftUnit(rotation["unit"]),
            shift_length=rotation["shift_length"],
            participants=tuple(UUID(user_id) for user_id in rotation["participants"]),
        ),
        restrictions=tuple(
            Restriction(
                weekdays=frozenset(Weekday(day) for day in one["weekdays"]),
                starts=time.fromisoformat(one["starts"]),
                ends=time.fromisoformat(one["ends"]),
            )
            for one in stored["restrictions"]
        ),
    )
