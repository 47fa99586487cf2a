"""What can be changed of service accounts and keys: one file a mutation."""

import strawberry

from graphql_api.access.mutations.archive_service_account import archive_service_account
from graphql_api.access.mutations.create_api_key import create_api_key
from graphql_api.access.mutations.create_my_api_key import create_my_api_key
from graphql_api.access.mutations.create_service_account import create_service_account
from graphql_api.access.mutations.revoke_api_key import revoke_api_key
from graphql_api.access.mutations.rotate_api_key import rotate_api_key
from graphql_api.access.mutations.update_service_account import update_service_account


@strawberry.type
class AccessMutations:
    """Mixed into Mutation."""

    create_service_account = create_service_account
    update_service_account = update_service_account
    archive_service_account = archive_service_account
    create_api_key = create_api_key
    create_my_api_key = create_my_api_key
    rotate_api_key = rotate_api_key
    revoke_api_key = revoke_api_key
