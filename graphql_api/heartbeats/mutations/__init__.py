"""What can be changed of heartbeats: one file a mutation."""

import strawberry

from graphql_api.heartbeats.mutations.archive_heartbeat import archive_heartbeat
from graphql_api.heartbeats.mutations.create_heartbeat import create_heartbeat
from graphql_api.heartbeats.mutations.pause_heartbeat import pause_heartbeat
from graphql_api.heartbeats.mutations.resume_heartbeat import resume_heartbeat
from graphql_api.heartbeats.mutations.rotate_heartbeat_key import rotate_heartbeat_key
from graphql_api.heartbeats.mutations.update_heartbeat import update_heartbeat


@strawberry.type
class HeartbeatMutations:
    """Mixed into Mutation."""

    create_heartbeat = create_heartbeat
    update_heartbeat = update_heartbeat
    rotate_heartbeat_key = rotate_heartbeat_key
    pause_heartbeat = pause_heartbeat
    resume_heartbeat = resume_heartbeat
    archive_heartbeat = archive_heartbeat
