"""What can be changed of channels: one file a mutation."""

import strawberry

from graphql_api.channels.mutations.archive_channel import archive_channel
from graphql_api.channels.mutations.create_channel import create_channel
from graphql_api.channels.mutations.preview_person_message import preview_person_message
from graphql_api.channels.mutations.preview_template import preview_template
from graphql_api.channels.mutations.set_message_template import set_message_template
from graphql_api.channels.mutations.set_person_message_template import set_person_message_template
from graphql_api.channels.mutations.test_channel import test_channel
from graphql_api.channels.mutations.update_channel import update_channel


@strawberry.type
class ChannelMutations:
    """Mixed into Mutation."""

    create_channel = create_channel
    update_channel = update_channel
    archive_channel = archive_channel
    test_channel = test_channel
    set_message_template = set_message_template
    preview_template = preview_template
    set_person_message_template = set_person_message_template
    preview_person_message = preview_person_message
