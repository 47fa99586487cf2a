"""What can be changed of inhibition rules: one file a mutation."""

import strawberry

from graphql_api.inhibition.mutations.archive_inhibition_rule import archive_inhibition_rule
from graphql_api.inhibition.mutations.create_inhibition_rule import create_inhibition_rule
from graphql_api.inhibition.mutations.update_inhibition_rule import update_inhibition_rule


@strawberry.type
class InhibitionMutations:
    """Mixed into Mutation."""

    create_inhibition_rule = create_inhibition_rule
    update_inhibition_rule = update_inhibition_rule
    archive_inhibition_rule = archive_inhibition_rule
