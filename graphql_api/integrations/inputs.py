"""What do the mutations of integrations take in common? The severity map and the mapping, made into the domain's."""

import strawberry

from domain.errors import InvalidInput
from domain.integrations import model
from graphql_api.context import Context
from graphql_api.enums import Severity
from persistence.integrations import IntegrationRepository
from persistence.unit_of_work import UnitOfWork


@strawberry.input(description="A source's own word for a severity, and what it is to mean here.")
class SeverityWordInput:
    """One entry of a severity map."""

    word: str = strawberry.field(description="The source's word; case does not matter.")
    severity: Severity = strawberry.field(description="What it means.")


@strawberry.input(description="A label of alerts, and the expression that finds its value.")
class LabelMappingInput:
    """One label of a mapping."""

    name: str = strawberry.field(description="The label's name.")
    expression: str = strawberry.field(description="CEL over `item`, `payload` and `headers`.")


@strawberry.input(
    description="How the generic source reads a payload: one CEL expression a field, over `item`, `payload` and "
    "`headers`. A field left out keeps its default."
)
class FieldMappingInput:
    """See domain.integrations.model.FieldMapping."""

    items: str | None = strawberry.field(description="Selects the list of alerts inside the payload.", default=None)
    title: str | None = strawberry.field(description="The title.", default=None)
    description: str | None = strawberry.field(description="The description.", default=None)
    severity: str | None = strawberry.field(description="The severity, as a word.", default=None)
    status: str | None = strawberry.field(description="`firing` or `resolved`.", default=None)
    dedup_key: str | None = strawberry.field(description="What makes two posts the same problem.", default=None)
    service: str | None = strawberry.field(description="The service.", default=None)
    source: str | None = strawberry.field(description="What the alert comes from.", default=None)
    started_at: str | None = strawberry.field(description="When the problem began.", default=None)
    labels: list[LabelMappingInput] = strawberry.field(
        description="Labels, each by an expression of its own.", default_factory=list
    )

    def as_domain(self) -> model.FieldMapping:
        """The domain's mapping."""
        labels = {label.name: label.expression for label in self.labels}
        if len(labels) < len(self.labels):
            message = "each label may be named once"
            raise InvalidInput(message, ("mapping", "labels"))
        return model.FieldMapping(
            items=self.items,
            title=self.title,
            description=self.description,
            severity=self.severity,
            status=self.status,
            dedup_key=self.dedup_key,
            service=self.service,
            source=self.source,
            started_at=self.started_at,
            labels=labels,
        )


def severity_map_of(words: list[SeverityWordInput]) -> dict[str, Severity]:
    """The domain's map; each word may be mapped once."""
    mapped = {entry.word.strip().lower(): entry.severity for entry in words}
    if len(mapped) < len(words):
        message = "each word may be mapped once"
        raise InvalidInput(message, ("severityMap",))
    return mapped


def repository(context: Context, uow: UnitOfWork) -> IntegrationRepository:
    """Integrations within this change."""
    return IntegrationRepository(uow.connection, context.state.sealer)
