"""What can be changed of maintenance windows: one file a mutation."""

import strawberry

from graphql_api.maintenance.mutations.archive_maintenance_window import archive_maintenance_window
from graphql_api.maintenance.mutations.create_maintenance_window import create_maintenance_window
from graphql_api.maintenance.mutations.preview_maintenance_window import preview_maintenance_window
from graphql_api.maintenance.mutations.update_maintenance_window import update_maintenance_window


@strawberry.type
class MaintenanceMutations:
    """Mixed into Mutation."""

    create_maintenance_window = create_maintenance_window
    update_maintenance_window = update_maintenance_window
    archive_maintenance_window = archive_maintenance_window
    preview_maintenance_window = preview_maintenance_window
