"""How does a test run the tools that people have? Debian's prometheus, alertmanager and amtool, on free local ports."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest

from tests.services.ports import free_port
from tocsin.processes import spawn

PROMETHEUS, ALERTMANAGER, AMTOOL = "prometheus", "prometheus-alertmanager", "amtool"
SECONDS = 60


def program(name: str) -> str:
    """The path of an installed tool; a machine without it skips the test by the tool's name."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


async def until(condition: Callable[[], Awaitable[object]], *, what: str, seconds: float = SECONDS) -> Any:  # noqa: ANN401
    """What the condition gives once that is true; fails with `what` when it does not become so."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        found = await condition()
        if found:
            return found
        assert asyncio.get_running_loop().time() < deadline, f"{what}: not within {seconds:.0f} s"
        await asyncio.sleep(0.05)


@asynccontextmanager
async def running(command: list[str], *, log: Path, ready_url: str) -> AsyncIterator[subprocess.Popen[bytes]]:
    """A server process, up once `ready_url` answers."""
    with log.open("wb") as output:
        process = spawn(command, output=output)

    async def is_ready() -> bool:
        assert process.poll() is None, log.read_text()  # noqa: ASYNC240 - the test is over
        async with httpx2.AsyncClient() as client:
            try:
                return (await client.get(ready_url)).status_code == httpx2.codes.OK
            except httpx2.TransportError:
                return False

    try:
        await until(is_ready, what=f"{command[0]} is ready")
        yield process
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait)


class Prometheus:
    """A Prometheus with one rule, whose threshold decides whether the alert fires."""

    def __init__(self, folder: Path, *, alertmanager: str, key: str | None) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{free_port()}"
        self._rules = folder / "rules.yml"
        target: dict[str, Any] = {
            "scheme": "http",
            "static_configs": [{"targets": [alertmanager.removeprefix("http://")]}],
        }
        if key is not None:
            target["authorization"] = {"credentials": key}
        self.set_threshold(0)
        self.configuration = folder / "prometheus.yml"
        self.configuration.write_text(  # JSON is YAML
            json.dumps(
                {
                    "global": {
                        "evaluation_interval": "1s",
                        "external_labels": {"cluster": "eu-1", "replica": "a"},
                    },
                    "rule_files": [str(self._rules)],
                    "alerting": {
                        "alert_relabel_configs": [{"regex": "replica", "action": "labeldrop"}],
                        "alertmanagers": [target],
                    },
                }
            )
        )

    def set_threshold(self, threshold: int) -> None:
        """The rule fires while one is above the threshold."""
        rule = {
            "alert": "HighErrorRate",
            "expr": f"vector(1) > {threshold}",
            "labels": {"severity": "critical", "service": "checkout"},
            "annotations": {"summary": "Error rate above 5% on checkout"},
        }
        self._rules.write_text(json.dumps({"groups": [{"name": "checkout", "rules": [rule]}]}))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run it."""
        command = [
            program(PROMETHEUS),
            f"--config.file={self.configuration}",
            f"--storage.tsdb.path={self.folder / 'tsdb'}",
            f"--web.listen-address={self.url.removeprefix('http://')}",
            "--web.enable-lifecycle",
            "--rules.alert.resend-delay=1s",
        ]
        async with running(command, log=self.folder / "prometheus.log", ready_url=f"{self.url}/-/ready"):
            yield

    async def reload(self) -> None:
        """Read the rules again."""
        async with httpx2.AsyncClient() as client:
            (await client.post(f"{self.url}/-/reload")).raise_for_status()


@asynccontextmanager
async def alertmanager(
    folder: Path, *, webhook: str | None = None, key: str | None = None, routes: Sequence[str] = ()
) -> AsyncIterator[str]:
    """A real Alertmanager that relays to a webhook, or to nobody; its address. `routes` are matchers, a route each."""
    receiver: dict[str, Any] = {"name": "tocsin"}
    if webhook is not None:
        http = {"authorization": {"credentials": key}}
        receiver["webhook_configs"] = [{"url": webhook, "http_config": http, "send_resolved": True}]
    route: dict[str, Any] = {"receiver": "tocsin", "group_wait": "100ms", "group_interval": "1s"}
    if routes:
        route["routes"] = [{"receiver": "tocsin", "matchers": [text]} for text in routes]
    configuration = folder / "alertmanager.yml"
    configuration.write_text(json.dumps({"route": route, "receivers": [receiver]}, ensure_ascii=False))
    url = f"http://127.0.0.1:{free_port()}"
    command = [
        program(ALERTMANAGER),
        f"--config.file={configuration}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address={url.removeprefix('http://')}",
        "--cluster.listen-address=",
    ]
    async with running(command, log=folder / "alertmanager.log", ready_url=f"{url}/-/ready"):
        yield url


class Amtool:
    """amtool with an integration's key in its configuration of HTTP."""

    def __init__(self, folder: Path, *, url: str, key: str, how: str = "bearer") -> None:
        self._url = url
        self._http = folder / f"http-{how}.yml"
        basic = {"basic_auth": {"username": "amtool", "password": key}}
        bearer = {"authorization": {"credentials": key}}
        self._http.write_text(json.dumps(basic if how == "basic" else bearer))

    async def __call__(self, *arguments: str, fails: bool = False) -> str:
        """What it prints. Fails the test when it fails, or when `fails` says that it should and it does not."""
        process = await asyncio.create_subprocess_exec(
            program(AMTOOL),
            f"--alertmanager.url={self._url}",
            f"--http.config.file={self._http}",
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate()
        assert (process.returncode != 0) is fails, (output + errors).decode()
        # Beside a result amtool only warns, of a server whose version is not its own.
        return (errors if fails else output).decode()

    async def json(self, *arguments: str) -> Any:  # noqa: ANN401 - the test knows its shape
        """The same with `--output=json`, decoded."""
        return json.loads(await self(*arguments, "--output=json"))


async def alert_rows(database: asyncpg.Connection) -> list[dict[str, Any]]:
    """All alerts, the oldest first."""
    rows = await database.fetch("SELECT *, labels::text AS label_text FROM alerts ORDER BY id")
    return [{**row, "labels": json.loads(row["label_text"])} for row in rows]


async def event_kinds(database: asyncpg.Connection, alert_id: object) -> list[str]:
    """The kinds on an alert's timeline, in order."""
    rows = await database.fetch("SELECT kind FROM alert_events WHERE alert_id = $1 ORDER BY xid, seq", alert_id)
    return [row["kind"] for row in rows]
