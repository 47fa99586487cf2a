"""How is a filter asked of Elasticsearch? By the same conditions as SQL's, none of which counts for the relevance."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from domain.alerts.filter import AlertFilter, TimeRange
from domain.alerts.model import OPEN_STATUSES
from domain.alerts.search import LABEL, Search, Term, parse
from domain.silences.matchers import LabelMatcher, MatchOperator

Query = dict[str, Any]
EVERYTHING: Query = {"match_all": {}}
NOTHING: Query = {"match_none": {}}
# What a word counts by where it stands.
_FIELDS: dict[str | None, dict[str, float]] = {
    None: {"title": 4, "service.text": 3, "label_text": 2, "source.text": 1, "description": 1},
    "title": {"title": 1},
    "service": {"service.text": 1},
    "source": {"source.text": 1},
}
# And by how it does: as it is written, as a beginning, with a typing error in it. Wherever it is written so, that
# counts more than where one begins so.
_WRITTEN, _BEGINNING, _CLOSE = 20.0, 4.0, 0.9
_WORD = re.compile(r"\w+")
# So few letters begin too many words to look for all of them before it is known that a word itself is rare.
SHORT = 3


class NotAsked(Exception):
    """A condition the index cannot be asked for, or refuses; PostgreSQL can."""


def query_of(wanted: AlertFilter, *, hidden_team_ids: Iterable[UUID], forgives: bool = True) -> Query:
    """The query of a filter whose `search` gives the relevance, within sight: alerts of hidden teams are never met.

    One that forgives typing errors looks at many more alerts.
    """
    searched = [] if wanted.search is None else _searched(parse(wanted.search), forgives=forgives)
    hidden = [str(team_id) for team_id in hidden_team_ids]
    made: Query = {"must": searched, "filter": list(_conditions(wanted))}
    if hidden:
        made["must_not"] = [{"terms": {"team_id": hidden}}]
    return {"bool": made}


def without_relevance(query: Query) -> Query:
    """The same alerts, where nothing counts more than another: to look at each of many takes a fraction of the time."""
    if "constant_score" in query:
        asked: Query = query["constant_score"]["filter"]
        return asked
    if "dis_max" in query:
        return _any([without_relevance(each) for each in query["dis_max"]["queries"]])
    if "bool" not in query:
        return query
    made = {
        kind: [without_relevance(each) for each in part] if isinstance(part, list) else part
        for kind, part in query["bool"].items()
    }
    must, alike = made.pop("must", []), made.pop("filter", [])
    return {"bool": {**made, "filter": [*must, *alike]}}


def most_of(search: Search) -> float:
    """What an alert counts, beside how new it is, in which all that is looked for stands where that counts most.

    The next best counts at least a beginning less.
    """
    return sum(max(_most_of(term) for term in group) for group in search.groups)


def _most_of(term: Term) -> float:
    if term.is_excluded:
        return 0.0
    if term.field is not None and term.field.startswith(LABEL):
        return _WRITTEN
    return max(_FIELDS[term.field].values()) * (_BEGINNING if term.is_prefix and not term.is_phrase else _WRITTEN)


def _searched(search: Search, *, forgives: bool = True) -> list[Query]:
    return [_best([_asked(term, forgives=forgives) for term in group]) for group in search.groups]


def _asked(term: Term, *, forgives: bool) -> Query:
    found = _term(term, forgives=forgives)
    return _negated(found) if term.is_excluded else found


def _term(term: Term, *, forgives: bool) -> Query:
    """A word counts most as it is written, less as a beginning, least with a typing error in it.

    How often a word is in an alert, or in all of them, says nothing of which is looked for, and so counts nothing.
    """
    if term.field is not None and term.field.startswith(LABEL):
        label = f"labels.{term.field.removeprefix(LABEL)}"
        asked_of_label = {"prefix" if term.is_prefix else "term": {label: term.text}}
        return {"constant_score": {"filter": asked_of_label, "boost": _WRITTEN}}
    fields = _FIELDS[term.field]
    if term.is_phrase:
        return _best(_within_each(fields, "match_phrase", {"query": term.text}, _WRITTEN))
    beginning = _within_each(fields, "match_phrase_prefix", {"query": term.text}, _BEGINNING)
    if term.is_prefix:
        return _best(beginning)
    asked = {"query": term.text, "operator": "and"}
    written = _within_each(fields, "match", asked, _WRITTEN)
    if not forgives and len(_last_word(term.text)) < SHORT:
        return _best(written)
    if not forgives or any(letter.isdigit() for letter in term.text):
        return _best([*written, *beginning])  # web-10 is no typing error for web-100
    close = _within_each(fields, "match", {**asked, "fuzziness": "AUTO", "prefix_length": 1}, _CLOSE)
    return _best([*written, *beginning, *close])


def _within_each(fields: Mapping[str, float], kind: str, asked: Query, weight: float) -> list[Query]:
    return [
        {"constant_score": {"filter": {kind: {field: asked}}, "boost": weight * counts}}
        for field, counts in fields.items()
    ]


def _best(queries: list[Query]) -> Query:
    """What counts most of what is so."""
    return queries[0] if len(queries) == 1 else {"dis_max": {"queries": queries}}


def _last_word(text: str) -> str:
    """What a beginning is the beginning of."""
    return next(iter(reversed(_WORD.findall(text))), "")


def _conditions(wanted: AlertFilter) -> Iterator[Query]:
    for field, values in (
        ("_id", wanted.ids),
        ("status", wanted.statuses),
        ("severity", wanted.severities),
        ("source", wanted.sources),
        ("service", wanted.service_names),
        ("team_id", wanted.team_ids),
        ("assigned_to", wanted.assignees),
        ("integration_id", wanted.integration_ids),
        ("group_id", wanted.group_ids),
    ):
        if values is not None:
            yield _within(field, values)
    for field, range_ in (
        ("created_at", wanted.created_at),
        ("updated_at", wanted.updated_at),
        ("resolved_at", wanted.resolved_at),
    ):
        if range_ is not None:
            yield _during(field, range_)
    if wanted.dedup_key is not None:
        yield {"term": {"dedup_key": wanted.dedup_key}}
    if wanted.is_open is not None:
        is_open = _within("status", OPEN_STATUSES)
        yield is_open if wanted.is_open else _negated(is_open)
    for field, flag in (
        ("is_snoozed", wanted.is_snoozed),
        ("is_suppressed", wanted.is_suppressed),
        ("is_flapping", wanted.is_flapping),
        ("is_false_positive", wanted.is_false_positive),
    ):
        if flag is not None:
            is_so: Query = {"term": {field: True}}
            yield is_so if flag else _negated(is_so)
    yield from (_label(matcher) for matcher in wanted.labels)
    yield from (_part(part) for part in wanted.all_of)
    if wanted.any_of:
        yield _any([_part(part) for part in wanted.any_of])
    yield from (_negated(_part(part)) for part in wanted.none_of)


def _part(wanted: AlertFilter) -> Query:
    searched = [] if wanted.search is None else _searched(parse(wanted.search))
    return {"bool": {"filter": [EVERYTHING, *searched, *_conditions(wanted)]}}


def _any(queries: list[Query]) -> Query:
    return queries[0] if len(queries) == 1 else {"bool": {"should": queries, "minimum_should_match": 1}}


def _negated(query: Query) -> Query:
    return {"bool": {"must_not": [query]}}


def _within(field: str, values: Iterable[object]) -> Query:
    given = list(values)
    known = [str(value) for value in given if value is not None]
    found: Query = {"terms": {field: known}} if known else NOTHING
    return _any([_negated({"exists": {"field": field}}), found]) if None in given else found


def _during(field: str, wanted: TimeRange) -> Query:
    ends = {"gte": wanted.since, "lt": wanted.before}
    limits = {name: time.isoformat() for name, time in ends.items() if time is not None}
    return {"range": {field: limits}} if limits else {"exists": {"field": field}}


def _label(matcher: LabelMatcher) -> Query:
    """A label that is absent counts as empty, as everywhere."""
    if matcher.operator not in {MatchOperator.EQUAL, MatchOperator.NOT_EQUAL}:
        raise NotAsked(matcher.name)
    field = f"labels.{matcher.name}"
    found: Query = {"term": {field: matcher.value}}
    if not matcher.value:
        found = _any([found, _negated({"exists": {"field": field}})])
    return found if matcher.operator is MatchOperator.EQUAL else _negated(found)
