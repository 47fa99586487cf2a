"""What can be changed of trusted documents: one file a mutation."""

import strawberry

from graphql_api.documents.mutations.register_documents import register_documents
from graphql_api.documents.mutations.remove_document import remove_document


@strawberry.type
class DocumentMutations:
    """Mixed into Mutation."""

    register_documents = register_documents
    remove_document = remove_document
