"""How is a value of the hot path made? A frozen dataclass to the type checker, an unlocked one while the program runs.

A frozen dataclass sets each field through `object.__setattr__`: 0.2 µs a field, and an alert passes through a dozen
values with a hundred fields on its way in. The type checker refuses an assignment all the same.
"""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

__all__ = ["maker", "value_class"]

T = TypeVar("T")

if TYPE_CHECKING:
    from dataclasses import dataclass as value_class
else:
    from dataclasses import dataclass

    def value_class(*, frozen: bool, **options: bool) -> Any:  # noqa: ANN401 - what `dataclass` returns
        """`dataclass` without the lock; equality and hash are those of the frozen one."""
        return dataclass(**options, unsafe_hash=frozen)


def maker(kind: type[T], names: Sequence[str], *, is_part: bool = False) -> Callable[[Iterable[object]], T]:
    """A function that makes a value of such a class from the values of all its fields, in the order of the names.

    It is written as code, as `dataclass` writes `__init__`: by keywords, thirty-five fields take ten times as long.
    Where the names are only a part, whoever asks the value for another one gets AttributeError: it must have slots.
    """
    missing = {field.name for field in dataclasses.fields(kind)} ^ set(names)  # type: ignore[arg-type]  # a dataclass
    if missing and not is_part:
        message = f"{kind.__name__} has other fields: {', '.join(sorted(missing))}"
        raise TypeError(message)
    targets = ", ".join(f"made.{name}" for name in names)
    code = f"def make(values):\n    made = new(kind)\n    ({targets}) = values\n    return made\n"
    known: dict[str, Any] = {"new": kind.__new__, "kind": kind}
    exec(code, known)  # noqa: S102 - of names of fields alone
    make: Callable[[Iterable[object]], T] = known["make"]
    return make
