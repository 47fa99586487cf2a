"""How is it shown what a silence would hold?"""

import strawberry

from domain.alerts import model as alerts
from domain.silences import breadth
from graphql_api.alerts.loaders import load_alerts
from graphql_api.alerts.types import Alert
from graphql_api.context import Info
from graphql_api.silences.types import SilenceHits


@strawberry.type(description="What a silence holds, or would hold, of the alerts you may see.")
class SilencePreview:
    """See domain.silences.breadth.Preview."""

    preview: strawberry.Private[breadth.Preview]
    why_broad: strawberry.Private[str | None] = None

    @strawberry.field(description="Of the alerts that are open.", graphql_type=SilenceHits)
    def open_alerts(self) -> breadth.Hits:
        """How many."""
        return self.preview.open_alerts

    @strawberry.field(
        description="Of the alerts that opened in the last 24 hours, closed ones too.", graphql_type=SilenceHits
    )
    def last_day(self) -> breadth.Hits:
        """How many."""
        return self.preview.last_day

    @strawberry.field(description="Some of the open alerts, the newest first; at most 10.", graphql_type=list[Alert])
    async def sample(self, info: Info) -> list[alerts.Alert]:
        """As they are now."""
        found = await info.context.loader(load_alerts).load_many(list(self.preview.sample))
        return [alert for alert in found if alert is not None]

    @strawberry.field(
        description="Whether every alert was looked at; else `matched` is at least so many, of the newest 50,000."
    )
    def is_complete(self) -> bool:
        """As counted."""
        return self.preview.is_complete

    @strawberry.field(description="Why it must be confirmed by `confirmBroad`; null for one that is narrow enough.")
    def too_broad(self) -> str | None:
        """By the matchers and by what was counted."""
        return self.why_broad
