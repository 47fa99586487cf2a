"""How is Tocsin run? As it is in production: `tocsin serve` and `tocsin relay`, with keys, limits, metrics and the log.

The integrations are put into the database, since what is measured begins at the door.
"""

import hashlib
import os
import secrets
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from bench import payloads
from bench.contenders.base import Contender, Route, Stored
from bench.contenders.floor import CLEAR, count_rows
from bench.database import Stores
from domain.ids import new_id
from graphql_api.version import VERSION

SETTLE_SECONDS = 120.0
CLEAR_GROUPS = (
    "TRUNCATE alert_groups, alert_group_keys, alert_group_sightings, alert_group_events, early_resolves CASCADE"
)
CAUGHT_UP = """
SELECT NOT EXISTS (SELECT FROM alert_events e, relay_cursors c WHERE (e.xid, e.seq) > (c.xid, c.seq)) AS caught_up
"""


@dataclass(frozen=True, slots=True)
class Key:
    """An integration's id and the key it posts with."""

    source: str
    key: str

    @property
    def headers(self) -> dict[str, str]:
        """The header a tool sends."""
        return {"Authorization": f"Bearer {self.key}"}


class Tocsin(Contender):
    """The API and the relay."""

    name = "tocsin"

    def __init__(self, log_folder: Path, stores: Stores, data_dir: Path) -> None:
        super().__init__(log_folder)
        self._database = stores.tocsin
        self._redis_url = stores.redis_url
        self._data_dir = data_dir
        self._keys = {source: Key(source, secrets.token_urlsafe(24)) for source in ("prometheus", "generic")}

    def parts(self) -> dict[str, int]:
        """The process that answers, and the one that carries events."""
        return {"server": self._processes[0].pid, "relay": self._processes[1].pid}

    def routes(self) -> list[Route]:
        """Alertmanager's API, Alertmanager's webhook and the generic source."""
        prometheus, generic = self._keys["prometheus"].headers, self._keys["generic"].headers
        webhook = payloads.alertmanager_webhook()
        return [
            Route(name="api", path="/api/v2/alerts", format=payloads.alertmanager_api(), headers=prometheus),
            Route(name="webhook", path="/webhooks/prometheus", format=webhook, headers=prometheus),
            Route(name="generic", path="/webhooks/generic", format=payloads.generic(), headers=generic),
        ]

    def version(self) -> str:
        """The version of this tree."""
        return VERSION

    def start(self) -> None:
        """Make the integrations, start the API and the relay."""
        self._database.run(*(_integration_sql(key) for key in self._keys.values()))
        environment = self.environment()
        self._spawn([sys.executable, "-m", "tocsin", "serve"], environment, log="tocsin-api")
        self._spawn([sys.executable, "-m", "tocsin", "relay"], environment, log="tocsin-relay")
        self._wait_until_answers("/readyz")

    def environment(self) -> dict[str, str]:
        """The settings of both."""
        return {
            "PATH": os.environ["PATH"],
            "TOCSIN_DATABASE_URL": self._database.application_url,
            "TOCSIN_DATABASE_OWNER_URL": self._database.owner_url,
            "TOCSIN_REDIS_URL": self._redis_url,
            "TOCSIN_DATA_DIR": str(self._data_dir),
            "TOCSIN_HOST": "127.0.0.1",
            "TOCSIN_PORT": str(self.port),
            "TOCSIN_LOG_LEVEL": "warning",
            # Counted, and out of reach: one person asks for all of it.
            **{f"TOCSIN_RATE_LIMIT_{name}": str(10**9) for name in ("PERSON", "KEY", "ADDRESS", "STRANGER")},
        }

    def clear(self) -> None:
        """Empty the tables; the relay's cursors stay where they are, at the end of the log."""
        self._database.run(CLEAR, CLEAR_GROUPS)

    def stored(self) -> Stored:
        """Count rows; the log and the signals must agree with the alerts."""
        return count_rows(self._database)

    def settle(self) -> float:
        """Wait until the relay's consumers have read the whole log."""
        began = time.monotonic()
        while not self._database.row(CAUGHT_UP)["caught_up"]:
            if time.monotonic() - began > SETTLE_SECONDS:
                raise RuntimeError(f"the relay did not catch up within {SETTLE_SECONDS:.0f} s")
            time.sleep(0.1)
        return time.monotonic() - began


def _integration_sql(key: Key) -> str:
    integration_id, digest = new_id(), hashlib.sha256(key.key.encode()).hexdigest()
    return f"""
WITH made AS (
  INSERT INTO integrations (id, name, source, created_at)
  VALUES ('{integration_id}', 'bench {key.source}', '{key.source}', now())
)
INSERT INTO integration_keys (id, integration_id, digest, prefix, created_at)
VALUES ('{new_id()}', '{integration_id}', '\\x{digest}', '{key.key[:6]}', now())
"""
