"""What can be changed of alert rules: one file a mutation."""

import strawberry

from graphql_api.rules.mutations.create_alert_rule import create_alert_rule
from graphql_api.rules.mutations.delete_alert_rule import delete_alert_rule
from graphql_api.rules.mutations.reorder_alert_rules import reorder_alert_rules
from graphql_api.rules.mutations.test_alert_rule import test_alert_rule
from graphql_api.rules.mutations.update_alert_rule import update_alert_rule


@strawberry.type
class RuleMutations:
    """Mixed into Mutation."""

    create_alert_rule = create_alert_rule
    update_alert_rule = update_alert_rule
    delete_alert_rule = delete_alert_rule
    reorder_alert_rules = reorder_alert_rules
    test_alert_rule = test_alert_rule
