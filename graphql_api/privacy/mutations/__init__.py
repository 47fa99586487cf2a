"""What can be asked for of one's data: one file a mutation."""

import strawberry

from graphql_api.privacy.mutations.erase_me import erase_me
from graphql_api.privacy.mutations.erase_user import erase_user
from graphql_api.privacy.mutations.request_data_export import request_data_export


@strawberry.type
class PrivacyMutations:
    """Mixed into Mutation."""

    request_data_export = request_data_export
    erase_me = erase_me
    erase_user = erase_user
