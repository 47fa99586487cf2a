"""How soon is somebody told, how many in a minute, and what does a tick cost? All of it within one run.

- latency: 10,000 alerts a minute come in, and beside them one critical alert after the other, which a policy sends to a
  web hook. From the answer to its post, which leaves after COMMIT, to the hook's request; with relay, worker and
  scheduler as processes.
- rate: critical alerts as fast as they are taken; how many a minute one worker process tells, and its CPU for each.
- tick: a tick over 100,000 open escalations of which a hundred are due, beside one over a hundred in all.
"""

import asyncio
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import msgspec

from bench import database, load, notify_tick
from bench.contenders.base import Route
from bench.contenders.tocsin import Tocsin
from bench.database import Stores
from bench.live_people import SECRET
from bench.machine import cpu_seconds, describe
from bench.notify_provider import Provider, provider
from bench.notify_tick import in_ms
from bench.payloads import KEY

ADMIN = ("admin@example.com", "correct-horse-battery-staple-9")
ALERTS_A_MINUTE = 10_000
WAIT_SECONDS = 120.0
LOGIN = "mutation($input: LoginInput!) { login(input: $input) { ... on LoginSuccess { accessToken } } }"
CHANNEL = """mutation($input: CreateChannelInput!) { createChannel(input: $input) {
  __typename ... on CreateChannelSuccess { channel { id } } } }"""
POLICY = """mutation($input: CreateEscalationPolicyInput!) { createEscalationPolicy(input: $input) {
  __typename ... on CreateEscalationPolicySuccess { policy { id } } } }"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long alerts come in, how many are told at once, how many escalations are open."""

    folder: Path
    seconds: float = 60.0
    gap: float = 0.2
    notifications: int = 2_000
    escalations: int = 100_000
    ticks: int = 20
    parts: frozenset[str] = frozenset({"latency", "rate", "tick"})


