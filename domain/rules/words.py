"""Does a condition compare a fact with a value that it never has? Then it is a slip, and says nothing for ever.

`alert.status == "ACTIVE"` compiles and never holds, for the status is "active"; `!=` holds always. So whatever is
written anew is looked through once more when it is saved: by alert rules, group rules, silences, rules of notification.
What is stored already goes on as it is: no rule is left out for what it was allowed to say, and none is kept from being
switched off for it.
"""

from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from operator import eq, ge, gt, le, lt, ne
from typing import TypeAlias
from uuid import UUID

from domain.alerts.model import AlertStatus
from domain.alerts.severity import severity_named
from domain.rules.condition import RANK_NAMES, Condition, ConditionEngine, ConditionInvalid, place_of
from domain.rules.literals import literal_fault
from domain.rules.tree import Call, Constant, Listed, Name, Node, walk

# What is wrong with the value, as the end of a sentence; None where it may be.
Fault: TypeAlias = str | None
_STATUSES = tuple(status.value for status in AlertStatus)
_SAID_STATUSES = ", ".join(f'"{status}"' for status in _STATUSES)
_SEVERITIES = "LOW, MEDIUM, HIGH or CRITICAL"
_ORDER: Mapping[str, Callable[[int, int], bool]] = {
    "_==_": eq, "_!=_": ne, "_<_": lt, "_<=_": le, "_>_": gt, "_>=_": ge
}  # fmt: skip
_MIRRORED = {"_<_": "_>_", "_<=_": "_>=_", "_>_": "_<_", "_>=_": "_<=_"}
_LIKE_ENOUGH = 0.5


def written(text: str, engine: ConditionEngine, *, kept: str | None = None) -> Condition:
    """The condition of a text that somebody writes now; raises ConditionInvalid, with the place.

    `kept` is the condition that is stored: an edit that leaves it as it is does not write it.
    """
    condition = engine.compile(text)
    if text != kept:
        check_words(condition)
    return condition


def check_words(condition: Condition) -> None:
    """ConditionInvalid, with the place, for a value that a fact never has, or a literal that is nothing."""
    for node, fault in _faults(condition.tree.root):
        position = condition.tree.positions.get(node.id)
        raise ConditionInvalid(fault, *(() if position is None else place_of(condition.text, position)))


def _faults(root: Node) -> Iterator[tuple[Node, str]]:
    for node in walk(root):
        yield from literal_fault(node)
        if not (isinstance(node, Call) and len(node.arguments) == 2):  # noqa: PLR2004 - two sides
            continue
        left, right = node.arguments
        function = node.function
        if function != "@in" and isinstance(right, Name) and (right.name in _TEXT_FACTS or right.name == _SEVERITY):
            left, right, function = right, left, _MIRRORED.get(function, function)
        if not isinstance(left, Name):
            continue
        if left.name == _SEVERITY:
            yield from _severity_faults(function, right)
        elif left.name in _TEXT_FACTS and function in ("_==_", "_!=_", "@in"):
            for value in _values(right):
                if isinstance(value, Constant) and isinstance(value.value, str):
                    fault = _TEXT_FACTS[left.name](value.value)
                    if fault is not None:
                        yield value, f'{left.name} is never "{value.value}"{fault}'


def _values(node: Node) -> tuple[Node, ...]:
    return node.elements if isinstance(node, Listed) and node.is_plain else (node,)


def _severity_faults(function: str, right: Node) -> Iterator[tuple[Node, str]]:
    for value in _values(right):
        rank = _rank_of(value)
        if isinstance(value, Constant) and isinstance(value.value, str):
            yield value, f'alert.severity is never "{value.value}": {severity_hint(value.value)}'
        elif rank is None or function not in (*_ORDER, "@in"):
            continue
        elif rank not in RANK_NAMES.values():
            yield value, f"alert.severity is never {rank}: it is {_SEVERITIES}, without quotes"
        elif function != "@in" and not any(_ORDER[function](one, rank) for one in RANK_NAMES.values()):
            yield value, f"no severity is {'above' if function == '_>_' else 'below'} it: it is {_SEVERITIES}"


def severity_hint(word: str) -> str:
    """What would be right in place of a word in quotes."""
    known = severity_named(word)
    meant = "" if known is None else f"did you mean {known.name}? "
    return f"{meant}a severity is compared with {_SEVERITIES}, without quotes"


def _rank_of(node: Node) -> int | None:
    if isinstance(node, Name):
        return RANK_NAMES.get(node.name)
    is_number = isinstance(node, Constant) and isinstance(node.value, int) and not isinstance(node.value, bool)
    return node.value if is_number else None  # type: ignore[union-attr,return-value] # it is a number


def _status(value: str) -> Fault:
    if value in _STATUSES:
        return None
    close = get_close_matches(value.strip().lower(), _STATUSES, n=1, cutoff=_LIKE_ENOUGH)
    meant = f'did you mean "{close[0]}"? ' if close else ""
    return f": {meant}it is one of {_SAID_STATUSES}"


def _id_of(what: str) -> Callable[[str], Fault]:
    def fault(value: str) -> Fault:
        try:
            is_so = str(UUID(value)) == value
        except ValueError:
            is_so = False
        return None if is_so or (what == "team" and not value) else f": it is the {what}'s id, not its name"

    return fault


_SEVERITY = "alert.severity"
_TEXT_FACTS: Mapping[str, Callable[[str], Fault]] = {
    "alert.status": _status,
    "alert.team": _id_of("team"),
    "alert.integration": _id_of("integration"),
}
