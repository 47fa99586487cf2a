"""What can be read of groups? The groups themselves within the viewer's sight; rules and services are everybody's."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from domain.alerts import groups
from domain.correlation import model
from graphql_api.alerts.enums import AlertStatus
from graphql_api.alerts.loaders import load_groups
from graphql_api.connection import After, Before, Connection, Cursors, First, Last, connection, page_request
from graphql_api.context import Info
from graphql_api.enums import Severity
from graphql_api.groups.loaders import load_group_rules, load_services
from graphql_api.groups.types import AlertGroup, GroupRule, Service
from graphql_api.scalars import uuid_or_none
from persistence.correlation_store import count_services, list_rules, list_services
from persistence.reads.groups import count_groups, read_groups

_GROUPS: Cursors[tuple[datetime, UUID]] = Cursors("alertGroups", tuple[datetime, UUID])
_SERVICES: Cursors[tuple[str, UUID]] = Cursors("services", tuple[str, UUID])
GroupId = Annotated[strawberry.ID, strawberry.argument(description="The group's id.")]
RuleId = Annotated[strawberry.ID, strawberry.argument(description="The rule's id.")]
ServiceId = Annotated[strawberry.ID, strawberry.argument(description="The service's id.")]
IncludeArchived = Annotated[bool, strawberry.argument(description="Whether ended ones are listed too.")]


@strawberry.input(
    name="AlertGroupFilter",
    description="Which groups are wanted, by what you see of them. All conditions given must hold.",
)
class AlertGroupFilterInput:
    """See domain.alerts.groups.GroupFilter."""

    status: list[AlertStatus] | None = strawberry.field(description="With one of these statuses.", default=None)
    severity: list[Severity] | None = strawberry.field(description="With one of these severities.", default=None)
    is_open: bool | None = strawberry.field(description="Whether a member is open.", default=None)
    service_name: list[str] | None = strawberry.field(
        description="With a member of one of these services.", default=None
    )
    team_id: list[strawberry.ID] | None = strawberry.field(
        description="With a member of one of these teams.", default=None
    )
    rule_id: list[strawberry.ID] | None = strawberry.field(
        description="Made by one of these group rules.", default=None
    )

    def as_domain(self) -> groups.GroupFilter:
        """The domain's filter; an id that is none finds nothing."""
        return groups.GroupFilter(
            statuses=None if self.status is None else frozenset(self.status),
            severities=None if self.severity is None else frozenset(self.severity),
            is_open=self.is_open,
            service_names=None if self.service_name is None else frozenset(self.service_name),
            team_ids=_ids(self.team_id),
            rule_ids=_ids(self.rule_id),
        )


def _ids(given: list[strawberry.ID] | None) -> frozenset[UUID] | None:
    if given is None:
        return None
    return frozenset(found for one in given if (found := uuid_or_none(one)) is not None)


Filter = Annotated[
    AlertGroupFilterInput | None,
    strawberry.argument(name="filter", description="Which groups; all that you may see by default."),
]


@strawberry.type
class GroupQueries:
    """Mixed into Query."""

    @strawberry.field(
        description="One group; null when there is none, or none with a member that you may see.",
        graphql_type=AlertGroup | None,
    )
    async def alert_group(self, info: Info, *, id: GroupId) -> groups.AlertGroup | None:  # noqa: A002 - the API's name
        """By id."""
        group_id = uuid_or_none(id)
        return None if group_id is None else await info.context.loader(load_groups).load(group_id)

    @strawberry.field(
        description="Groups of alerts with a member that you may see, the newest first.",
        graphql_type=Connection[AlertGroup],
    )
    async def alert_groups(
        self,
        info: Info,
        *,
        wanted: Filter = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[groups.AlertGroup]:
        """A page of groups."""
        context = info.context
        sight = context.require_viewer().sight
        condition = groups.GroupFilter() if wanted is None else wanted.as_domain()
        request = page_request(_GROUPS, first=first, after=after, last=last, before=before)
        async with context.read() as database:
            rows = await read_groups(
                database,
                sight=sight,
                wanted=condition,
                limit=request.limit + 1,
                after=request.after,
                before=request.before,
                backward=request.backward,
            )

        async def count() -> int:
            async with context.read() as database:
                return await count_groups(database, sight=sight, wanted=condition)

        return connection(rows, request, cursors=_GROUPS, key=lambda group: (group.created_at, group.id), count=count)

    @strawberry.field(description="One group rule; null when there is none.", graphql_type=GroupRule | None)
    async def group_rule(self, info: Info, *, id: RuleId) -> model.GroupRule | None:  # noqa: A002 - the API's name
        """By id."""
        rule_id = uuid_or_none(id)
        return None if rule_id is None else await info.context.loader(load_group_rules).load(rule_id)

    @strawberry.field(
        description="The group rules, by rank and then the older first; of one strategy the first that is for an alert "
        "decides.",
        graphql_type=list[GroupRule],
    )
    async def group_rules(self, info: Info, *, include_archived: IncludeArchived = False) -> list[model.GroupRule]:
        """There are few: no paging."""
        async with info.context.read() as database:
            return await list_rules(database, with_archived=include_archived)

    @strawberry.field(description="One service; null when there is none.", graphql_type=Service | None)
    async def service(self, info: Info, *, id: ServiceId) -> model.Service | None:  # noqa: A002 - the API's name
        """By id."""
        service_id = uuid_or_none(id)
        return None if service_id is None else await info.context.loader(load_services).load(service_id)

    @strawberry.field(description="The services, by name.", graphql_type=Connection[Service])
    async def services(
        self, info: Info, *, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[model.Service]:
        """A page of services."""
        context = info.context
        request = page_request(_SERVICES, first=first, after=after, last=last, before=before)
        async with context.read() as database:
            rows = await list_services(
                database,
                limit=request.limit + 1,
                after=request.after,
                before=request.before,
                backward=request.backward,
            )

        async def count() -> int:
            async with context.read() as database:
                return await count_services(database)

        return connection(rows, request, cursors=_SERVICES, key=lambda one: (one.name, one.id), count=count)
