"""What can be asked for of one's data: one file a mutation."""

import strawberry

from graphql_api.privacy.mutations.erase_me import erase_me
from graphql_api.privacy.mutations.erase_user import erase_user
from graphql_api.privacy.mutations.export_my_data import export_my_data


@strawberry.type
class PrivacyMutations:
    """Mixed into Mutation."""

    export_my_data = export_my_data
    erase_me = erase_me
    erase_user = erase_user
