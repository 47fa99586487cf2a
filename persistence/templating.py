"""How is a template read and filled, by whoever wrote it? Jinja, in a sandbox, with far less than Jinja allows.

A template is text with values, conditions and loops over them; no call, no macro, no assignment, no arithmetic, and our
own filters alone. What it can reach is data: mappings, lists and texts; an attribute of anything else is not there.
Loops run over at most 50 things and two deep, and each filter gives a bounded text, so that the time a template takes
is bounded by its length; the text it gives is bounded, and so is the time it is given.
"""

import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, wraps
from typing import Any

from jinja2 import ChainableUndefined, Template, TemplateError, nodes
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from domain.channels.templates import ALERT, MAX_SOURCE, NAMES, TemplateFails, TemplateProblem
from persistence.template_filters import FILTERS, MAX_OUTPUT, TAKES, no_zone, text_of, zone_named
from persistence.template_places import PlacedEnvironment, at_character, column_of

MAX_NODES, MAX_DEPTH, MAX_LOOPS = 600, 40, 2
SECONDS = 0.25
# All of one message, or of what one channel is sent at once: hundreds of alerts may wait, and so do all others.
SECONDS_IN_ALL = 2.0
FILE = "<template>"
_LOOP = frozenset({"index", "index0", "first", "last", "length"})
_NODES = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Getattr, nodes.Getitem, nodes.Const,
    nodes.Filter, nodes.Test, nodes.If, nodes.For, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not,
    nodes.CondExpr, nodes.Concat, nodes.List, nodes.Tuple,
)  # fmt: skip
_TESTS = frozenset({"defined", "undefined", "none"})


class _Clock(threading.local):
    """When what this thread renders must be done, of the processor's time."""

    ends = 0.0


_CLOCK = _Clock()


@dataclass(slots=True)
class Patience:
    """What is left of the time that several fillings may take together."""

    left: float = SECONDS_IN_ALL


def _check_time() -> None:
    # Of the processor, not of the clock: a busy machine makes no template slow.
    if time.thread_time() > _CLOCK.ends:
        raise TemplateFails(TemplateProblem("it takes too long"))


def _timed(filter_: Callable[..., object]) -> Callable[..., object]:
    """Every loop goes through a filter, so that one that writes nothing is stopped too."""

    @wraps(filter_)
    def timed(*given: object) -> object:
        _check_time()
        return filter_(*given)

    return timed


class _Environment(PlacedEnvironment, ImmutableSandboxedEnvironment):
    """Reaches into data alone."""

    def getattr(self, obj: Any, attribute: str) -> Any:  # noqa: ANN401 - Jinja's own
        """A key of a mapping, or what is known of a loop."""
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:  # noqa: ANN401 - Jinja's own
        """A key of a mapping or a place in a list; nothing of any other object."""
        if isinstance(obj, LoopContext) and argument in _LOOP:
            return getattr(obj, argument)
        if isinstance(obj, Mapping) and isinstance(argument, str):
            return obj[argument] if argument in obj else self.undefined(name=argument)
        if isinstance(obj, list | tuple) and isinstance(argument, int) and -len(obj) <= argument < len(obj):
            return obj[argument]
        return self.undefined(name=str(argument)[:100])

    def is_safe_callable(self, obj: Any) -> bool:  # noqa: ANN401 - Jinja's own
        """Nothing is called."""
        del obj
        return False


def _environment() -> _Environment:
    made = _Environment(
        undefined=ChainableUndefined,
        optimized=False,
        autoescape=False,
        finalize=text_of,
        trim_blocks=True,
        cache_size=0,
    )
    made.globals.clear()
    made.filters = {name: _timed(filter_) for name, filter_ in FILTERS.items()}
    made.tests = {name: made.tests[name] for name in _TESTS}
    return made


_ENVIRONMENT = _environment()


def check(source: str, names: frozenset[str] = NAMES) -> None:
    """Raise TemplateFails, with the place, unless the template can be used. `names` are those it may use."""
    _compiled(source, names)


def render(
    source: str, facts: Mapping[str, Any], names: frozenset[str] = NAMES, *, patience: Patience | None = None
) -> str:
    """The text. Raises TemplateFails; never anything else, and never after long. `patience` is of several together."""
    template, patience = _compiled(source, names), patience or Patience()
    try:
        text = _filled(template, facts, patience)
    except TemplateFails:
        raise
    except Exception as error:
        raise TemplateFails(TemplateProblem(_message(error), _line_of(error))) from error
    if not text:
        raise TemplateFails(TemplateProblem("it gives no text"))
    return text


def _filled(template: Template, facts: Mapping[str, Any], patience: Patience) -> str:
    parts, length = list[str](), 0
    begins = time.thread_time()
    _CLOCK.ends = begins + min(SECONDS, patience.left)
    try:
        for part in template.generate(facts):
            parts.append(part)
            length += len(part)
            if length > MAX_OUTPUT:
                break
            _check_time()
    finally:
        patience.left -= time.thread_time() - begins
    return "".join(parts)[:MAX_OUTPUT].strip()


