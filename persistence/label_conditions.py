"""Which part of a label matcher can the database decide? Equality; the rest is decided by RE2 on what is left."""

from collections.abc import Iterable

import sqlalchemy as sa

from domain.silences.matchers import LabelMatcher, MatchOperator
from persistence.tables import alerts


def equality_conditions(matchers: Iterable[object]) -> list[sa.ColumnElement[bool]]:
    """Conditions on `alerts` that all whom the matchers hold fulfil. A label that is absent counts as empty."""
    return [
        sa.func.coalesce(alerts.c.labels[matcher.name].astext, "") == matcher.value
        for matcher in matchers
        if isinstance(matcher, LabelMatcher) and matcher.operator is MatchOperator.EQUAL
    ]
