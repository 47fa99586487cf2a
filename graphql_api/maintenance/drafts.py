"""How does a client say what a maintenance window is to be?"""

from datetime import timedelta

import strawberry

from domain.maintenance.actions import WindowDraft
from graphql_api.maintenance.inputs import DURATION, EXCEPTIONS, RECURRENCE, STARTS_AT, TEAM, TIME_ZONE
from graphql_api.scalars import LocalDateTime
from graphql_api.silences.inputs import CONDITION, MATCHERS, SilenceMatcherInput, condition_of, matchers_of, places_of


@strawberry.input(description="A maintenance window as it is to be.")
class MaintenanceWindowInput:
    """See domain.maintenance.actions.WindowDraft."""

    name: str = strawberry.field(description="The name people read, at most 100 characters.")
    comment: str = strawberry.field(description="Why: it is what people read who wonder why nobody was woken.")
    time_zone: str = strawberry.field(description=TIME_ZONE)
    starts_at: LocalDateTime = strawberry.field(description=STARTS_AT)
    duration: timedelta = strawberry.field(description=DURATION)
    recurrence: str | None = strawberry.field(description=f"{RECURRENCE} Left out: it occurs once.", default=None)
    exceptions: list[LocalDateTime] = strawberry.field(description=EXCEPTIONS, default_factory=list)
    matchers: list[SilenceMatcherInput] = strawberry.field(description=MATCHERS, default_factory=list)
    condition: str | None = strawberry.field(description=CONDITION, default=None)
    integration_id: strawberry.ID | None = strawberry.field(
        description="Only alerts of this integration; of all if left out.", default=None
    )
    team_id: strawberry.ID | None = strawberry.field(description=TEAM, default=None)

    def as_domain(self) -> WindowDraft:
        """The domain's draft; InvalidInput where it cannot be read."""
        integration_id, team_id = places_of(self.integration_id, self.team_id)
        return WindowDraft(
            name=self.name,
            comment=self.comment,
            time_zone=self.time_zone,
            starts_at=self.starts_at,
            duration=self.duration,
            recurrence=self.recurrence,
            exceptions=tuple(self.exceptions),
            matchers=matchers_of(self.matchers),
            condition=condition_of(self.condition),
            integration_id=integration_id,
            team_id=team_id,
        )
