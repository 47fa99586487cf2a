"""What can be changed of people, teams and sessions: one file a mutation."""

import strawberry

from graphql_api.identity.mutations.add_team_member import add_team_member
from graphql_api.identity.mutations.create_team import create_team
from graphql_api.identity.mutations.create_user import create_user
from graphql_api.identity.mutations.login import login
from graphql_api.identity.mutations.logout import logout
from graphql_api.identity.mutations.refresh_session import refresh_session


@strawberry.type
class IdentityMutations:
    """Mixed into Mutation."""

    login = login
    refresh_session = refresh_session
    logout = logout
    create_user = create_user
    create_team = create_team
    add_team_member = add_team_member
