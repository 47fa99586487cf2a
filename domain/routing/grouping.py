"""Which alerts of a group does a rule page for? The first, and whichever is worse than what it told of. Pure.

| the alert that the rule holds for             | it told nobody of the group yet | it told of the group           |
|-----------------------------------------------|---------------------------------|--------------------------------|
| is the worst of those that came with it       | pages, for the group            | pages if worse, joins silently |
| was told of, and opened again                 | -                               | pages                          |
| is any other                                  | joins silently                  | joins silently                 |

A page that reached nobody, was dropped on its way or failed told of nothing, unless its alert is answered.

| the alerts that it holds for, looked at later                       | then                     |
|---------------------------------------------------------------------|--------------------------|
| none is open                                                        | the end is told, once    |
| all that are open are answered                                      | incidents elsewhere follow |
| what was told of ended answered, and what joined silently calls *   | pages again, by the worst |

* Or what was told of ended, and nobody got the page.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from uuid import UUID

from domain.alerts.model import Severity
from domain.routing.model import RoutedEvent, Routing

JOINED = "the rule told of its group already, of nothing less bad: nobody is told of it by itself"
AFTER_ALL = "what the rule told of its group is over, and this one calls: told of after all"
_RANK = {severity: rank for rank, severity in enumerate(reversed(Severity))}


def that_page(fresh: Sequence[Routing], told: Iterable[tuple[UUID, Severity]]) -> set[UUID]:
    """Of the decisions of one rule about alerts of one group the one that pages, if any.

    `told` is what it has told of: alerts, and how bad they were.
    """
    told = list(told)
    before = {alert_id for alert_id, _ in told}
    again = [one for one in fresh if one.event is RoutedEvent.REOPENED and one.alert_id in before]
    if again:
        return {max(again, key=lambda one: (_RANK[one.severity], -one.id.int)).id}
    worst = max(fresh, key=lambda one: (_RANK[one.severity], -one.id.int))
    known = max((_RANK[severity] for _, severity in told), default=-1)
    return {worst.id} if _RANK[worst.severity] > known else set()


class Then(Enum):
    """What follows from a look at a group that a rule told of."""

    NOTHING = auto()
    OVER = auto()
    ANSWERED = auto()
    AGAIN = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Of the alerts of a group that a rule holds for: how many are open, call, are answered.

    `told_open`: are open and told of; `told_answered`: told of, and ended answered, or by a page that nobody got.
    """

    opened: int
    calling: int
    answered: int
    told_open: int
    told_answered: int


def looked_at(counts: Counts) -> Then:
    """What follows."""
    if not counts.opened:
        return Then.OVER
    if counts.answered and not counts.calling:
        return Then.ANSWERED
    if counts.calling and not counts.answered and not counts.told_open and counts.told_answered:
        return Then.AGAIN
    return Then.NOTHING
