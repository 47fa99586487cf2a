"""What can be changed of integrations: one file a mutation."""

import strawberry

from graphql_api.integrations.mutations.archive_integration import archive_integration
from graphql_api.integrations.mutations.create_integration import create_integration
from graphql_api.integrations.mutations.preview_signal import preview_signal
from graphql_api.integrations.mutations.revoke_integration_key import revoke_integration_key
from graphql_api.integrations.mutations.rotate_integration_key import rotate_integration_key
from graphql_api.integrations.mutations.update_integration import update_integration


@strawberry.type
class IntegrationMutations:
    """Mixed into Mutation."""

    create_integration = create_integration
    update_integration = update_integration
    rotate_integration_key = rotate_integration_key
    revoke_integration_key = revoke_integration_key
    archive_integration = archive_integration
    preview_signal = preview_signal
