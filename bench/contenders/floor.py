"""How is the floor run? `bench.floor` under uvicorn, with Tocsin's loop and parser, on a database of its tables."""

import os
import sys
from pathlib import Path

from bench import payloads
from bench.contenders.base import Contender, Route, Stored
from bench.database import Database, Stores
from domain.ids import new_id

KEY = "floor-key"
CLEAR = "TRUNCATE alerts, alert_events, signals, receipts CASCADE"
COUNT = "SELECT count(*) AS alerts, coalesce(sum(occurrences), 0)::bigint AS occurrences FROM alerts"
CHECK = """
SELECT (SELECT count(*) FROM signals) AS signals,
  (SELECT count(*) FROM alert_events WHERE kind = 'opened') AS opened
"""


class FloorServer(Contender):
    """The bare ASGI endpoint."""

    name = "floor"

    def __init__(self, log_folder: Path, stores: Stores) -> None:
        super().__init__(log_folder)
        self._database = stores.floor

    def routes(self) -> list[Route]:
        """The three routes of Tocsin that are measured."""
        headers = {"Authorization": f"Bearer {KEY}"}
        return [
            Route(name="api", path="/api/v2/alerts", format=payloads.alertmanager_api(), headers=headers),
            Route(name="webhook", path="/webhooks/prometheus", format=payloads.alertmanager_webhook(), headers=headers),
            Route(name="generic", path="/webhooks/generic", format=payloads.generic(), headers=headers),
        ]

    def version(self) -> str:
        """It has none: it belongs to the bench."""
        return "of this bench"

    def start(self) -> None:
        """Start uvicorn."""
        command = [sys.executable, "-m", "uvicorn", "bench.floor:app", "--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
        command += ["--backlog", "2048"]
        environment = {
            **os.environ,
            "FLOOR_DSN": self._database.application_url,
            "FLOOR_KEY": KEY,
            "FLOOR_INTEGRATION": str(new_id()),
        }
        self._spawn(command, environment, log="floor")
        self._wait_until_answers("/health")

    def clear(self) -> None:
        """Empty the tables."""
        self._database.run(CLEAR)

    def stored(self) -> Stored:
        """Count rows; the log and the signals must agree with the alerts."""
        return count_rows(self._database)


def count_rows(database: Database) -> Stored:
    """The alerts and occurrences in Tocsin's tables; AssertionError if the log or the signals tell another story."""
    counted, other = database.row(COUNT), database.row(CHECK)
    assert other["opened"] == counted["alerts"], f"{counted['alerts']} alerts but {other['opened']} opening events"
    assert other["signals"] == counted["occurrences"], (
        f"{counted['occurrences']} occurrences, {other['signals']} signals"
    )
    return Stored(alerts=counted["alerts"], occurrences=counted["occurrences"])
