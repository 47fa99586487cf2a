"""How does a real Elasticsearch come up for the tests? Its own distribution from Maven Central, on loopback.

It is the small distribution Elasticsearch's own integration tests use: no `GET /`, no scripts, no language analyzers.
What works there works on a full server. Started once a run: the tests that need it run in one worker (conftest.py).
"""

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import zipfile
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from tests.services.answering import status_of
from tests.services.errors import UnavailableError
from tests.services.java import java_home
from tocsin.accounts import Account
from tocsin.embedded.folders import Folders
from tocsin.embedded.programs import usable
from tocsin.embedded.server import open_log, wait_until_ready
from tocsin.processes import Process, spawn
from tocsin.supervisor import StopStep

VERSION = "9.5.3"
ARTIFACT = f"org.elasticsearch.distribution.integ-test-zip:elasticsearch:{VERSION}:zip"
SHA256 = "bec49f3b8d00e75c8d1cec85c35298635ec9fbd3ae80ef5aeb6bc05abdb3db2d"
PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:2.8:get"
FETCH_SECONDS = 300
READY_SECONDS = 180.0
MEMORY = "-Xms512m -Xmx512m"
# The thorough compiler pays off after minutes: without it a start takes two thirds of the CPU.
OPTIONS = f"{MEMORY} -XX:TieredStopAtLevel=1"
STOP_STEPS = (StopStep(signal.SIGTERM, 10), StopStep(signal.SIGKILL, 5))


@dataclass(frozen=True, slots=True, kw_only=True)
class ElasticsearchServer:
    """One server with its data in `folder`, which belongs to `account`. `options` are Java's."""

    folder: Path
    programs: Path
    java: Path
    account: Account
    port: int
    log: Path
    options: str = OPTIONS

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start the server; returns before it answers. It ends by itself when its launcher does."""
        configuration = self._configuration()
        with open_log(self.log) as log:
            return spawn(
                [str(self.programs / "bin/elasticsearch")],
                death_signal=signal.SIGKILL,
                account=self.account,
                environment={
                    "PATH": "/usr/bin:/bin",
                    "HOME": str(self.folder),
                    "ES_JAVA_HOME": str(self.java),
                    "ES_PATH_CONF": str(configuration),
                    "ES_TMPDIR": str(self._own("tmp")),
                    "ES_JAVA_OPTS": self.options,
                },
                cwd=self.folder,
                output=log,
            )

    def wait_until_ready(self, process: Process) -> None:
        """Return once the cluster's health is asked for and answered."""
        wait_until_ready(process, name="Elasticsearch", log=self.log, answers=self.answers, seconds=READY_SECONDS)

    def answers(self) -> bool:
        """Whether the cluster tells its health."""
        return status_of(f"{self.url}/_cluster/health") == HTTPStatus.OK

    def _own(self, name: str) -> Path:
        path = self.folder / name
        path.mkdir(exist_ok=True)
        self.account.own(path)
        return path

    def _configuration(self) -> Path:
        conf = self._own("conf")
        options = conf / "jvm.options.d"
        options.mkdir(exist_ok=True)
        self.account.own(options)
        for name in ("jvm.options", "log4j2.properties"):
            self.account.write_private(conf / name, (self.programs / "config" / name).read_text())
        settings = {
            "cluster.name": "tocsin-test",
            "path.data": self._own("data"),
            "path.logs": self._own("logs"),
            "network.host": "127.0.0.1",
            "http.port": self.port,
            "transport.port": "0",
            "discovery.type": "single-node",
            "xpack.security.enabled": "false",
            # A test machine's disk may be nearly full; then no index would get its shards.
            "cluster.routing.allocation.disk.threshold_enabled": "false",
        }
        lines = "".join(f"{name}: {value}\n" for name, value in settings.items())
        self.account.write_private(conf / "elasticsearch.yml", lines)
        return conf


def kill(process: Process) -> None:
    """SIGKILL to the launcher and to the server, which else ends a moment after it."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def server_in(places: Folders, cache: Path, port: int) -> ElasticsearchServer:
    """The server with its data in these folders; its programs are fetched into `cache` on first use."""
    java = java_home(cache)
    return ElasticsearchServer(
        folder=places.private("elasticsearch"),
        programs=usable(places, installation(cache), f"elasticsearch-{VERSION}", "bin/elasticsearch"),
        java=usable(places, java, java.name, "bin/java"),
        account=places.account,
        port=port,
        log=places.logs / "elasticsearch.log",
    )


def installation(cache: Path) -> Path:
    """The unpacked distribution, made in `cache` on first use; of two at once, one makes it."""
    target = cache / f"elasticsearch-{VERSION}"
    cache.mkdir(exist_ok=True)
    with (cache / "elasticsearch.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            _install(target)
    return target


def _install(target: Path) -> None:
    draft = target.with_name(f"elasticsearch.draft.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    try:
        archive = _fetch(draft / "elasticsearch.zip")
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(draft)
        unpacked = draft / f"elasticsearch-{VERSION}"
        # A zip of Python's loses the right to run.
        for program in (*unpacked.glob("bin/*"), *unpacked.glob("modules/*/platform/*/bin/*")):
            program.chmod(0o755)
        unpacked.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _fetch(archive: Path) -> Path:
    maven = shutil.which("mvn")
    if maven is None:
        raise UnavailableError("Elasticsearch comes from Maven Central, and this machine has no mvn")
    command = [maven, "-q", "-B", PLUGIN, "-Dtransitive=false", f"-Dartifact={ARTIFACT}", f"-Ddest={archive}"]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=FETCH_SECONDS)
    except subprocess.TimeoutExpired:
        raise UnavailableError(f"Elasticsearch: mvn took longer than {FETCH_SECONDS} s") from None
    if done.returncode != 0 or not archive.exists():
        words = (done.stdout.strip() or done.stderr.strip() or "no message").splitlines()[0]
        raise UnavailableError(f"Elasticsearch: mvn failed: {words}")
    if hashlib.sha256(archive.read_bytes()).hexdigest() != SHA256:
        raise UnavailableError("Elasticsearch: the file from Maven Central is not the one that was tried")
    return archive