@lru_cache(maxsize=256)
def _compiled(source: str, names: frozenset[str]) -> Template:
    if len(source) > MAX_SOURCE:
        raise TemplateFails(TemplateProblem(f"a template has at most {MAX_SOURCE} characters"))
    if not source.strip():
        raise TemplateFails(TemplateProblem("it gives no text"))
    try:
        tree = _ENVIRONMENT.parse(source)
        _Checker(names).check(tree)
        code = _ENVIRONMENT.compile(tree, filename=FILE)
    except TemplateError as error:
        message, place = at_character(_message(error), source)
        line = place or getattr(error, "lineno", None)
        raise TemplateFails(TemplateProblem(message, line, column_of(line))) from error
    except (RecursionError, MemoryError, SyntaxError, ValueError) as error:
        raise TemplateFails(TemplateProblem("it is nested too deeply")) from error
    return Template.from_code(_ENVIRONMENT, code, {})


class _Checker:
    """Looks at each node once; what is not known to be harmless is refused."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names
        self._count = 0

    def check(self, tree: nodes.Template) -> None:
        """Raise TemplateFails for the first thing that may not be."""
        self._look(tree, depth=0, loops=0, names=self._names)

    def _look(self, node: nodes.Node, *, depth: int, loops: int, names: frozenset[str]) -> None:
        self._count += 1
        if self._count > MAX_NODES or depth > MAX_DEPTH:
            _refuse("it is too long, or nested too deeply", node)
        if not isinstance(node, _NODES):
            _refuse(f"{type(node).__name__.lower()} cannot be used in a template", node)
        if isinstance(node, nodes.For):
            loops, names = self._loop(node, loops, names)
        elif isinstance(node, nodes.Name) and node.ctx == "load" and node.name not in names:
            _refuse(f"there is no {node.name}; there are {', '.join(sorted(self._names))}", node)
        elif isinstance(node, nodes.Getattr | nodes.Getitem):
            _check_path(node)
        elif isinstance(node, nodes.Filter):
            _check_filter(node)
        elif isinstance(node, nodes.Test) and node.name not in _TESTS:
            _refuse(f"there is no test {node.name}; there are {', '.join(sorted(_TESTS))}", node)
        for child in node.iter_child_nodes():
            self._look(child, depth=depth + 1, loops=loops, names=names)

    @staticmethod
    def _loop(node: nodes.For, loops: int, names: frozenset[str]) -> tuple[int, frozenset[str]]:
        if node.recursive or loops >= MAX_LOOPS:
            _refuse(f"loops are at most {MAX_LOOPS} deep", node)
        own = {name.name for name in node.target.find_all(nodes.Name)}
        if isinstance(node.target, nodes.Name):
            own.add(node.target.name)
        # Whatever it is said to go over, it goes over a few things.
        if not (isinstance(node.iter, nodes.Filter) and node.iter.name == "items"):
            node.iter = nodes.Filter(node.iter, "items", [], [], None, None, lineno=node.lineno)
        return loops + 1, names | own | {"loop"}


def _check_path(node: nodes.Getattr | nodes.Getitem) -> None:
    name = node.attr if isinstance(node, nodes.Getattr) else getattr(node.arg, "value", None)
    if not isinstance(name, str | int):
        _refuse("what is in brackets must be a text or a number", node)
    if isinstance(node.node, nodes.Name) and node.node.name == "alert" and name not in ALERT:
        _refuse(f"an alert has no {name}; it has {', '.join(sorted(ALERT))}", node)


def _check_filter(node: nodes.Filter) -> None:
    if node.name not in FILTERS:
        _refuse(f"there is no filter {node.name}; there are {', '.join(sorted(FILTERS))}", node)
    given: Sequence[nodes.Node] = node.args
    if node.kwargs or node.dyn_args or node.dyn_kwargs or not all(isinstance(one, nodes.Const) for one in given):
        _refuse("a filter takes texts and numbers alone", node)
    wanted, used = TAKES.get(node.name, ((), node.name))
    values = [one.value for one in given if isinstance(one, nodes.Const)]
    fits = len(values) <= len(wanted) and all(type(one) is kind for one, kind in zip(values, wanted, strict=False))
    if not fits or any(isinstance(one, str) and len(one) > 100 for one in values):  # noqa: PLR2004 - more than a date needs
        _refuse(f"{node.name} is used as {used}", node)
    if node.name == "date" and len(values) == len(wanted) and zone_named(values[1]) is None:
        _refuse(no_zone(values[1]), node)


def _refuse(message: str, node: nodes.Node) -> None:
    raise TemplateFails(TemplateProblem(message, node.lineno, column_of(node.lineno)))


def _message(error: Exception) -> str:
    return " ".join((str(error) or type(error).__name__).split())[:300]


def _line_of(error: Exception) -> int | None:
    frames: Iterator[int | None] = (
        frame.lineno for frame in reversed(traceback.extract_tb(error.__traceback__)) if frame.filename == FILE
    )
    return next(frames, None)
