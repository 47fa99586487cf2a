"""What can be changed of escalation policies: one file a mutation."""

import strawberry

from graphql_api.escalations.mutations.answer_drill import answer_drill
from graphql_api.escalations.mutations.archive_escalation_policy import archive_escalation_policy
from graphql_api.escalations.mutations.create_escalation_policy import create_escalation_policy
from graphql_api.escalations.mutations.end_drill import end_drill
from graphql_api.escalations.mutations.start_drill import start_drill
from graphql_api.escalations.mutations.update_escalation_policy import update_escalation_policy


@strawberry.type
class EscalationMutations:
    """Mixed into Mutation."""

    create_escalation_policy = create_escalation_policy
    update_escalation_policy = update_escalation_policy
    archive_escalation_policy = archive_escalation_policy
    start_drill = start_drill
    answer_drill = answer_drill
    end_drill = end_drill
