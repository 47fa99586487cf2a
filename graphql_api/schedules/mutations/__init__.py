"""What can be changed of on-call schedules: one file a mutation."""

import strawberry

from graphql_api.schedules.mutations.accept_shift_swap import accept_shift_swap
from graphql_api.schedules.mutations.archive_schedule import archive_schedule
from graphql_api.schedules.mutations.create_calendar_feed import create_calendar_feed
from graphql_api.schedules.mutations.create_schedule import create_schedule
from graphql_api.schedules.mutations.create_schedule_override import create_schedule_override
from graphql_api.schedules.mutations.decline_shift_swap import decline_shift_swap
from graphql_api.schedules.mutations.follow_calendar import follow_calendar
from graphql_api.schedules.mutations.import_calendar import import_calendar
from graphql_api.schedules.mutations.preview_calendar_import import preview_calendar_import
from graphql_api.schedules.mutations.preview_schedule import preview_schedule
from graphql_api.schedules.mutations.remove_schedule_override import remove_schedule_override
from graphql_api.schedules.mutations.request_shift_swap import request_shift_swap
from graphql_api.schedules.mutations.revoke_calendar_feed import revoke_calendar_feed
from graphql_api.schedules.mutations.rotate_calendar_feed import rotate_calendar_feed
from graphql_api.schedules.mutations.unfollow_calendar import unfollow_calendar
from graphql_api.schedules.mutations.update_schedule import update_schedule
from graphql_api.schedules.mutations.withdraw_shift_swap import withdraw_shift_swap


@strawberry.type
class ScheduleMutations:
    """Mixed into Mutation."""

    create_schedule = create_schedule
    update_schedule = update_schedule
    archive_schedule = archive_schedule
    preview_schedule = preview_schedule
    create_schedule_override = create_schedule_override
    remove_schedule_override = remove_schedule_override
    request_shift_swap = request_shift_swap
    accept_shift_swap = accept_shift_swap
    decline_shift_swap = decline_shift_swap
    withdraw_shift_swap = withdraw_shift_swap
    create_calendar_feed = create_calendar_feed
    rotate_calendar_feed = rotate_calendar_feed
    revoke_calendar_feed = revoke_calendar_feed
    preview_calendar_import = preview_calendar_import
    import_calendar = import_calendar
    follow_calendar = follow_calendar
    unfollow_calendar = unfollow_calendar
