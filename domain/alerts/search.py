"""What does a client look for? A line of words and signs, made into terms; with one meaning here and in SQL.

    disk full        both words          "disk full"    the words side by side
    disk OR volume   either              -test          not this one
    host*            begins with         service:shop   in the service (or title:, source:, label.NAME:)

Whatever cannot be read as a sign is taken for a word: odd input finds little, it is never an error.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from domain.alerts.model import Alert
from domain.errors import InvalidInput

MAX_SEARCH = 200
MAX_SEARCH_WORDS = 10
LABEL = "label."
_TERM = re.compile(
    r'(?P<minus>-)?(?:(?P<field>title|service|source|label\.[^\s:"]+):)?(?:"(?P<phrase>[^"]*)"|(?P<word>\S+))'
)


@dataclass(frozen=True, slots=True)
class Term:
    """One thing to be found. `field` None: in the title, the description or the service."""

    text: str
    field: str | None = None
    is_phrase: bool = False
    is_prefix: bool = False
    is_excluded: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """All groups must be fulfilled; a group is by any of its terms."""

    groups: tuple[tuple[Term, ...], ...] = ()
    words: int = 0


def parse(text: str, *, path: Sequence[str] = ("filter", "search")) -> Search:
    """The search of a line; InvalidInput only where it is too long."""
    if len(text) > MAX_SEARCH:
        raise InvalidInput(message=f"must have at most {MAX_SEARCH} characters", path=path)
    groups: list[tuple[Term, ...]] = []
    count, is_alternative = 0, False
    for found in _TERM.finditer(text):
        if found[0] == "OR":
            is_alternative = bool(groups)
            continue
        term = _term(found)
        count += len(term.text.split())
        if not term.text:
            continue
        if is_alternative:
            groups[-1] = (*groups[-1], term)
        else:
            groups.append((term,))
        is_alternative = False
    if count > MAX_SEARCH_WORDS:
        raise InvalidInput(message=f"must have at most {MAX_SEARCH_WORDS} words", path=path)
    return Search(tuple(groups), count)


def _term(found: re.Match[str]) -> Term:
    if found["phrase"] is not None:
        return Term(
            found["phrase"].strip(), field=found["field"], is_phrase=True, is_excluded=found["minus"] is not None
        )
    word = found["word"].replace('"', "")  # a quote that does not end
    is_prefix = len(word) > 1 and word.endswith("*")
    return Term(
        word.removesuffix("*") if is_prefix else word,
        field=found["field"],
        is_prefix=is_prefix,
        is_excluded=found["minus"] is not None,
    )


def mentions(text: str, alert: Alert) -> bool:
    """Whether the alert fulfils the search, letter by letter: without an index no typing error is forgiven."""
    return all(any(_holds(term, alert) for term in group) for group in parse(text).groups)


def _holds(term: Term, alert: Alert) -> bool:
    wanted = term.text.lower()
    is_found = any(wanted in text.lower() for text in _searched(term, alert))
    return is_found is not term.is_excluded


def _searched(term: Term, alert: Alert) -> Iterator[str]:
    if term.field is None:
        yield "\n".join((alert.title, alert.description or "", alert.service_name or ""))
    elif term.field.startswith(LABEL):
        yield alert.labels.get(term.field.removeprefix(LABEL), "")
    else:
        yield {"title": alert.title, "service": alert.service_name or "", "source": alert.source}[term.field]
