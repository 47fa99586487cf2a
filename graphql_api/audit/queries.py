"""What can be read of the audit log? Its entries by what an auditor knows of them, one of them, and the seals."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from domain.audit import filter as domain
from domain.audit import model
from domain.audit.filter import MAX_WORD, AuditFilter, checked_ip
from domain.audit.model import AuditOutcome
from domain.audit.sealing import Seal
from domain.errors import InvalidInput
from graphql_api.audit.types import AuditEntry, AuditSeal
from graphql_api.connection import After, Before, Connection, Cursors, First, Last, connection, page_request
from graphql_api.context import Info
from graphql_api.scalars import uuid_or_none
from persistence.audit_seals import page_of_seals
from persistence.reads.audit import AuditPage, entry_by_id, page_of_entries

_NEWEST: Cursors[tuple[datetime, UUID]] = Cursors("auditEntries", tuple[datetime, UUID])
_SEALS: Cursors[tuple[int]] = Cursors("auditSeals", tuple[int])
KIND = "audit_entry"
# An id that names nothing: text that is no UUID finds what an absent one does.
_NOBODY = UUID(int=0)


@strawberry.input(
    name="AuditFilter",
    description="Which entries are wanted. All conditions given must hold; one left out or null does not count.",
)
class AuditFilterInput:
    """See domain.audit.filter.AuditFilter."""

    actor_id: strawberry.ID | None = strawberry.field(
        description="By this person, service account or integration.", default=None
    )
    action: str | None = strawberry.field(description="This action, as the API names it.", default=None)
    outcome: AuditOutcome | None = strawberry.field(description="That ended so.", default=None)
    target_kind: str | None = strawberry.field(
        description="Done to this kind of thing: `alert`, `user`, …", default=None
    )
    target_id: strawberry.ID | None = strawberry.field(description="Done to this very thing.", default=None)
    session_id: strawberry.ID | None = strawberry.field(description="Done with this session or API key.", default=None)
    ip_address: str | None = strawberry.field(description="From this address.", default=None)
    since: datetime | None = strawberry.field(description="At this time or later.", default=None)
    until: datetime | None = strawberry.field(description="Before this time.", default=None)

    def as_domain(self) -> AuditFilter:
        """The domain's filter."""
        if self.since is not None and self.until is not None and self.until < self.since:
            raise InvalidInput("`until` lies before `since`", ("filter", "until"))
        return AuditFilter(
            actor_id=_id(self.actor_id),
            action=_word(self.action, "action"),
            outcome=self.outcome,
            target_kind=_word(self.target_kind, "targetKind"),
            target_id=_id(self.target_id),
            session_id=_id(self.session_id),
            ip_address=None if self.ip_address is None else checked_ip(self.ip_address, "filter", "ipAddress"),
            since=self.since,
            until=self.until,
        )


Filter = Annotated[AuditFilterInput | None, strawberry.argument(name="filter", description="Which entries.")]
EntryId = Annotated[strawberry.ID, strawberry.argument(description="The entry.")]


@strawberry.type
class AuditQueries:
    """Mixed into Query. That somebody looks into the log is on the log."""

    @strawberry.field(
        description="The audit log, the newest first. Administrators only; that it was read is on it as well.",
        graphql_type=Connection[AuditEntry],
    )
    async def audit_entries(
        self,
        info: Info,
        *,
        wanted: Filter = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[model.RecordedEntry]:
        """A page, by keyset. Never counted: the log has no end."""
        context = info.context
        asked = wanted.as_domain() if wanted is not None else domain.AuditFilter()
        request = page_request(_NEWEST, first=first, after=after, last=last, before=before)
        page = AuditPage(limit=request.limit + 1, after=request.after, before=request.before, backward=request.backward)
        async with context.read() as database:
            rows = await page_of_entries(database, asked, page)
        context.noted.read(KIND, *(row.id for row in rows[: request.limit]), asked=_told(asked))
        return connection(rows, request, cursors=_NEWEST, key=lambda entry: (entry.occurred_at, entry.id))

    @strawberry.field(
        description="One entry of the audit log; null when there is none. Administrators only.",
        graphql_type=AuditEntry | None,
    )
    async def audit_entry(
        self,
        info: Info,
        *,
        id: EntryId,  # noqa: A002 - the API's name
    ) -> model.RecordedEntry | None:
        """By id."""
        entry_id = uuid_or_none(id)
        if entry_id is None:
            return None
        async with info.context.read() as database:
            found = await entry_by_id(database, entry_id)
        if found is not None:
            info.context.noted.read(KIND, found.id)
        return found

    @strawberry.field(
        description="The seals of the audit log, the newest first. Administrators only.",
        graphql_type=Connection[AuditSeal],
    )
    async def audit_seals(self, info: Info, *, first: First = None, after: After = None) -> Connection[Seal]:
        """A page, by number."""
        request = page_request(_SEALS, first=first, after=after)
        async with info.context.read() as database:
            rows = await page_of_seals(
                database, limit=request.limit + 1, after=None if request.after is None else request.after[0]
            )
        return connection(rows, request, cursors=_SEALS, key=lambda seal: (seal.number,))


def _id(value: str | None) -> UUID | None:
    return None if value is None else uuid_or_none(value) or _NOBODY


def _word(value: str | None, name: str) -> str | None:
    if value is not None and len(value) > MAX_WORD:
        message = f"at most {MAX_WORD} characters"
        raise InvalidInput(message, ("filter", name))
    return value


def _told(wanted: AuditFilter) -> dict[str, Any]:
    """What was looked for, for the log's own entry: as JSON."""
    values = {name: getattr(wanted, name) for name in wanted.__slots__}
    return {
        name: value if isinstance(value, str) else str(value) for name, value in values.items() if value is not None
    }
