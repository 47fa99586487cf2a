"""What can be changed of threshold rules: one file a mutation."""

import strawberry

from graphql_api.thresholds.mutations.archive_threshold_rule import archive_threshold_rule
from graphql_api.thresholds.mutations.create_threshold_rule import create_threshold_rule
from graphql_api.thresholds.mutations.preview_threshold_rule import preview_threshold_rule
from graphql_api.thresholds.mutations.update_threshold_rule import update_threshold_rule


@strawberry.type
class ThresholdMutations:
    """Mixed into Mutation."""

    create_threshold_rule = create_threshold_rule
    update_threshold_rule = update_threshold_rule
    archive_threshold_rule = archive_threshold_rule
    preview_threshold_rule = preview_threshold_rule
