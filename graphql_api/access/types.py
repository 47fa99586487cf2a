"""How are service accounts and keys shown? Never a key, only what tells keys apart."""

from datetime import datetime
from typing import Annotated

import strawberry

from domain.access import model
from domain.access.scopes import Scope
from domain.identity import model as identity
from graphql_api.access.loaders import load_accounts, load_keys_of
from graphql_api.context import Info
from graphql_api.exposes import expose_enum, exposes
from graphql_api.identity.loaders import load_teams, load_users
from graphql_api.identity.types import Team, User

expose_enum(
    Scope,
    name="ApiKeyScope",
    description="What a key may be used for. A scope narrows what the role of the key's owner allows, no more.",
    values={
        Scope.ALERTS_READ: "Alerts, their groups, timelines, counts and search, and subscriptions to them.",
        Scope.ALERTS_WRITE: "Opens, changes and attaches to alerts; includes ALERTS_READ. Needs the role operator.",
        Scope.PEOPLE_READ: "People and teams, with what is personal of them.",
        Scope.TEAMS_WRITE: "Makes and changes teams and who is in them; includes PEOPLE_READ.",
        Scope.INTEGRATIONS_READ: "Integrations, their receipts and rejected items.",
        Scope.INTEGRATIONS_WRITE: "Makes and changes integrations and their keys; includes INTEGRATIONS_READ. Needs "
        "the role manager.",
        Scope.DOCUMENTS_WRITE: "Reads, registers and removes trusted documents. Needs the role admin.",
        Scope.AUDIT_READ: "Reads and exports the audit log. Needs the role admin.",
    },
)


async def _teams(root: strawberry.Parent[model.ServiceAccount], info: Info) -> list[identity.Team]:
    found = await info.context.loader(load_teams).load_many(sorted(root.team_ids))
    return [team for team in found if team is not None]


async def _keys(root: strawberry.Parent[model.ServiceAccount], info: Info) -> list[model.ApiKey]:
    return await info.context.loader(load_keys_of).load(root.id)


async def _created_by(root: strawberry.Parent[model.ServiceAccount | model.ApiKey], info: Info) -> identity.User | None:
    return None if root.created_by is None else await info.context.loader(load_users).load(root.created_by)


@exposes(model.ServiceAccount, description="A program that uses the API under its own name, with keys alone.")
class ServiceAccount:
    """See domain.access.model.ServiceAccount."""

    id: strawberry.ID = strawberry.field(description="The service account's id.")
    name: str = strawberry.field(description="The name people read.")
    role: identity.Role = strawberry.field(description="What it may do, as far as a key's scopes go.")
    teams = strawberry.field(
        resolver=_teams, graphql_type=list[Team], description="Whose private alerts it sees; those you may see."
    )
    keys = strawberry.field(
        resolver=_keys,
        graphql_type=list[Annotated["ApiKey", strawberry.lazy("graphql_api.access.types")]],
        description="Its keys, the newest first, ended ones too. Administrators only.",
    )
    created_at: datetime = strawberry.field(description="When it was made.")
    created_by = strawberry.field(resolver=_created_by, graphql_type=User | None, description="Who made it.")
    archived_at: datetime | None = strawberry.field(description="When it was ended; null while it lives.")
    version: int = strawberry.field(description="Grows with each edit; give it as `expectedVersion`.")


async def _account(root: strawberry.Parent[model.ApiKey], info: Info) -> model.ServiceAccount | None:
    if root.service_account_id is None:
        return None
    return await info.context.loader(load_accounts).load(root.service_account_id)


async def _user(root: strawberry.Parent[model.ApiKey], info: Info) -> identity.User | None:
    return None if root.user_id is None else await info.context.loader(load_users).load(root.user_id)


def _scopes(root: strawberry.Parent[model.ApiKey]) -> list[Scope]:
    return [scope for scope in Scope if scope in root.scopes]


def _networks(root: strawberry.Parent[model.ApiKey]) -> list[str]:
    return [str(network) for network in root.networks]


def _is_live(root: strawberry.Parent[model.ApiKey], info: Info) -> bool:
    return root.is_live(info.context.now())


@exposes(model.ApiKey, description="A key of the API. The key itself was shown when it was made, and is kept nowhere.")
class ApiKey:
    """See domain.access.model.ApiKey."""

    id: strawberry.ID = strawberry.field(description="The key's id, not the key.")
    name: str = strawberry.field(description="What it is for.")
    prefix: str = strawberry.field(description="How the key begins, to tell keys apart.")
    scopes = strawberry.field(resolver=_scopes, description="What it may be used for.")
    service_account = strawberry.field(
        resolver=_account,
        graphql_type=ServiceAccount | None,
        description="The service account it acts for; null for a person's own key.",
    )
    user = strawberry.field(
        resolver=_user,
        graphql_type=User | None,
        description="The person whose own key it is; null for a service account's.",
    )
    document_hash: str | None = strawberry.field(
        description="The only document it may run, by the hash it is registered under; null where it may run any."
    )
    allowed_networks = strawberry.field(
        resolver=_networks, description="The networks it may be used from, in CIDR form; none for everywhere."
    )
    created_at: datetime = strawberry.field(description="When it was made.")
    created_by = strawberry.field(resolver=_created_by, graphql_type=User | None, description="Who made it.")
    expires_at: datetime = strawberry.field(description="When it ends.")
    last_used_at: datetime | None = strawberry.field(description="When it was last used, to a minute; null for never.")
    revoked_at: datetime | None = strawberry.field(description="When it was revoked; null if it was not.")
    replaced_by: strawberry.ID | None = strawberry.field(description="The key a rotation made of it; null for none.")
    is_live = strawberry.field(resolver=_is_live, description="Whether requests with it are answered now.")
