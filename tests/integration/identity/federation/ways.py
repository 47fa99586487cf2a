"""What does a test of federated sign-in do again and again? Go to the provider, agree, come back."""

import base64
import hashlib
from pathlib import Path
from typing import Any

import httpx2
import sqlalchemy as sa

from domain.identity.model import Role
from persistence.tables import audit_log, users
from tests.api import PASSWORD, Api, api_settings
from tests.services.oidc import OidcProvider
from tests.visitor import OURS, Visitor

CALLBACK = f"{OURS}/auth/corp/callback"
LOGIN = {"email": "ada@example.com", "password": PASSWORD}
VERIFIER = "a verifier that only the program knows, long enough"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
TOKENS = "accessToken refreshToken user { email role }"
IDENTITIES = "{ me { identities { id provider createdAt lastUsedAt } } }"


def settings(provider: OidcProvider, url: str, folder: Path, **more: object) -> Any:  # noqa: ANN401
    """Of a server that knows the provider."""
    given = {"public_url": OURS, "oidc_providers": [provider.setting()], **more}
    return api_settings(url, folder, **given)


async def at_provider(browser: Visitor, name: str, *, start: str = "/auth/corp/start") -> str:
    """Begin, sign in at the provider and agree; the address it sends the browser back to."""
    page = await browser.follow(await browser.open(start), until=OURS)
    if page.is_redirect:  # who is signed in at the provider is not asked again
        return str(page.extensions["target"])
    assert page.status_code == 200, page.text
    page = await browser.follow(await browser.submit(page, login=name, password="any"), until=OURS)
    if not page.is_redirect:
        page = await browser.follow(await browser.submit(page), until=OURS)
    target: str = page.extensions["target"]
    assert target.startswith(CALLBACK), target
    return target


async def sign_in(browser: Visitor, name: str, *, start: str = "/auth/corp/start") -> httpx2.Response:
    """All the way."""
    return await browser.open(await at_provider(browser, name, start=start), sec_fetch_site="cross-site")


async def make_ada(api: Api, *, verified: bool = False) -> str:
    """A person of that address, by a password; their id."""
    admin = await api.person(Role.ADMIN)
    made = await api.change("createUser", {**LOGIN, "role": "OPERATOR"}, "user { id }", who=admin)
    if verified:
        async with api.engine.begin() as connection:
            await connection.execute(
                sa.update(users).where(users.c.id == made["user"]["id"]).values(email_verified_at=sa.func.now())
            )
    return str(made["user"]["id"])


async def failures(api: Api) -> list[Any]:
    """The sign-ins on the audit log that came to nothing."""
    async with api.engine.connect() as connection:
        statement = sa.select(audit_log).where(audit_log.c.action == "login", audit_log.c.outcome == "failed")
        return list(await connection.execute(statement))


async def rows(api: Api, table: sa.Table) -> int:
    """How many the table holds."""
    async with api.engine.connect() as connection:
        return int(await connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0)
