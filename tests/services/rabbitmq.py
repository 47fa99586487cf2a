"""How does a real RabbitMQ come up for the tests? Debian's package, started by hand, with an epmd of its own.

All on loopback. The package's own wrapper runs as root or as `rabbitmq` only; the script it wraps runs as anybody.
RabbitMQ starts an epmd that outlives it where none runs, so one is started first, in the foreground. Asked to read its
input, the script becomes the server (`exec`): one process, which takes SIGTERM and has the death signal.
"""

import shutil
import signal
import socket
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pika

from tests.services.errors import UnavailableError
from tests.services.ports import free_port
from tocsin.accounts import Account
from tocsin.embedded.folders import Folders
from tocsin.embedded.server import open_log, wait_until_ready
from tocsin.processes import spawn
from tocsin.supervisor import StopStep

SCRIPT = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
USER = "tocsin"
PASSWORD = "tests-only"
READY_SECONDS = 180.0
STOP_STEPS = (StopStep(signal.SIGTERM, 20), StopStep(signal.SIGKILL, 5))
# Two schedulers of Erlang's are enough for a few hundred messages; it takes as many as there are cores.
ERLANG = "-noinput -kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +sbwt none"


@dataclass(frozen=True, slots=True, kw_only=True)
class RabbitmqServer:
    """One server with its data in `folder`, which belongs to `account`."""

    folder: Path
    script: Path
    epmd: Path
    account: Account
    port: int
    distribution_port: int
    epmd_port: int
    log: Path

    @property
    def url(self) -> str:
        """Its address."""
        return f"amqp://{USER}:{PASSWORD}@127.0.0.1:{self.port}/%2F"

    def spawn_epmd(self) -> subprocess.Popen[bytes]:
        """Start the daemon that knows the node by name; a server that is started again finds it running."""
        return self._spawn([str(self.epmd), "-address", "127.0.0.1", "-port", str(self.epmd_port)])

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start the server; returns before it answers."""
        self._write("enabled_plugins", "[].\n")
        self._write(
            "rabbitmq.conf",
            f"listeners.tcp.default = 127.0.0.1:{self.port}\n"
            "loopback_users = none\n"
            f"default_user = {USER}\n"
            f"default_pass = {PASSWORD}\n"
            # A test machine's disk may be nearly full; then no message would be taken.
            "disk_free_limit.absolute = 1MB\n",
        )
        return self._spawn([str(self.script)])

    def empty(self) -> None:
        """Remove all it keeps; it must not run."""
        shutil.rmtree(self.folder / "mnesia", ignore_errors=True)

    def wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        """Return once somebody can sign in."""
        wait_until_ready(process, name="RabbitMQ", log=self.log, answers=self.answers, seconds=READY_SECONDS)

    def answers(self) -> bool:
        """Whether a client can sign in."""
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=2).close()
        except OSError:
            return False
        try:
            pika.BlockingConnection(pika.URLParameters(self.url)).close()
        except (pika.exceptions.AMQPError, OSError):
            return False
        return True

    def _write(self, name: str, text: str) -> None:
        self.account.write_private(self.folder / name, text)

    def _spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        with open_log(self.log) as log:
            return spawn(
                command,
                death_signal=signal.SIGKILL,
                account=self.account,
                environment=self._environment(),
                cwd=self.folder,
                output=log,
            )

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "ERL_EPMD_PORT": str(self.epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_ALLOW_INPUT": "1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": ERLANG,
            # What an installed server is set up with must not be read.
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "no-such-file"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_NODENAME": "tocsin@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self.distribution_port),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_PID_FILE": str(self.folder / "rabbitmq.pid"),
        }


def server_in(places: Folders) -> RabbitmqServer:
    """The server with its data in these folders."""
    epmd = shutil.which("epmd")
    if not SCRIPT.exists() or epmd is None:
        raise UnavailableError("RabbitMQ is not installed (on Debian: apt install rabbitmq-server)")
    return RabbitmqServer(
        folder=places.private("rabbitmq"),
        script=SCRIPT,
        epmd=Path(epmd),
        account=places.account,
        port=free_port(),
        distribution_port=free_port(),
        epmd_port=free_port(),
        log=places.logs / "rabbitmq.log",
    )


def forget(url: str, queues: Iterable[str]) -> None:
    """Delete these queues and those that belong to them: the next test finds none of their messages."""
    connection = pika.BlockingConnection(pika.URLParameters(url))
    try:
        channel = connection.channel()
        for name in queues:
            for queue in (name, f"{name}.DQ", f"{name}.XQ"):
                with suppress(pika.exceptions.AMQPChannelError):
                    channel.queue_delete(queue)
    finally:
        connection.close()
