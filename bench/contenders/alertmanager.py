"""How is Alertmanager run? Debian's binary with one silent receiver. It keeps alerts in memory: no fsync, no history.

It is started anew for every turn, since nothing but a restart makes it forget.
"""

import os
import re
import shutil
import subprocess
import tempfile
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from bench import payloads
from bench.contenders.base import Contender, Route, Stored, free_port

PROGRAM = "prometheus-alertmanager"
# Groups wait for hours before they would notify: no time of the turn is spent on notifications.
CONFIGURATION = """
route: {{receiver: nobody, group_by: [{names}], group_wait: 4h, group_interval: 4h, repeat_interval: 24h}}
receivers: [{{name: nobody}}]
"""
RECEIVED = re.compile(
    r'^alertmanager_alerts_received_total\{[^}]*status="firing"[^}]*version="v2"[^}]*\} (\S+)$', re.MULTILINE
)
KEPT = re.compile(r"^alertmanager_alerts\{[^}]*\} (\S+)$", re.MULTILINE)


class Alertmanager(Contender):
    """Alertmanager's own `/api/v2/alerts`."""

    name = "alertmanager"
    restarts_each_turn = True
    _folder: Path | None = None

    def __init__(self, log_folder: Path, *, group_by: Sequence[str] = ("alertname",)) -> None:
        super().__init__(log_folder)
        self._group_by = group_by

    @staticmethod
    def is_installed() -> bool:
        """Whether Debian's package `prometheus-alertmanager` is there."""
        return shutil.which(PROGRAM) is not None

    def routes(self) -> list[Route]:
        """The one route it has."""
        return [Route(name="api", path="/api/v2/alerts", format=payloads.alertmanager_api())]

    def version(self) -> str:
        """What the binary says of itself."""
        said = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True)
        return (said.stdout or said.stderr).split()[2]

    def start(self) -> None:
        """Start it alone, without a cluster."""
        program = shutil.which(PROGRAM)
        assert program is not None
        self.port = free_port()
        folder = Path(tempfile.mkdtemp(prefix="bench-alertmanager-"))
        (folder / "alertmanager.yml").write_text(CONFIGURATION.format(names=", ".join(self._group_by)))
        command = [program, f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}/data"]
        command += [f"--web.listen-address=127.0.0.1:{self.port}", "--cluster.listen-address=", "--log.level=warn"]
        self._folder = folder
        self._spawn(command, os.environ, log="alertmanager")
        self._wait_until_answers("/-/ready")

    def stop(self) -> None:
        """Stop it and remove what it wrote."""
        super().stop()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def clear(self) -> None:
        """Nothing to do: it has just started."""

    def stored(self) -> Stored:
        """Its own counters: there is no store to look into."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=60) as answer:
            text = answer.read().decode()
        received = RECEIVED.search(text)
        return Stored(
            alerts=sum(int(float(number)) for number in KEPT.findall(text)),
            occurrences=int(float(received[1])) if received else 0,
        )
