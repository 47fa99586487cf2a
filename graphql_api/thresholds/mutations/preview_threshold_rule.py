"""What would a rule have raised? Computed from a draft over a past, by the rule's own machine, and kept nowhere."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import strawberry

from domain.errors import InvalidInput, NotFound
from domain.thresholds import preview as domain
from domain.thresholds.actions import check_teams
from domain.thresholds.drafts import checked_condition
from domain.thresholds.machine import Transition
from domain.thresholds.model import Condition
from domain.thresholds.series import Series
from graphql_api.context import Context, Info
from graphql_api.errors import NotFound as NotFoundError
from graphql_api.errors import mutation, payload
from graphql_api.exposes import exposes
from graphql_api.scalars import uuid_of
from graphql_api.thresholds.enums import Turn
from graphql_api.thresholds.inputs import ThresholdConditionInput, condition_of
from persistence.threshold_rules import ThresholdRuleRepository
from persistence.threshold_series import Asked, TooMuch, read_series


@strawberry.input(description="A rule as it might be, and the past to try it on.")
class PreviewThresholdRuleInput:
    """See domain.thresholds.preview."""

    condition: ThresholdConditionInput = strawberry.field(description="What must hold, and for how long.")
    since: datetime = strawberry.field(description="From when.")
    until: datetime = strawberry.field(description="Until when; at most 7 days after `since`. The future is left out.")
    team_id: strawberry.ID | None = strawberry.field(
        description="The team it would be of: its alerts count even when it is private.", default=None
    )


@exposes(domain.Sample, name="ThresholdSample", description="The worst value of a stretch of minutes.")
class ThresholdSample:
    """See domain.thresholds.preview.Sample."""

    at: datetime = strawberry.field(description="The end of the stretch.")
    value: float = strawberry.field(description="The value that was nearest to raising, or furthest beyond.")


@exposes(domain.GroupPreview, name="ThresholdGroupPreview", description="One group over the past.")
class ThresholdGroupPreview:
    """See domain.thresholds.preview.GroupPreview."""

    group: str = strawberry.field(description="A service, a source, a severity or a team's id; empty for none.")
    raises: int = strawberry.field(description="How often it would have raised an alert.")
    samples: list[ThresholdSample] = strawberry.field(description="Its values, at most 200 of them.")


@exposes(Transition, name="ThresholdTransition", description="A moment at which the rule would have done something.")
class ThresholdTransition:
    """See domain.thresholds.machine.Transition."""

    group: str = strawberry.field(description="A service, a source, a severity or a team's id; empty for none.")
    turn: Turn = strawberry.field(description="What it would have done.")
    at: datetime = strawberry.field(description="When.")
    value: float = strawberry.field(description="The value then.")
    since: datetime = strawberry.field(description="Since when the condition held, or the alert stood.")


@exposes(domain.Preview, name="ThresholdPreview", description="What a rule would have done over a past.")
class ThresholdPreview:
    """See domain.thresholds.preview.Preview."""

    raises: int = strawberry.field(description="How many alerts it would have raised.")
    clears: int = strawberry.field(description="How many it would have resolved.")
    firing_for: timedelta = strawberry.field(description="How long its alerts would have stood, all together.")
    group_count: int = strawberry.field(description="How many groups there were.")
    turns: list[ThresholdTransition] = strawberry.field(description="What it would have done, the first 500.")
    turns_left_out: int = strawberry.field(description="How many more there are.")
    groups: list[ThresholdGroupPreview] = strawberry.field(
        description="The ten groups it would have raised most for, with their values."
    )


@strawberry.type(description="What the draft would have done; nothing was saved.")
class PreviewThresholdRuleSuccess:
    """The answer."""

    preview: ThresholdPreview = strawberry.field(description="What it would have done.")


@mutation(
    payload("PreviewThresholdRule", PreviewThresholdRuleSuccess, NotFoundError),
    description="Try a threshold rule on the past before it is saved: its values, and when it would have raised and "
    "cleared.",
)
async def preview_threshold_rule(info: Info, data: PreviewThresholdRuleInput) -> PreviewThresholdRuleSuccess:
    """Check, read and evaluate."""
    context = info.context
    condition = checked_condition(condition_of(data.condition))
    moments = domain.checked_range(data.since, data.until, now=context.now())
    team_id = None if data.team_id is None else uuid_of(data.team_id, "team", "teamId")
    series = await _series(context, condition, team_id, moments)
    # It may take a second: not on the loop that everybody shares.
    found = await asyncio.to_thread(domain.preview, condition, series, moments)
    return PreviewThresholdRuleSuccess(preview=found)  # type: ignore[arg-type] # the domain object is it


async def _series(context: Context, condition: Condition, team_id: UUID | None, moments: Sequence[datetime]) -> Series:
    sight = context.require_viewer().sight
    async with context.read() as connection:
        stores = ThresholdRuleRepository(connection)
        if team_id is not None and not await stores.team_in_sight(team_id, sight=sight):
            message = "no such team"
            raise NotFound(message, ("teamId",))
        await check_teams(condition.match.team_ids, stores, sight=sight)
        driver = (await connection.get_raw_connection()).driver_connection
        asked = Asked.of(condition, team_id, moments)
        try:
            (series,) = await read_series(driver, [asked], limit=domain.MAX_POINTS)  # type: ignore[arg-type]
        except TooMuch:
            raise InvalidInput(domain.TOO_MUCH, ("until",)) from None
    return series
