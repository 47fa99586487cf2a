"""What can be done to groups, and to what makes them: one file a mutation."""

import strawberry

from graphql_api.groups.mutations.archive_group_rule import archive_group_rule
from graphql_api.groups.mutations.archive_service import archive_service
from graphql_api.groups.mutations.create_group_rule import create_group_rule
from graphql_api.groups.mutations.create_service import create_service
from graphql_api.groups.mutations.update_group_rule import update_group_rule
from graphql_api.groups.mutations.update_service import update_service


@strawberry.type
class GroupMutations:
    """Mixed into Mutation."""

    create_group_rule = create_group_rule
    update_group_rule = update_group_rule
    archive_group_rule = archive_group_rule
    create_service = create_service
    update_service = update_service
    archive_service = archive_service
