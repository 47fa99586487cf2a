"""How much of what comes is noise, and what would spare it? Asked of a bounded range of time."""

from typing import Annotated

import strawberry

from domain.analytics import noise, suggestions
from domain.errors import InvalidInput
from graphql_api.alerts.filters import DateTimeRange
from graphql_api.analytics.types import NoiseReport, NoiseSuggestion
from graphql_api.connection import MAX_PAGE
from graphql_api.context import Context, Info
from persistence.reads.noise import read_noise
from persistence.reads.noise_history import flapping_keys, paged_episodes, service_histories

DEFAULT_ROWS = 20
InRange = Annotated[
    DateTimeRange | None,
    strawberry.argument(
        name="range", description="When the alerts were opened; the last seven days if left out, 92 days at most."
    ),
]
By = Annotated[noise.NoiseBy, strawberry.argument(description="What the alerts are put together by.")]
Rows = Annotated[int, strawberry.argument(description="How many rows, 100 at most.")]


@strawberry.type
class AnalyticsQueries:
    """Mixed into Query."""

    @strawberry.field(
        description="How noisy your services, teams, integrations or rules are: alerts, false positives, flapping, "
        "pages and what was answered.",
        graphql_type=NoiseReport,
    )
    async def noise_report(
        self, info: Info, *, by: By, asked: InRange = None, first: Rows = DEFAULT_ROWS
    ) -> noise.NoiseReport:
        """Within the viewer's sight."""
        context = info.context
        if not 1 <= first <= MAX_PAGE:
            raise InvalidInput(message=f"between 1 and {MAX_PAGE} rows", path=("first",))
        range_ = _checked(context, asked)
        async with context.read() as database:
            return await read_noise(database, by=by, asked=range_, sight=context.require_viewer().sight, limit=first)

    @strawberry.field(
        description="What would make less noise, worked out from what happened: pauses that would have spared pages, "
        "checks that are mostly wrong, that flap, or that nobody answers. What would spare most comes first.",
        graphql_type=list[NoiseSuggestion],
    )
    async def noise_suggestions(self, info: Info, *, asked: InRange = None) -> list[suggestions.Suggestion]:
        """Within the viewer's sight."""
        context = info.context
        range_, sight = _checked(context, asked), context.require_viewer().sight
        async with context.read() as database:
            episodes = await paged_episodes(database, range_, sight=sight)
            services = await service_histories(database, range_, sight=sight)
            flapping = await flapping_keys(database, range_, sight=sight)
        return suggestions.suggest(episodes=episodes, services=services, flapping=flapping)


def _checked(context: Context, asked: DateTimeRange | None) -> noise.Range:
    wanted = asked or DateTimeRange()
    return noise.checked_range(wanted.from_, wanted.until, now=context.now())
