"""How does a test come by an API key? As an administrator would: a service account, and a key of it."""

from collections.abc import Iterable, Sequence
from typing import Any

from domain.access.scopes import Scope
from domain.identity.model import Role, Team
from domain.ids import new_id
from tests.api import Api, Person


async def service_account(
    api: Api, admin: Person, role: Role = Role.ADMIN, *, teams: Sequence[Team] = (), name: str | None = None
) -> dict[str, Any]:
    """A service account."""
    what = {"name": name or f"robot {new_id()}", "role": role.name, "teamIds": [str(team.id) for team in teams]}
    made = await api.change("createServiceAccount", what, "serviceAccount { id name version }", who=admin)
    account: dict[str, Any] = made["serviceAccount"]
    return account


async def api_key(
    api: Api,
    admin: Person,
    account: dict[str, Any],
    scopes: Iterable[Scope] = tuple(Scope),
    **more: Any,  # noqa: ANN401
) -> dict[str, Any]:
    """A key of the account: `key` is the key itself."""
    what = {
        "serviceAccountId": account["id"],
        "name": "a test's",
        "scopes": [scope.name for scope in scopes],
        **more,
    }
    made = await api.change("createApiKey", what, "key apiKey { id prefix expiresAt lastUsedAt }", who=admin)
    assert made["__typename"] == "CreateApiKeySuccess", made
    return made


async def own_key(api: Api, person: Person, scopes: Iterable[Scope], **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """A person's own key."""
    what = {"name": "mine", "scopes": [scope.name for scope in scopes], **more}
    return await api.change("createMyApiKey", what, "key apiKey { id prefix }", who=person)