class NotifyTocsin(Tocsin):
    """All roles, as processes."""

    def __init__(self, log_folder: Path, stores: Stores, data_dir: Path, told: Provider) -> None:
        super().__init__(log_folder, stores, data_dir)
        self._told = told

    def environment(self) -> dict[str, str]:
        """The hook is on this machine, and is trusted."""
        return {
            **super().environment(),
            "TOCSIN_SECRET_KEY": SECRET,
            "TOCSIN_ADMIN_EMAIL": ADMIN[0],
            "TOCSIN_ADMIN_PASSWORD": ADMIN[1],
            "TOCSIN_OUTBOUND_ALLOWED_NETWORKS": "127.0.0.0/8",
            "SSL_CERT_FILE": str(self._told.authority),
        }

    def start(self) -> None:
        """The API and the relay, then who does what is due."""
        # Makes the first administrator.
        subprocess.run([sys.executable, "-m", "tocsin", "migrate"], env=self.environment(), check=True)
        super().start()
        for role in ("worker", "scheduler"):
            self._spawn([sys.executable, "-m", "tocsin", role], self.environment(), log=f"tocsin-{role}")

    def parts(self) -> dict[str, int]:
        """Each process."""
        return {**super().parts(), "worker": self._processes[2].pid, "scheduler": self._processes[3].pid}

    @property
    def route(self) -> Route:
        """Where the alerts are posted."""
        return next(route for route in self.routes() if route.name == "generic")

    def ask(self, document: str, variables: object, *, token: str | None = None) -> Any:  # noqa: ANN401 - JSON
        """The data of one operation."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        body = {"query": document, "variables": variables}
        answer = httpx2.post(f"http://127.0.0.1:{self.port}/graphql", json=body, headers=headers, timeout=30).json()
        if "errors" in answer:
            raise RuntimeError(str(answer["errors"]))
        return answer["data"]

    def escalate_to(self, url: str) -> None:
        """A policy for critical alerts that tells the hook at once."""
        token = self.ask(LOGIN, {"input": {"email": ADMIN[0], "password": ADMIN[1]}})["login"]["accessToken"]
        values = [{"name": "url", "value": url}, {"name": "secret", "value": "a-secret-of-sixteen"}]
        channel = {"name": "The hook", "kind": "WEBHOOK", "values": values}
        made = self.ask(CHANNEL, {"input": channel}, token=token)["createChannel"]
        steps = [{"delay": "PT0S", "targets": [{"kind": "CHANNEL", "id": made["channel"]["id"]}]}]
        policy = {"name": "Tell the hook", "severities": ["CRITICAL"], "steps": steps}
        done = self.ask(POLICY, {"input": policy}, token=token)["createEscalationPolicy"]
        if done["__typename"] != "CreateEscalationPolicySuccess":
            raise RuntimeError(str(done))


def measure(plan: Plan) -> None:
    """Run the parts and print what they found."""
    print("\n".join(describe()))
    with database.running(plan.folder) as stores, ExitStack() as stack:
        if plan.parts & {"latency", "rate"}:
            told = stack.enter_context(provider(plan.folder / "certificates"))
            tocsin = NotifyTocsin(plan.folder / "logs", stores, plan.folder / "tocsin", told)
            stack.callback(tocsin.stop)
            tocsin.start()
            tocsin.escalate_to(told.url)
            if "latency" in plan.parts:
                _latency(plan, tocsin, told)
            if "rate" in plan.parts:
                _rate(plan, tocsin, told)
            tocsin.stop()
        if "tick" in plan.parts:
            asyncio.run(notify_tick.measure(stores.tocsin, escalations=plan.escalations, ticks=plan.ticks))


# -- latency and rate --------------------------------------------------------------------------------------------------


def _latency(plan: Plan, tocsin: NotifyTocsin, told: Provider) -> None:
    # Until the first is told all processes have come up.
    _probe(tocsin, "probe-first-0")
    told.wait_for(1, seconds=WAIT_SECONDS)
    told.came.clear()
    background = threading.Thread(target=_come_in, args=(plan, tocsin))
    before = {name: cpu_seconds(pid) for name, pid in tocsin.parts().items()}
    began = time.perf_counter()
    background.start()
    answered = _probes(plan, tocsin)
    background.join()
    seconds = time.perf_counter() - began
    told.wait_for(len(answered), seconds=WAIT_SECONDS)
    took = sorted(max(told.came[title] - at, 0.0) for title, at in answered.items())
    used = {name: cpu_seconds(pid) - before[name] for name, pid in tocsin.parts().items()}
    print(
        f"\nlatency: {len(took)} critical alerts among {ALERTS_A_MINUTE} a minute, commit to the hook's request: "
        f"median {in_ms(statistics.median(took))}, p90 {in_ms(_share(took, 0.9))}, p99 {in_ms(_share(took, 0.99))}, "
        f"most {in_ms(took[-1])}"
    )
    print("  CPU of one core: " + ", ".join(f"{name} {spent / seconds:.0%}" for name, spent in used.items()))


def _come_in(plan: Plan, tocsin: NotifyTocsin) -> None:
    """Alerts that wake nobody, at an even rate, each of a key of its own."""
    found = load.run(_load(tocsin, severity="low", name="noise", seconds=plan.seconds, rate=ALERTS_A_MINUTE / 60))
    print(f"\n{found.accepted} alerts came in, {found.rate * 60:.0f} a minute; p99 {found.latencies['p99']:.0f} ms")


def _probes(plan: Plan, tocsin: NotifyTocsin) -> dict[str, float]:
    """Critical alerts one by one; when each was answered."""
    answered: dict[str, float] = {}
    end = time.monotonic() + plan.seconds
    while time.monotonic() < end:
        title = f"probe-one-{len(answered)}"
        answered[title] = _probe(tocsin, title)
        time.sleep(plan.gap)
    return answered


def _probe(tocsin: NotifyTocsin, title: str) -> float:
    alert = {"title": title, "dedup_key": title, "severity": "critical", "status": "firing"}
    url = f"http://127.0.0.1:{tocsin.port}{tocsin.route.path}"
    httpx2.post(url, json=alert, headers=dict(tocsin.route.headers), timeout=30).raise_for_status()
    return time.perf_counter()


def _rate(plan: Plan, tocsin: NotifyTocsin, told: Provider) -> None:
    told.came.clear()
    worker = tocsin.parts()["worker"]
    before = cpu_seconds(worker)
    load.run(_load(tocsin, severity="critical", name="probe-many", seconds=WAIT_SECONDS, limit=plan.notifications))
    told.wait_for(plan.notifications, seconds=WAIT_SECONDS * 5)
    moments = sorted(told.came.values())
    a_minute = (len(moments) - 1) / (moments[-1] - moments[0]) * 60
    used = cpu_seconds(worker) - before
    print(
        f"\nrate: {len(moments)} notifications through one worker process, {a_minute:.0f} a minute; "
        f"{used / len(moments) * 1000:.1f} ms of its CPU each, so {60 * len(moments) / used:.0f} a minute of one core"
    )


def _load(tocsin: NotifyTocsin, *, severity: str, name: str, **more: Any) -> load.Load:  # noqa: ANN401 - of the load
    body = tocsin.route.format
    item = {"title": f"{name}-{KEY}", "dedup_key": f"{name}-{KEY}", "severity": severity, "status": "firing"}
    return load.Load(
        port=tocsin.port,
        path=tocsin.route.path,
        headers=dict(tocsin.route.headers),
        opening=body.opening,
        item=msgspec.json.encode(item).decode(),
        closing=body.closing,
        prefix="",
        connections=8,
        **more,
    )


def _share(took: Sequence[float], share: float) -> float:
    """The time within which this share of them was done; they are sorted."""
    return took[min(int(len(took) * share), len(took) - 1)]
