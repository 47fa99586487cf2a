"""Is an answer the same by the short way as by graphql-core's: values, nulls, errors, order, fragments?"""

import asyncio
import enum
from collections.abc import AsyncGenerator, Awaitable, Generator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import pytest
import strawberry
from strawberry.extensions import SchemaExtension
from strawberry.scalars import JSON
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from graphql_api.execution import Execution
from graphql_api.scalars import SCALARS


@strawberry.enum
class Colour(enum.StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Thing:
    """What a resolver returns; its values are of types that fit, or of others."""

    values: dict[str, Any]

    def __getattr__(self, name: str) -> object:
        if name not in self.values:
            raise AttributeError(name)
        found = self.values[name]
        if isinstance(found, type) and issubclass(found, Exception):
            raise found("broken")
        return found


class Later:
    """A value that has to be awaited."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __await__(self) -> Generator[Any, None, object]:
        yield from asyncio.sleep(0).__await__()
        return self._value


def _two(root: strawberry.Parent[Thing]) -> str:
    return str(root.values.get("title")) * 2


async def _three(root: strawberry.Parent[Thing], times: int = 3) -> str | None:
    title = root.values.get("title")
    return title * times if isinstance(title, str) else None


@strawberry.type(name="Thing")
class ThingType:
    id: strawberry.ID
    title: str
    note: str | None
    number: int | None
    share: float | None
    is_red: bool | None
    colour: Colour | None
    colours: list[Colour] | None
    at: datetime | None
    data: JSON | None
    two: str = strawberry.field(resolver=_two)
    three: str | None = strawberry.field(resolver=_three)
    inner: "ThingType | None"

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        return isinstance(value, Thing)


GOOD: dict[str, Any] = {
    "id": UUID(int=5),
    "title": "a",
    "note": None,
    "number": 3,
    "share": 0.5,
    "is_red": True,
    "colour": Colour.BLUE,
    "colours": [Colour.RED],
    "at": datetime(2026, 11, 24, 6, 14, tzinfo=UTC),
    "data": {"a": [1, None]},
    "inner": None,
}
SHOWN: list[Thing] = []


@strawberry.type
class Query:
    @strawberry.field(graphql_type=list[ThingType | None])  # type: ignore[untyped-decorator]
    def things(self) -> list[Thing]:
        return SHOWN


def _schema(executor: type, *extensions: type[SchemaExtension]) -> strawberry.Schema:
    return strawberry.Schema(
        query=Query,
        config=StrawberryConfig(scalar_map=SCALARS),
        execution_context_class=executor,
        extensions=list(extensions),
    )


SHORT, OWN = _schema(Execution), _schema(StrawberryGraphQLCoreExecutionContext)
EVERY = "__typename id title note number share isRed colour colours at data two three again: title"
FRAGMENTS = """{ things { title @skip(if: true) number @include(if: true) ...More inner { ...More } } }
  fragment More on Thing { title colour ... on Thing { title id } three(times: 2) }"""
DOCUMENTS = [
    f"{{ things {{ {EVERY} inner {{ {EVERY} }} }} }}",
    "{ things { at three note two title } }",
    "{ things { __typename id title note number isRed colour at data again: title } }",
    FRAGMENTS,
    "{ things { a: title b: title title inner { title inner { title } } } things { number } }",
]
ODD = [
    ("title", None),
    ("title", 5),
    ("title", True),
    ("title", b"bytes"),
    ("title", ValueError),
    ("title", ValueError("returned")),
    ("id", "text"),
    ("id", 7),
    ("id", None),
    ("id", 1.5),
    ("number", 2**31),
    ("number", -(2**31)),
    ("number", True),
    ("number", "3"),
    ("number", 3.0),
    ("number", 3.5),
    ("is_red", 1),
    ("is_red", "yes"),
    ("note", Colour.RED),
    ("note", KeyError),
    ("colour", "red"),
    ("colour", "green"),
    ("colour", None),
    ("colours", [Colour.RED, None]),
    ("at", datetime(2026, 1, 1, 3, tzinfo=timezone(timedelta(hours=3)))),
    ("at", datetime(2026, 1, 1)),  # noqa: DTZ001 - that is the case
    ("at", "2026"),
    ("data", None),
    ("data", "text"),
    ("data", [1]),
    ("share", float("nan")),
    ("inner", Thing({**GOOD, "title": None})),
    ("inner", Thing({**GOOD, "note": "inside"})),
    ("inner", "not a thing"),
]


async def _both(document: str) -> tuple[Any, Any]:
    answers = []
    for schema in (SHORT, OWN):
        result = await schema.execute(document)
        found = [(error.message, error.path, error.locations) for error in result.errors or ()]
        answers.append((result.data, sorted(found, key=str)))
    return answers[0], answers[1]


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize(("name", "value"), [("note", "fine"), *ODD], ids=str)
async def test_answers_are_the_same(document: str, name: str, value: object) -> None:
    odd = Thing({**GOOD, "id": uuid4(), name: value})
    SHOWN[:] = [Thing(GOOD), odd, Thing({**GOOD, "inner": odd})]
    short, own = await _both(document)
    assert short == own
    # Also the order of the fields, which == of mappings does not see.
    assert repr(short[0]) == repr(own[0])


@pytest.mark.parametrize("name", ["title", "note", "id", "colour", "inner"])
async def test_a_value_that_has_to_be_awaited_is_awaited(name: str) -> None:
    SHOWN[:] = [Thing({**GOOD, name: Later(GOOD[name])}), Thing(GOOD)]
    short, own = await _both(DOCUMENTS[0])
    assert short == own
    assert short[1] == []


@pytest.mark.parametrize(
    "item", [None, "not a thing", Later(Thing(GOOD)), ValueError("x")], ids=["null", "text", "awaited", "error"]
)
@pytest.mark.parametrize("document", DOCUMENTS)
async def test_an_item_that_is_no_object_of_the_type_hides_no_other(document: str, item: Any) -> None:  # noqa: ANN401
    SHOWN[:] = [Thing(GOOD), item, Thing(GOOD)]
    short, own = await _both(document)
    assert short == own
    assert repr(short[0]) == repr(own[0])


async def test_who_watches_every_field_is_asked_for_every_field() -> None:
    seen: list[str] = []

    class Watch(SchemaExtension):
        def resolve(self, _next: Any, root: Any, info: Any, *args: Any, **kwargs: Any) -> Awaitable[Any] | Any:  # noqa: ANN401
            seen.append(info.field_name)
            return _next(root, info, *args, **kwargs)

    SHOWN[:] = [Thing(GOOD)]
    await _schema(Execution, Watch).execute("{ things { title note } }")
    assert seen == ["things", "title", "note"]


async def test_what_fits_is_shown_without_a_resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    resolved: list[str] = []
    plain = StrawberryGraphQLCoreExecutionContext.execute_field

    def execute_field(self: Any, kind: Any, source: Any, details: Any, *others: Any) -> Any:  # noqa: ANN401
        resolved.append(details[0].node.name.value)
        return plain(self, kind, source, details, *others)

    monkeypatch.setattr(StrawberryGraphQLCoreExecutionContext, "execute_field", execute_field)
    SHOWN[:] = [Thing(GOOD)]
    result = await SHORT.execute("{ things { id title note number isRed colour at data two share title } }")
    assert result.errors is None
    assert resolved == ["things", "two", "share"]


@strawberry.type
class Happening:
    number: int = 0

    @strawberry.field
    async def next(self) -> "Happening":
        return Happening(number=self.number + 1)


@strawberry.type
class Happenings:
    @strawberry.subscription
    async def happens(self, times: int) -> AsyncGenerator[Happening, None]:
        for number in range(times):
            yield Happening(number=number)


async def test_the_events_of_a_subscription_are_planned_once_and_leave_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Execution] = []
    plain = Execution.__init__

    def noted(self: Execution, *arguments: Any, **options: Any) -> None:  # noqa: ANN401
        plain(self, *arguments, **options)
        made.append(self)

    monkeypatch.setattr(Execution, "__init__", noted)
    schema = strawberry.Schema(query=Happening, subscription=Happenings, execution_context_class=Execution)
    document = """
    subscription ($times: Int!, $isShort: Boolean!) {
      happens(times: $times) { number ... on Happening { next { number } } last: next @skip(if: $isShort) { number } }
    }
    """
    sizes, numbers = [], []
    async for result in await schema.subscribe(document, {"times": 20, "isShort": True}):
        assert result.errors is None
        assert result.data is not None
        numbers.append(result.data["happens"])
        (execution,) = made
        # By graphql-core for each selection, by us for each plan.
        sizes.append((len(execution._relevant_sub_fields), len(execution._plans)))  # noqa: SLF001
    assert numbers == [{"number": number, "next": {"number": number + 1}} for number in range(20)]
    assert set(sizes) == {sizes[0]}
