"""What can be changed of on-call schedules: one file a mutation."""

import strawberry

from graphql_api.schedules.mutations.archive_schedule import archive_schedule
from graphql_api.schedules.mutations.create_schedule import create_schedule
from graphql_api.schedules.mutations.create_schedule_override import create_schedule_override
from graphql_api.schedules.mutations.preview_schedule import preview_schedule
from graphql_api.schedules.mutations.remove_schedule_override import remove_schedule_override
from graphql_api.schedules.mutations.update_schedule import update_schedule


@strawberry.type
class ScheduleMutations:
    """Mixed into Mutation."""

    create_schedule = create_schedule
    update_schedule = update_schedule
    archive_schedule = archive_schedule
    preview_schedule = preview_schedule
    create_schedule_override = create_schedule_override
    remove_schedule_override = remove_schedule_override
