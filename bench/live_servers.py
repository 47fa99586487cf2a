"""Who takes part in `bench live`, and how is an event made at each? Tocsin, stock Strawberry, a bare broadcast."""

import os
import re
import signal
import sys
import time
import urllib.request
from pathlib import Path

import msgspec

from bench import payloads
from bench.contenders.base import START_SECONDS, Contender, Route, Stored
from bench.contenders.tocsin import Tocsin
from bench.live_people import SECRET
from bench.live_wire import Publishing
from tocsin.processes import spawn
from tocsin.supervisor import ROLE_STOP_STEPS, stop

SERVICE = "checkout"
OPEN_SOCKETS = re.compile(rb"^tocsin_websockets (\S+)$", re.MULTILINE)


class LiveTocsin(Tocsin):
    """Tocsin with a key that is known, so that the bench can sign tokens; its API can be started anew."""

    def environment(self) -> dict[str, str]:
        """The settings of both processes."""
        return {**super().environment(), "TOCSIN_SECRET_KEY": SECRET}

    def publishing(self) -> Publishing:
        """A post of one alert with a key of its own: one event."""
        route = next(route for route in self.routes() if route.name == "generic")
        item = {
            "title": f"Error rate above 5% on {SERVICE} {payloads.KEY}",
            "status": "firing",
            "severity": "critical",
            "dedup_key": payloads.KEY,
            "service": SERVICE,
            "labels": {"cluster": "eu-1", "instance": payloads.KEY},
        }
        return Publishing(path=route.path, headers=dict(route.headers), body=msgspec.json.encode(item).decode())

    @property
    def data_dir(self) -> Path:
        """What it keeps in files."""
        return self._data_dir

    def restart_relay(self, elasticsearch_url: str | None) -> None:
        """Start it anew, with a consumer for this Elasticsearch or without."""
        stop(self._processes[1], ROLE_STOP_STEPS)
        # A consumer that does not run is behind for ever.
        self._database.run("DELETE FROM relay_cursors WHERE consumer = 'search'")
        more = {} if elasticsearch_url is None else {"TOCSIN_ELASTICSEARCH_URL": elasticsearch_url}
        with (self._log_folder / "tocsin-relay.log").open("ab") as output:
            command = [sys.executable, "-m", "tocsin", "relay"]
            self._processes[1] = spawn(command, environment={**self.environment(), **more}, output=output)

    @property
    def api_pid(self) -> int:
        """The process with the sockets."""
        return self._processes[0].pid

    def wait_for_sockets(self, number: int) -> None:
        """Return when so many sockets are open."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=30) as answer:
                found = OPEN_SOCKETS.search(answer.read())
            if found is not None and float(found[1]) >= number:
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"not {number} sockets within {START_SECONDS:.0f} s")
            time.sleep(0.2)

    def restart_api(self) -> None:
        """Kill it, as a crash would, and start it on the same port."""
        self._processes[0].send_signal(signal.SIGKILL)
        self._processes[0].wait()
        with (self._log_folder / "tocsin-api.log").open("ab") as output:
            command = [sys.executable, "-m", "tocsin", "serve"]
            self._processes[0] = spawn(command, environment=self.environment(), output=output)
        self._wait_until_answers("/readyz")


class Peer(Contender):
    """An application of this folder under uvicorn, with Tocsin's loop, parser and WebSocket code."""

    def __init__(self, log_folder: Path, name: str, module: str, body: str) -> None:
        super().__init__(log_folder)
        self.name, self._module, self._body = name, module, body

    @property
    def pid(self) -> int:
        """The server's."""
        return self._processes[0].pid

    def publishing(self) -> Publishing:
        """The event goes to the server as it is."""
        return Publishing(path="/broadcast", headers={}, body=self._body)

    def start(self) -> None:
        """Start uvicorn."""
        command = [sys.executable, "-m", "uvicorn", f"{self._module}:app", "--host", "127.0.0.1"]
        command += ["--port", str(self.port), "--loop", "uvloop", "--http", "httptools"]
        command += ["--no-access-log", "--log-level", "warning", "--backlog", "2048"]
        self._spawn(command, dict(os.environ), log=self.name)
        self._wait_until_answers("/health")

    def routes(self) -> list[Route]:
        """It takes no alerts."""
        return []

    def version(self) -> str:
        """It has none: it belongs to the bench."""
        return "of this bench"

    def clear(self) -> None:
        """It keeps nothing."""

    def stored(self) -> Stored:
        """It keeps nothing."""
        return Stored(alerts=0, occurrences=0)
