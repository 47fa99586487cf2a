"""What can be done to groups, and to what makes them: one file a mutation."""

import strawberry

from graphql_api.groups.mutations.acknowledge_alert_group import acknowledge_alert_group
from graphql_api.groups.mutations.archive_group_rule import archive_group_rule
from graphql_api.groups.mutations.archive_service import archive_service
from graphql_api.groups.mutations.create_group_rule import create_group_rule
from graphql_api.groups.mutations.create_service import create_service
from graphql_api.groups.mutations.merge_alert_groups import merge_alert_groups
from graphql_api.groups.mutations.move_alert_to_group import move_alert_to_group
from graphql_api.groups.mutations.remove_alert_from_group import remove_alert_from_group
from graphql_api.groups.mutations.resolve_alert_group import resolve_alert_group
from graphql_api.groups.mutations.split_alert_group import split_alert_group
from graphql_api.groups.mutations.test_group_rule import test_group_rule
from graphql_api.groups.mutations.update_alert_group import update_alert_group
from graphql_api.groups.mutations.update_group_rule import update_group_rule
from graphql_api.groups.mutations.update_service import update_service


@strawberry.type
class GroupMutations:
    """Mixed into Mutation."""

    acknowledge_alert_group = acknowledge_alert_group
    resolve_alert_group = resolve_alert_group
    update_alert_group = update_alert_group
    merge_alert_groups = merge_alert_groups
    split_alert_group = split_alert_group
    move_alert_to_group = move_alert_to_group
    remove_alert_from_group = remove_alert_from_group
    create_group_rule = create_group_rule
    update_group_rule = update_group_rule
    archive_group_rule = archive_group_rule
    test_group_rule = test_group_rule
    create_service = create_service
    update_service = update_service
    archive_service = archive_service
