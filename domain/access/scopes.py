"""What may a key be used for? Scopes narrow what the role of its owner allows; they never widen it."""

from collections.abc import Iterable, Mapping
from enum import StrEnum


class Scope(StrEnum):
    """One purpose of a key. A key without a scope for an operation is refused, whatever role it acts with."""

    ALERTS_READ = "alerts:read"
    ALERTS_WRITE = "alerts:write"
    PEOPLE_READ = "people:read"
    TEAMS_WRITE = "teams:write"
    INTEGRATIONS_READ = "integrations:read"
    INTEGRATIONS_WRITE = "integrations:write"
    DOCUMENTS_WRITE = "documents:write"
    AUDIT_READ = "audit:read"


# Who may write may read what was written: the answer of a mutation shows it.
_INCLUDED: Mapping[Scope, frozenset[Scope]] = {
    Scope.ALERTS_WRITE: frozenset({Scope.ALERTS_READ}),
    Scope.TEAMS_WRITE: frozenset({Scope.PEOPLE_READ}),
    Scope.INTEGRATIONS_WRITE: frozenset({Scope.INTEGRATIONS_READ}),
}


def with_included(scopes: Iterable[Scope]) -> frozenset[Scope]:
    """The scopes and those that come with them."""
    given = frozenset(scopes)
    return given.union(*(_INCLUDED.get(scope, frozenset()) for scope in given))
