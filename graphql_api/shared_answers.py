"""How do a hundred who ask the same at the same moment cost one? Those who wait for their turn are answered together.

At an incident every wall and console asks for the same page. Who comes while an equal question is being answered waits
for the next run, and shares that one with the others who wait: a run serves only those who had come, and been let in
and charged, before it began. So what somebody changed before they asked is in their answer, and nothing is kept. Equal
is the document, the variables and what the viewers may see, as for live streams (graphql_api/live/sharing.py); what
tells of a person is never shared. See docs/decisions/052-those-who-wait-are-answered-together.md.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import orjson
import structlog
from graphql import FieldNode, GraphQLSchema, OperationDefinitionNode, OperationType

from domain.identity.model import Viewer
from graphql_api.graphql_request import GraphQLRequest
from graphql_api.limits import Documents
from graphql_api.live.sharing import Permissions, is_personal
from persistence.tasks import end_tasks

_log = structlog.get_logger(__name__)
Answer = TypeVar("Answer")
# Nobody waits longer for a run they have no part in.
PATIENCE_SECONDS = 0.1
# Root fields whose answers depend on what the viewer may see and on nothing else of theirs.
SHARED_ROOTS = frozenset({"alerts", "alertCounts"})


@dataclass(frozen=True, slots=True)
class Question:
    """What is equal for all who share an answer."""

    query: str
    operation_name: str | None
    variables: bytes
    permissions: Permissions


def question_of(
    asked: GraphQLRequest,
    operation: OperationDefinitionNode,
    viewer: Viewer | None,
    *,
    documents: Documents,
    schema: GraphQLSchema,
) -> Question | None:
    """What a request asks, if its answer may be shared."""
    # Asked first, of what is at hand: a document too large to be kept would be parsed once more for the rest.
    if viewer is None or not _has_shared_root(operation):
        return None
    known, name = documents.parsed(asked.query), asked.operation_name
    if name not in known.is_shared:
        known.is_shared[name] = not documents.refusals(known, schema) and not is_personal(known.document, schema)
    packed = packed_variables(operation, asked.variables) if known.is_shared[name] else None
    return None if packed is None else Question(asked.query, name, packed, Permissions.of(viewer))


def _has_shared_root(operation: OperationDefinitionNode) -> bool:
    selections = operation.selection_set.selections
    return operation.operation is OperationType.QUERY and all(
        isinstance(one, FieldNode) and one.name.value in SHARED_ROOTS for one in selections
    )


def packed_variables(operation: OperationDefinitionNode, variables: Mapping[str, Any] | None) -> bytes | None:
    """What the operation is given, so that equal ones are equal; None for what JSON cannot hold.

    What it does not know is ignored, as it is when it runs.
    """
    if not operation.variable_definitions:
        return b""
    known = {node.variable.name.value for node in operation.variable_definitions}
    given = {name: value for name, value in (variables or {}).items() if name in known}
    try:
        return orjson.dumps(given, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return None


@dataclass(slots=True, eq=False)
class _Line(Generic[Answer]):
    """Who waits for the next run of one question."""

    waiting: "list[asyncio.Future[Answer | None]]" = field(default_factory=list)
    is_free: asyncio.Event = field(default_factory=asyncio.Event)
    is_drained: bool = False


class SharedAnswers(Generic[Answer]):
    """The questions of one process that are being answered."""

    def __init__(self) -> None:
        self._lines: dict[Question, _Line[Answer]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(
        self,
        question: Question,
        alone: Callable[[], Awaitable[Answer]],
        together: Callable[[], Awaitable[Answer | None]],
    ) -> Answer:
        """The answer: by a run of one's own when nobody asks the same just now, else by the next run for all who wait.

        `together` runs as nobody in particular, and says None where each has to ask alone.
        """
        line = self._lines.get(question)
        if line is None:
            return await self._first(question, alone)
        answer: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        line.waiting.append(answer)
        if not line.is_drained:
            line.is_drained = True
            self._start(self._drain(question, line, together))
        found = await answer
        return await alone() if found is None else found

    async def close(self) -> None:
        """End the runs that are left."""
        await end_tasks(list(self._tasks))
        for question, line in list(self._lines.items()):
            self._forget(question, line)

    async def _first(self, question: Question, alone: Callable[[], Awaitable[Answer]]) -> Answer:
        line: _Line[Answer] = _Line()
        self._lines[question] = line
        try:
            return await alone()
        finally:
            line.is_free.set()
            if not line.is_drained:
                self._forget(question, line)

    async def _drain(
        self, question: Question, line: _Line[Answer], together: Callable[[], Awaitable[Answer | None]]
    ) -> None:
        """Run for all who wait, until nobody does. A run that takes long goes on beside the next."""
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await line.is_free.wait()
            while line.waiting:
                those, line.waiting = line.waiting, []
                await asyncio.wait({self._start(_run(those, together))}, timeout=PATIENCE_SECONDS)
        finally:
            self._forget(question, line)

    def _forget(self, question: Question, line: _Line[Answer]) -> None:
        """Who still waits asks alone."""
        if self._lines.get(question) is line:
            del self._lines[question]
        _tell(line.waiting, None)

    def _start(self, work: Any) -> "asyncio.Task[None]":  # noqa: ANN401 - a coroutine
        task: asyncio.Task[None] = asyncio.create_task(work, name="shared answer")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


async def _run(those: "list[asyncio.Future[Answer | None]]", together: Callable[[], Awaitable[Answer | None]]) -> None:
    """One run for those. When it fails each asks alone, and answers for the error."""
    found: Answer | None = None
    try:
        found = await together()
    except Exception as error:  # noqa: BLE001 - as above
        _log.error("an answer for several could not be made", exc_info=error)
    finally:
        _tell(those, found)


def _tell(those: "list[asyncio.Future[Answer | None]]", found: Answer | None) -> None:
    for answer in those:
        if not answer.done():  # a request that was given up no longer waits
            answer.set_result(found)
