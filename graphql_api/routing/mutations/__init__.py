"""What can be changed of routing rules: one file a mutation."""

import strawberry

from graphql_api.routing.mutations.archive_routing_rule import archive_routing_rule
from graphql_api.routing.mutations.create_routing_rule import create_routing_rule
from graphql_api.routing.mutations.reorder_routing_rules import reorder_routing_rules
from graphql_api.routing.mutations.update_routing_rule import update_routing_rule


@strawberry.type
class RoutingMutations:
    """Mixed into Mutation."""

    create_routing_rule = create_routing_rule
    update_routing_rule = update_routing_rule
    archive_routing_rule = archive_routing_rule
    reorder_routing_rules = reorder_routing_rules
