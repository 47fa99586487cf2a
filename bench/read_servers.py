"""Who answers a page of alerts over HTTP? Tocsin as it is served, stock Strawberry, and the JSON without GraphQL."""

import os
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.contenders.base import Contender
from bench.contenders.tocsin import Tocsin
from bench.database import Database, Stores
from bench.live_servers import Peer
from bench.load import Load
from bench.payloads import KEY
from bench.read_pages import NEWEST
from bench.read_results import TOCSIN, TWO
from bench.read_store import SIGHT
from domain.ids import new_id
from graphql_api.identity.tokens import AccessTokens
from tocsin.settings import Settings

SECRET = "a key for reads of the bench alone"  # noqa: S105 - it lives as long as the run


class ReadTocsin(Tocsin):
    """The API alone, in so many processes: what is measured is reading."""

    def __init__(
        self, log_folder: Path, stores: Stores, data_dir: Path, database: Database, *, processes: int = 1
    ) -> None:
        super().__init__(log_folder, replace(stores, tocsin=database), data_dir)
        self.name, self._api_processes = TOCSIN if processes == 1 else TWO, processes
        settings = Settings(database_url=database.owner_url, secret_key=SECRET)
        tokens = AccessTokens(settings.derived_key("access-token"), lifetime=timedelta(days=1))
        person, session = new_id(), new_id()
        database.run(
            "INSERT INTO users (id, email, role, created_at) "
            f"VALUES ('{person}', 'bench-{person}@example.com', 'viewer', now())",
            *(
                "INSERT INTO memberships (team_id, user_id, role, created_at) "
                f"VALUES ('{team_id}', '{person}', 'viewer', now())"
                for team_id in SIGHT.team_ids
            ),
            "INSERT INTO sessions (id, user_id, refresh_digest, created_at, last_used_at, idle_expires_at, expires_at) "
            f"VALUES ('{session}', '{person}', '\\x{session.hex}', now(), now(), now() + '1 day', now() + '1 day')",
        )
        self.token, _ = tokens.sign(user_id=person, session_id=session, now=datetime.now(UTC))

    def parts(self) -> dict[str, int]:
        """One process, and those it keeps running."""
        return {"server": self._processes[0].pid}

    def environment(self) -> dict[str, str]:
        """With a key that is known, so that a token could be signed."""
        return {
            **super().environment(),
            "TOCSIN_SECRET_KEY": SECRET,
            "TOCSIN_API_WORKERS": str(self._api_processes),
        }

    def start(self) -> None:
        """Start the API."""
        self._spawn([sys.executable, "-m", "tocsin", "serve"], self.environment(), log="tocsin-api")
        self._wait_until_answers("/readyz")


class ReadPeer(Peer):
    """A peer that reads the same database."""

    def __init__(self, log_folder: Path, name: str, module: str, database: Database) -> None:
        super().__init__(log_folder, name, module, "")
        os.environ["READ_DSN"] = database.application_url


def load_of(server: Contender, *, connections: int, seconds: float, bodies: Path | None = None) -> Load:
    """Each connection asks again as soon as it has an answer: for the newest page, or for what the file says."""
    token = server.token if isinstance(server, ReadTocsin) else ""
    return Load(
        port=server.port,
        path="/graphql",
        headers={"Authorization": f"Bearer {token}"} if token else {},
        # The load's number goes where it changes nothing: a variable the document does not have.
        opening=f'{{"query":"{NEWEST}","variables":{{"number":"',
        item=KEY,
        closing='"}}',
        prefix="n",
        connections=connections,
        seconds=seconds,
        bodies=None if bodies is None else str(bodies),
    )
