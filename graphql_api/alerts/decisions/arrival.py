"""What was decided when a signal arrived? Its key, its severity, its team, its time, and what it did."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from domain.alerts.decisions import DecisionKind
from domain.identity import model as identity
from graphql_api.alerts.decisions.explanation import Explanation, Makers
from graphql_api.alerts.enums import FoldOutcome
from graphql_api.context import Info
from graphql_api.enums import Severity
from graphql_api.identity.loaders import load_teams
from graphql_api.identity.types import Team


@strawberry.type(description="Which recipe made the dedup key; `reason` is the recipe.")
class DedupKeyDecision(Explanation):
    """See domain.alerts.decisions.dedup_decision."""

    key: str = strawberry.field(description="The key.")


@strawberry.type(description="How the source's word became a severity.")
class SeverityDecision(Explanation):
    """See domain.alerts.decisions.severity_decision."""

    severity: Severity = strawberry.field(description="The severity it became.")
    word: str | None = strawberry.field(description="The source's word; null when it gave none.")


@strawberry.type(description="Why the alert belongs to a team.")
class TeamDecision(Explanation):
    """See domain.alerts.decisions.team_decision."""

    team_id: strawberry.Private[UUID]
    matched: strawberry.Private[str | None] = None
    ownership_version: int | None = strawberry.field(
        description="The version of all that teams own at which it was decided; null when no ownership decided.",
        default=None,
    )

    @strawberry.field(description="The team; null when you may not see it.", graphql_type=Team | None)
    async def team(self, info: Info) -> identity.Team | None:
        """By loader."""
        return await info.context.loader(load_teams).load(self.team_id)

    @strawberry.field(
        description="What of the team's ownership fitted the alert; null when none did, or you may not see the team."
    )
    async def rule(self, info: Info) -> str | None:
        """What a hidden team owns is hidden too, also after its alert went to another."""
        return self.matched if await info.context.loader(load_teams).load(self.team_id) is not None else None


@strawberry.type(description="Why a signal opened the alert, or opened it again.")
class FoldDecision(Explanation):
    """See domain.alerts.decisions.fold_decision."""

    outcome: FoldOutcome = strawberry.field(description="What the signal did.")


@strawberry.type(description="The source's time was too far ahead, so the time of arrival counts.")
class SourceTimeDecision(Explanation):
    """See domain.alerts.decisions.source_time_decision."""

    claimed: datetime = strawberry.field(description="The source's time.")
    used: datetime = strawberry.field(description="The time that counts.")


@strawberry.type(description="Something about the payload that a person should know.")
class WarningDecision(Explanation):
    """See domain.alerts.decisions.warning_decision."""


def _of_severity(inputs: Mapping[str, Any], told: Mapping[str, Any]) -> SeverityDecision:
    return SeverityDecision(severity=Severity(inputs["severity"]), word=inputs["word"], **told)


def _of_team(inputs: Mapping[str, Any], told: Mapping[str, Any]) -> TeamDecision:
    version = inputs.get("ownershipVersion")
    return TeamDecision(team_id=UUID(inputs["teamId"]), matched=inputs.get("rule"), ownership_version=version, **told)


def _of_time(inputs: Mapping[str, Any], told: Mapping[str, Any]) -> SourceTimeDecision:
    claimed, used = (datetime.fromisoformat(inputs[name]) for name in ("claimed", "used"))
    return SourceTimeDecision(claimed=claimed, used=used, **told)


MAKERS: Makers = {
    DecisionKind.DEDUP_KEY: lambda inputs, told: DedupKeyDecision(key=inputs["key"], **told),
    DecisionKind.SEVERITY: _of_severity,
    DecisionKind.TEAM: _of_team,
    DecisionKind.FOLD: lambda inputs, told: FoldDecision(outcome=FoldOutcome(inputs["outcome"]), **told),
    DecisionKind.SOURCE_TIME: _of_time,
    DecisionKind.WARNING: lambda _inputs, told: WarningDecision(**told),
}
