"""When do refusals and reads of personal data come onto the audit log? Before the answer leaves; without it, none does.

Which fields are personal is said in graphql_api/permissions.py and fields_below.py. One entry an operation tells who
read which kind and of whom; each refused field has an entry of its own, named as the field. A subscription goes on for
hours: it is recorded when it begins, by what its document asks for. The names of colleagues on alerts, teams and
timelines are not recorded: everybody who works here sees them on every page, and the log would be one of page views
(docs/audit.md).
"""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_operation_ast,
    visit,
)
from strawberry.extensions import SchemaExtension

from domain.audit.model import AuditEntry, AuditOutcome
from graphql_api.context import Context
from graphql_api.fields_below import FIELDS

ACTION = "readPersonalData"


class RecordNoted(SchemaExtension):
    """Writes the entries of an operation."""

    async def on_execute(self) -> AsyncIterator[None]:
        """After the fields were resolved; of a subscription, once it is set up."""
        yield
        context, document = self.execution_context.context, self.execution_context.graphql_document
        if not isinstance(context, Context) or document is None:
            return
        entries = list(_lockouts(context))
        # What is made for all who share it is nobody's: each of them was recorded.
        if context.viewer is not None and not context.viewer.is_anybody:
            entries += [context.audit_entry(name, outcome=AuditOutcome.REFUSED) for name in context.noted.refused]
            read = self._read(context, document)
            entries += [read] if read is not None else []
        if entries:
            async with context.uow() as uow:
                await uow.audit.append(*entries)
                await uow.commit()

    def _read(self, context: Context, document: DocumentNode) -> AuditEntry | None:
        noted = context.noted
        operation = get_operation_ast(document, self.execution_context.operation_name)
        if operation is None:
            return None
        if operation.operation is not OperationType.SUBSCRIPTION:
            return _entry(context, operation, noted.told()) if noted.reads else None
        if noted.is_recorded:
            return None
        noted.is_recorded = True
        fields = sorted(personal_fields(document, self.execution_context.schema._schema))  # noqa: SLF001 - no public way
        return _entry(context, operation, {"follows": fields}) if fields else None


def _lockouts(context: Context) -> Iterator[AuditEntry]:
    """Attempts that were not looked at, once a minute for each place and caller."""
    for name in context.noted.locked_out:
        who = str(context.viewer.user_id) if context.viewer else ""
        if context.state.lockouts.is_new((name, context.ip or "", who), context.now()):
            reason = {"reason": "too many attempts"}
            yield context.audit_entry(name, outcome=AuditOutcome.REFUSED, after=reason)


def _entry(context: Context, operation: OperationDefinitionNode, told: dict[str, Any]) -> AuditEntry:
    kind, target = context.noted.only()
    roots = list(_root_fields(operation))
    return context.audit_entry(ACTION, target_kind=kind, target_id=target, after={"fields": roots, **told})


def _root_fields(operation: OperationDefinitionNode) -> Iterator[str]:
    for selection in operation.selection_set.selections:
        if isinstance(selection, FieldNode):
            yield selection.name.value


def personal_fields(document: DocumentNode, schema: GraphQLSchema) -> set[str]:
    """The personal fields that a document asks for, as `Type.field`."""
    found: set[str] = set()
    info = TypeInfo(schema)

    class Look(Visitor):
        def enter_field(self, node: FieldNode, *_: object) -> None:
            parent = info.get_parent_type()
            place = f"{parent.name}.{node.name.value}" if parent else ""
            need = FIELDS.get(place)
            if need is not None and need.personal:
                found.add(place)

    visit(document, TypeInfoVisitor(info, Look()))
    return found
