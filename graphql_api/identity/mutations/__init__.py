"""What can be changed of people, teams and sessions: one file a mutation."""

import strawberry

from graphql_api.identity.mutations.add_team_member import add_team_member
from graphql_api.identity.mutations.complete_federated_sign_in import complete_federated_sign_in
from graphql_api.identity.mutations.create_team import create_team
from graphql_api.identity.mutations.create_user import create_user
from graphql_api.identity.mutations.link_identity import link_identity
from graphql_api.identity.mutations.login import login
from graphql_api.identity.mutations.logout import logout
from graphql_api.identity.mutations.refresh_session import refresh_session
from graphql_api.identity.mutations.revoke_other_sessions import revoke_other_sessions
from graphql_api.identity.mutations.revoke_session import revoke_session
from graphql_api.identity.mutations.revoke_user_sessions import revoke_user_sessions
from graphql_api.identity.mutations.unlink_identity import unlink_identity


@strawberry.type
class IdentityMutations:
    """Mixed into Mutation."""

    login = login
    refresh_session = refresh_session
    complete_federated_sign_in = complete_federated_sign_in
    logout = logout
    revoke_session = revoke_session
    revoke_other_sessions = revoke_other_sessions
    revoke_user_sessions = revoke_user_sessions
    link_identity = link_identity
    unlink_identity = unlink_identity
    create_user = create_user
    create_team = create_team
    add_team_member = add_team_member
