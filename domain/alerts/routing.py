"""Which team does a new alert get, and why? The rule is in domain/teams/ownership.py; here it meets a signal."""

from dataclasses import replace
from uuid import UUID

from domain.alerts.decisions import Decision, team_decision, warning_decision
from domain.alerts.normalise import NormalSignal
from domain.alerts.visibility import Sight
from domain.teams.ownership import Ownership
from domain.values import value_class

DEFAULT_TEAM = "the integration's default team"
NAMED = "who opened it named the team: a person, or the rule or heartbeat that raised it"
TAKEN_OVER = ", taken over by this one"


@value_class(frozen=True, slots=True)
class TeamChoice:
    """The team, or none, and the decision that tells of it, if there was one; `is_pinned` where a person named it."""

    team_id: UUID | None
    decisions: tuple[Decision, ...] = ()
    is_pinned: bool = False


NO_TEAM = TeamChoice(None)


def choose_team(signal: NormalSignal, ownership: Ownership, *, sight: Sight | None = None) -> TeamChoice:
    """The team of an alert that this signal opens."""
    named = ownership.heir_of(signal.team_id) if signal.is_team_named else None
    if named is not None:
        reason = NAMED if named == signal.team_id else NAMED + TAKEN_OVER
        return TeamChoice(named, (team_decision(named, reason),), is_pinned=True)
    ruled = signal.verdict.team_id if signal.verdict is not None else None
    by_rule = None if ruled is None else ownership.heir_of(ruled)
    if by_rule is not None and (sight is None or sight.sees(by_rule, ownership.private_teams)):
        return TeamChoice(by_rule, (team_decision(by_rule, "an alert rule gave it to the team"),))
    claim = ownership.find(signal.service_name, signal.labels, sight=sight)
    if claim is not None:
        line = claim.line
        reason = "the team owns the service" if line.service_name is not None else "the team owns what has these labels"
        owned: dict[str, str | int] = {"ownershipId": str(line.id), "rule": line.rule}
        owned["ownershipVersion"] = ownership.version
        return TeamChoice(line.team_id, (team_decision(line.team_id, reason, **owned),))
    if signal.team_id is None:
        return NO_TEAM
    heir = ownership.heir_of(signal.team_id)
    if heir is None:
        return TeamChoice(None, (warning_decision(f"{DEFAULT_TEAM} is archived, so the alert has no team"),))
    taken_over = "" if heir == signal.team_id else TAKEN_OVER
    return TeamChoice(heir, (team_decision(heir, DEFAULT_TEAM + taken_over),))


def placed(signal: NormalSignal, ownership: Ownership) -> NormalSignal:
    """The signal as a preview shows it: with the team that an alert it opens would get."""
    choice = choose_team(signal, ownership)
    return replace(signal, team_id=choice.team_id, decisions=(*signal.decisions, *choice.decisions))
