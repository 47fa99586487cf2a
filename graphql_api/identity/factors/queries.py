"""What can be read of second factors? One's own."""

import strawberry

from graphql_api.context import Info
from graphql_api.identity.factors.types import SecondFactors, second_factors_of_viewer


@strawberry.type
class FactorQueries:
    """Mixed into Query."""

    @strawberry.field(description="What you can prove besides a password, and what this session proved.")
    async def my_second_factors(self, info: Info) -> SecondFactors:
        """Answered to a session that has yet to prove or to enrol one, too."""
        return await second_factors_of_viewer(info.context, info.field_name)
