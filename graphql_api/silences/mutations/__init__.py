"""What can be changed of silences: one file a mutation."""

import strawberry

from graphql_api.silences.mutations.create_silence import create_silence
from graphql_api.silences.mutations.expire_silence import expire_silence
from graphql_api.silences.mutations.preview_silence import preview_silence
from graphql_api.silences.mutations.update_silence import update_silence


@strawberry.type
class SilenceMutations:
    """Mixed into Mutation."""

    create_silence = create_silence
    update_silence = update_silence
    expire_silence = expire_silence
    preview_silence = preview_silence
