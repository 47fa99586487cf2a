"""Where does a real OpenID provider come from? From npm's certified `oidc-provider`, on loopback."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from tests.e2e.running_program import wait_for
from tests.services.node import node_environment, node_path, npm_project
from tocsin.processes import spawn

FOLDER = Path(__file__).resolve().parent.parent / "oidc"
CLIENT_ID = "tocsin"
CLIENT_SECRET = "a client's secret, for tests only"

# Who can sign in there. The name is the subject, and what is typed into the provider's form.
PEOPLE: Mapping[str, Mapping[str, Any]] = {
    "ada": {"email": "ada@example.com", "email_verified": True, "given_name": "Ada", "family_name": "Lovelace"},
    "grace": {"email": "grace@example.com", "email_verified": True, "given_name": "Grace"},
    "mallory": {"email": "ada@example.com", "email_verified": False},
    "nameless": {},
}


@dataclass(frozen=True)
class OidcProvider:
    """A running provider."""

    issuer: str
    log: Path

    def setting(self, name: str = "corp", **more: object) -> dict[str, object]:
        """What TOCSIN_OIDC_PROVIDERS says of it."""
        return {
            "name": name,
            "label": "Example Corp",
            "issuer": self.issuer,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            **more,
        }


@contextmanager
def oidc_provider(folder: Path, *, port: int, callbacks: Sequence[str]) -> Iterator[OidcProvider]:
    """Start it, wait until it answers, stop it at the end. UnavailableError where npm's packages cannot be had."""
    project = npm_project(FOLDER, folder / "oidc")
    settings = {"client": {"id": CLIENT_ID, "secret": CLIENT_SECRET, "callbacks": list(callbacks)}, "people": PEOPLE}
    log = folder / "oidc.log"
    command = [str(node_path()), "provider.mjs", str(port), json.dumps(settings)]
    with log.open("wb") as file:
        process = spawn(command, cwd=project, environment=node_environment(), output=file)
    issuer = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: _answers(issuer), log.read_text)
        yield OidcProvider(issuer, log)
    finally:
        process.terminate()
        process.wait(20)


def _answers(issuer: str) -> bool:
    try:
        return httpx2.get(f"{issuer}/.well-known/openid-configuration", trust_env=False).is_success
    except httpx2.TransportError:
        return False
