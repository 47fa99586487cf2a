"""For whom does a mutation change factors? For the viewer, in the viewer's session."""

import strawberry

from domain.identity.enrolment import Who
from graphql_api.context import Info


@strawberry.input(description="Nothing is needed: it is about the person who is signed in.")
class NothingInput:
    """One field, because GraphQL knows no empty input; each mutation has an input type of its own."""

    client_mutation_id: str | None = strawberry.field(description="Not looked at.", default=None)


def who_asks(info: Info) -> Who:
    """The viewer and the session."""
    viewer = info.context.require_viewer(info.field_name)
    return Who(
        user_id=viewer.user_id,
        session_id=viewer.session_id,
        must_have_one=viewer.role in info.context.settings.second_factor_roles,
    )
