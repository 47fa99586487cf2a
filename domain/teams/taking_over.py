"""How do the alerts of a team that is handed over follow? Some at a time, each as its own change, until none is left.

A step can be taken by anybody and twice: it moves what still is the old team's. The last one ends the hand-over, and
archives the team where that was asked for and nothing has come to it meanwhile.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from domain.alerts import edits
from domain.alerts.ports import AlertRepository, PeopleDirectory, StandingSilences
from domain.alerts.visibility import EVERYTHING, Sight
from domain.audit.model import AuditEntry, AuditTrail
from domain.ids import new_id
from domain.silences.standing import KnownSilences
from domain.teams.ending import Ending, end_team
from domain.teams.handover import Handover
from domain.teams.ports import EndingUnit


class HandoverUnit(EndingUnit, Protocol):
    """One transaction of a hand-over."""

    @property
    def alerts(self) -> AlertRepository:
        """The alerts."""
        ...

    @property
    def people(self) -> PeopleDirectory:
        """Who sees what."""
        ...

    @property
    def silences(self) -> StandingSilences:
        """What holds the alerts."""
        ...

    @property
    def audit(self) -> AuditTrail:
        """The audit log."""
        ...


async def move_some(work: HandoverUnit, handover: Handover, ids: Sequence[UUID], *, now: datetime) -> int:
    """Move those of the alerts that are still the old team's; how many. Who would not see theirs any more loses it."""
    found = await work.alerts.get_for_change(ids, sight=EVERYTHING)
    alerts = [alert for alert in found.values() if alert.team_id == handover.team_id]
    sights = await sights_of(work.people, {alert.assigned_to for alert in alerts})
    private = await work.people.private_teams()
    whose = await work.silences.teams_of_rules({mark for alert in alerts for mark in alert.suppressed_by})
    standing = KnownSilences(await work.silences.standing())
    holders = edits.Holders(teams_of_rules=whose, silences=standing.at(now), private_teams=private)
    changes = []
    for alert in alerts:
        sight = sights.get(alert.assigned_to)
        sees = sight is not None and sight.sees(handover.to_team_id, private)
        changes.append(
            edits.move(
                alert,
                team_id=handover.to_team_id,
                assignee_sees=sees,
                actor=handover.actor,
                now=now,
                by_handover=True,
                holders=holders,
            )
        )
    await work.alerts.save(changes)
    if changes:
        await work.teams.count_moved(handover.id, len(changes))
        told = {"toTeamId": str(handover.to_team_id), "alerts": len(changes)}
        await work.audit.append(_entry(handover, "handOverTeam", now, after=told))
    return len(changes)


async def end_handover(work: HandoverUnit, handover: Handover, *, now: datetime) -> bool:
    """End it when nothing is left to move. The caller holds the lock that keeps arriving alerts out.

    False when there is something left, or another worker has ended it.
    """
    teams = await work.teams.locked([handover.team_id], sight=EVERYTHING)
    if await work.teams.alerts_to_move(handover, limit=1):
        return False
    if not await work.teams.finish_handover(handover.id, now=now):
        return False
    team = teams.get(handover.team_id)
    if handover.archives and team is not None and not await work.teams.use_of(team.id):

        async def audit(*, target_id: UUID, target_kind: str = "team", **told: dict[str, Any] | None) -> None:
            entry = _entry(handover, "archiveTeam", now, **told)
            await work.audit.append(replace(entry, target_id=target_id, target_kind=target_kind))

        await end_team(team, Ending(unit=work, actor=handover.actor, now=now, audit=audit))
    return True


async def sights_of(people: PeopleDirectory, ids: set[UUID | None]) -> dict[UUID | None, Sight | None]:
    """How far each person sees; nobody sees nothing."""
    return {user_id: None if user_id is None else await people.sight_of(user_id) for user_id in ids}


def _entry(
    handover: Handover,
    action: str,
    now: datetime,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> AuditEntry:
    return AuditEntry(
        id=new_id(),
        occurred_at=now,
        actor_kind=handover.actor.kind,
        actor_id=handover.actor.id,
        action=action,
        target_kind="team",
        target_id=handover.team_id,
        before=before,
        after=after,
    )
