"""How is Alerta run? From PyPI in a virtual environment of its own, under gunicorn with two workers, on PostgreSQL."""

import os
import subprocess
import sys
from pathlib import Path

from bench import payloads
from bench.contenders.base import Contender, Route, Stored
from bench.database import Stores

REQUIREMENTS = Path(__file__).with_name("alerta-requirements.txt")
WORKERS = 2
COUNT = "SELECT count(*) AS alerts, (count(*) + coalesce(sum(duplicate_count), 0))::bigint AS occurrences FROM alerts"


class Alerta(Contender):
    """Alerta's `/alert` for one alert, its Prometheus webhook for several."""

    name = "alerta"

    def __init__(self, log_folder: Path, stores: Stores, environment: Path) -> None:
        super().__init__(log_folder)
        self._database = stores.alerta
        self._environment = environment

    def routes(self) -> list[Route]:
        """Its own format one by one; Alertmanager's for many, as it has no other."""
        webhook = payloads.alertmanager_webhook()
        return [
            Route(name="own", path="/alert", format=payloads.alerta(), takes_batches=False),
            Route(name="webhook", path="/webhooks/prometheus", format=webhook, takes_single=False),
        ]

    def install(self) -> None:
        """Make the virtual environment if it is not there or the requirements have changed."""
        stamp = self._environment / "installed.txt"
        if stamp.exists() and stamp.read_text() == REQUIREMENTS.read_text():
            return
        print(f"Installing {REQUIREMENTS.read_text().split(None, 1)[0]} into {self._environment} (once)", flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(self._environment)], check=True)
        pip = [str(self._environment / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, "--disable-pip-version-check", "-r", str(REQUIREMENTS)], check=True)
        stamp.write_text(REQUIREMENTS.read_text())

    def version(self) -> str:
        """The pinned release."""
        return REQUIREMENTS.read_text().split()[0].split("==")[1]

    def start(self) -> None:
        """Start gunicorn; the first worker makes the tables."""
        self.install()
        command = [str(self._environment / "bin" / "gunicorn"), "--workers", str(WORKERS), "--preload"]
        command += ["--bind", f"127.0.0.1:{self.port}", "--backlog", "2048", "--timeout", "120", "--log-level", "error"]
        environment = {
            "PATH": os.environ["PATH"],
            "DATABASE_URL": self._database.application_url,
            "SECRET_KEY": "of-the-bench",
        }
        self._spawn([*command, "alerta:create_app()"], environment, log="alerta")
        self._wait_until_answers("/")

    def clear(self) -> None:
        """Empty its table of alerts."""
        self._database.run("TRUNCATE alerts")

    def stored(self) -> Stored:
        """Count rows and repeats."""
        counted = self._database.row(COUNT)
        return Stored(alerts=counted["alerts"], occurrences=counted["occurrences"])
