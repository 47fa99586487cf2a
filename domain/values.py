"""How is a value of the hot path made? A frozen dataclass to the type checker, an unlocked one while the program runs.

A frozen dataclass sets each field through `object.__setattr__`: 0.2 µs a field, and an alert passes through a dozen
values with a hundred fields on its way in. The type checker refuses an assignment all the same.
"""

from typing import TYPE_CHECKING, Any

__all__ = ["value_class"]

if TYPE_CHECKING:
    from dataclasses import dataclass as value_class
else:
    from dataclasses import dataclass

    def value_class(*, frozen: bool, **options: bool) -> Any:  # noqa: ANN401 - what `dataclass` returns
        """`dataclass` without the lock; equality and hash are those of the frozen one."""
        return dataclass(**options, unsafe_hash=frozen)
