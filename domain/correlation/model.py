"""What is a group rule? Which alerts it is for, how it tells which of them are one problem, and for how long.

An alert is in at most one group. The ways into one are tried in this order, whatever the rules' ranks; within one kind
the smaller rank goes first, then the older rule:

| order | way                | joins an open group | opens one |
|-------|--------------------|---------------------|-----------|
| 1     | a group key        | yes                 | yes       |
| 2     | seen together      | yes                 | when each of its parts was seen within the window |
| 3     | the upstream       | yes                 | no        |
| 4     | equal labels       | yes                 | yes       |
| 5     | the service itself | yes                 | yes, for a service that others depend on |
| 6     | a similar title    | yes                 | yes       |

Only a firing alert that opens, or opens again without a group, is placed. A group accepts while one of its members is
open, its last alert came within the window and it is not older than the rule's `max_age`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.silences.matchers import LabelMatcher

DEFAULT_RANK = 100
DEFAULT_WINDOW = timedelta(minutes=30)
DEFAULT_MAX_AGE = timedelta(days=1)
DEFAULT_THRESHOLD = 88
MIN_THRESHOLD = 50


class GroupStrategy(StrEnum):
    """How a rule tells which alerts are one problem."""

    LABELS = "labels"
    TOGETHER = "together"
    TOPOLOGY = "topology"
    SIMILARITY = "similarity"


class GroupedBy(StrEnum):
    """What put an alert into its group: a kind of rule, a key that an alert rule gave it, or a person."""

    LABELS = "labels"
    TOGETHER = "together"
    TOPOLOGY = "topology"
    SIMILARITY = "similarity"
    KEY = "key"
    PERSON = "person"


class GroupField(StrEnum):
    """What else than labels alerts may have in common."""

    SERVICE = "service"
    SOURCE = "source"
    SEVERITY = "severity"
    INTEGRATION = "integration"
    TITLE_TEMPLATE = "title_template"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One of the things that must be seen together."""

    name: str
    matchers: tuple[LabelMatcher, ...]

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an alert with these labels is it."""
        return all(matcher.matches(labels) for matcher in self.matchers)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRule:
    """A rule. `matchers` and `condition` say which alerts it is for; `labels` and `fields` what they have in common.

    `window` is how long a group waits for its next alert; for what must be seen together, how long for all parts.
    `threshold` is the percentage by which two titles' templates are alike.
    """

    id: UUID
    name: str
    strategy: GroupStrategy
    created_at: datetime
    updated_at: datetime
    description: str = ""
    rank: int = DEFAULT_RANK
    enabled: bool = True
    matchers: tuple[LabelMatcher, ...] = ()
    condition: str | None = None
    labels: tuple[str, ...] = ()
    fields: tuple[GroupField, ...] = ()
    parts: tuple[Part, ...] = ()
    window: timedelta = DEFAULT_WINDOW
    max_age: timedelta = DEFAULT_MAX_AGE
    threshold: int = DEFAULT_THRESHOLD
    archived_at: datetime | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class Topology:
    """Which service needs which others to work, by name."""

    upstreams: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    needed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service. `name` is what alerts call it; `upstream_ids` are those it needs to work."""

    id: UUID
    name: str
    created_at: datetime
    updated_at: datetime
    description: str = ""
    upstream_ids: tuple[UUID, ...] = ()
    archived_at: datetime | None = None
    version: int = 1
