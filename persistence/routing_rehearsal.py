"""Whom would routing rules tell? For any alert and moment, also by a rule that is not saved; nothing is sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.model import Severity
from domain.escalations.model import Target
from domain.routing.deciding import Answer, Verdict, in_turn, rules_for
from domain.routing.model import RoutedEvent, RoutingRule
from persistence.reaching import Reach, reach
from persistence.routing_run import RoutedAlert, asked
from persistence.tables import teams


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsedRule:
    """A rule, what it says, and whom it would tell: by what whoever asks sees, and by the rest of it."""

    verdict: Verdict
    at: datetime
    severity: Severity
    team_id: UUID | None
    reached: Reach
    reaches_others: bool = False


def verdicts_of(alert: RoutedAlert, rules: Sequence[RoutingRule], event: RoutedEvent) -> list[Verdict]:
    """What each rule that takes the alert says, in their order."""
    taking = rules_for(asked(rules), alert.subject.team_id, is_private=alert.is_private)
    return in_turn(taking, event, alert.bound)


async def rehearse_rules(
    connection: AsyncConnection,
    alert: RoutedAlert,
    rules: Sequence[RoutingRule],
    event: RoutedEvent,
    *,
    at: datetime,
    seen: frozenset[Target],
) -> list[RehearsedRule]:
    """The same, and whom each would tell. Who is behind a target not in `seen` is not told."""
    verdicts = verdicts_of(alert, rules, event)
    wanted = [one.rule.targets if one.answer is Answer.HOLDS else () for one in verdicts]
    shown = [[target for target in targets if target in seen] for targets in wanted]
    hidden = [[target for target in targets if target not in seen] for targets in wanted]
    found = await reach(connection, [*shown, *hidden], now=at)
    reached, others = found[: len(verdicts)], found[len(verdicts) :]
    return [
        RehearsedRule(
            verdict=verdict,
            at=at,
            severity=alert.subject.severity,
            team_id=alert.subject.team_id,
            reached=people,
            reaches_others=bool(rest),
        )
        for verdict, people, rest in zip(verdicts, reached, others, strict=True)
    ]


async def is_private(connection: AsyncConnection, team_id: UUID) -> bool:
    """Whether only its members see the team's alerts."""
    return bool(await connection.scalar(sa.select(teams.c.is_private).where(teams.c.id == team_id)))
