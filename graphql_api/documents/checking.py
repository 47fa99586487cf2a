"""Could a document run here? Parsed, measured and validated as one that is sent would be."""

from collections.abc import Sequence

from graphql import GraphQLError, GraphQLSchema, OperationDefinitionNode

from domain.documents.ports import CheckDocument
from domain.errors import InvalidInput
from domain.text import check_storable
from graphql_api.limits import Documents


def checker(documents: Documents, schema: GraphQLSchema) -> CheckDocument:
    """The check the domain asks for. It goes by the limits of now; a document is measured again when it runs."""

    def check(text: str) -> Sequence[str]:
        check_storable(text, path=())
        try:
            known = documents.parsed(text)
        except GraphQLError as error:
            raise InvalidInput(error.message) from None
        refused = documents.refusals(known, schema)
        if refused:
            raise InvalidInput(refused[0].message)
        operations = [node for node in known.document.definitions if isinstance(node, OperationDefinitionNode)]
        if not operations:
            raise InvalidInput("the document has no operation")
        return [node.name.value for node in operations if node.name]

    return check
