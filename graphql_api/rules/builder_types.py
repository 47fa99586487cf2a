"""How is a condition put together over the API, and shown as it was put together?"""

from collections.abc import Sequence
from typing import Annotated, TypeAlias, Union

import strawberry

from domain.errors import InvalidInput
from domain.rules import builder
from domain.rules.builder import MAX_LEVELS, Built, Field, Operator
from graphql_api.rules import enums as _enums  # noqa: F401 - makes the enums


@strawberry.type(description="One comparison of a condition.")
class AlertComparison:
    """See domain.rules.builder.Comparison."""

    field: Field = strawberry.field(description="What it looks at.")
    operator: Operator = strawberry.field(description="How that is compared.")
    values: list[str] = strawberry.field(description="With what; none for EXISTS and NOT_EXISTS.")
    label: str | None = strawberry.field(description="The label's name, for the field LABEL; null otherwise.")


@strawberry.type(description="All of these must hold.")
class AlertConditionAll:
    """See domain.rules.builder.All."""

    all: "list[AlertCondition]" = strawberry.field(description="Each of them.")


@strawberry.type(description="One of these must hold.")
class AlertConditionAny:
    """See domain.rules.builder.AnyOf."""

    any: "list[AlertCondition]" = strawberry.field(description="At least one of them.")


@strawberry.type(description="This must not hold.")
class AlertConditionNot:
    """See domain.rules.builder.Not."""

    condition: "AlertCondition" = strawberry.field(description="What must not hold.")


AlertCondition: TypeAlias = Annotated[
    Union[AlertComparison, AlertConditionAll, AlertConditionAny, AlertConditionNot],  # noqa: UP007 - named by it
    strawberry.union("AlertCondition", description="A condition that was put together of comparisons."),
]
Shown: TypeAlias = AlertComparison | AlertConditionAll | AlertConditionAny | AlertConditionNot


def shown(built: Built) -> Shown:
    """The condition as the API shows it."""
    if isinstance(built, builder.Comparison):
        return AlertComparison(field=built.field, operator=built.operator, values=list(built.values), label=built.label)
    if isinstance(built, builder.Not):
        return AlertConditionNot(condition=shown(built.part))
    parts = [shown(part) for part in built.parts]
    return AlertConditionAll(all=parts) if isinstance(built, builder.All) else AlertConditionAny(any=parts)


@strawberry.input(description="One comparison of a condition.")
class AlertComparisonInput:
    """See domain.rules.builder.Comparison."""

    field: Field = strawberry.field(description="What it looks at.")
    operator: Operator = strawberry.field(description="How that is compared.")
    values: list[str] = strawberry.field(
        description="With what: one value, 1 to 100 for IN and NOT_IN, none for EXISTS and NOT_EXISTS.",
        default_factory=list,
    )
    label: str | None = strawberry.field(description="The label's name; for the field LABEL alone.", default=None)


@strawberry.input(description="A condition put together of comparisons: exactly one of the four.")
class AlertConditionInput:
    """See domain.rules.builder.Built."""

    all: "list[AlertConditionInput] | None" = strawberry.field(description="All of these must hold.", default=None)
    any: "list[AlertConditionInput] | None" = strawberry.field(description="One of these must hold.", default=None)
    not_: "AlertConditionInput | None" = strawberry.field(name="not", description="This must not hold.", default=None)
    compare: AlertComparisonInput | None = strawberry.field(description="This comparison must hold.", default=None)


def built_of(given: AlertConditionInput, path: tuple[str, ...] = ("builder",)) -> Built:
    """The domain's tree, normal and checked; InvalidInput names the first part that cannot be written."""
    return builder.checked(_read(given, path, 0), path)


def _read(given: AlertConditionInput, path: tuple[str, ...], level: int) -> Built:
    if level > MAX_LEVELS:
        message = f"is too deep: at most {MAX_LEVELS} levels"
        raise InvalidInput(message, path)
    named = {"all": given.all, "any": given.any, "not": given.not_, "compare": given.compare}
    if sum(part is not None for part in named.values()) != 1:
        message = f"name exactly one of {', '.join(named)}"
        raise InvalidInput(message, path)
    if given.compare is not None:
        one = given.compare
        return builder.Comparison(one.field, one.operator, tuple(one.values), one.label)
    if given.not_ is not None:
        return builder.Not(_read(given.not_, (*path, "not"), level + 1))
    if given.all is not None:
        return builder.All(_parts(given.all, (*path, "all"), level))
    return builder.AnyOf(_parts(given.any or [], (*path, "any"), level))


def _parts(given: Sequence[AlertConditionInput], path: tuple[str, ...], level: int) -> tuple[Built, ...]:
    return tuple(_read(part, (*path, str(number)), level + 1) for number, part in enumerate(given))
