"""Is this process well? `/livez`: it answers. `/readyz`: it can take work. `/healthz`: everything it knows of itself.

Only PostgreSQL makes it unready: without Redis alerts are still taken and nothing is lost, so a balancer that drops
every process when Redis restarts would turn a small fault into an outage.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from prometheus_client.core import GaugeMetricFamily
from starlette.requests import Request
from starlette.responses import Response

from domain.channels.circuit import Circuit
from graphql_api.http import encode
from graphql_api.live.patience import STORE_TROUBLE
from graphql_api.observability.metrics import gauge
from graphql_api.state import AppState
from graphql_api.version import VERSION
from persistence.audit_seals import Waiting, last_seal, waiting_rows
from persistence.circuits import troubled_circuits
from persistence.event_log import MAX_COUNTED_LAG, Lag

CHECK_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Check:
    """The state of one dependency."""

    name: str
    is_well: bool
    is_needed: bool
    milliseconds: float
    detail: str | None = None

    def as_json(self) -> dict[str, Any]:
        """What the endpoints show."""
        state = "up" if self.is_well else "down"
        shown: dict[str, Any] = {"state": state, "milliseconds": self.milliseconds}
        return shown if self.detail is None else {**shown, "detail": self.detail}


async def _check(name: str, ask: Callable[[], Awaitable[object]], *, is_needed: bool) -> Check:
    started = time.perf_counter()
    detail = None
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await ask()
    except Exception as error:  # noqa: BLE001 - whatever it is, the dependency is not well
        # The kind of error, never its text: a driver's message may name hosts and users.
        detail = type(error).__name__
    milliseconds = round((time.perf_counter() - started) * 1000, 1)
    return Check(name, detail is None, is_needed, milliseconds, detail)


async def check_all(state: AppState) -> list[Check]:
    """Ask every dependency, at the same time."""

    async def postgresql() -> None:
        async with state.reads.connect() as connection:
            await connection.execute(sa.text("SELECT 1"))

    checks = [_check("postgresql", postgresql, is_needed=True)]
    if state.redis is not None:
        checks.append(_check("redis", state.redis.ping, is_needed=False))
    if state.searcher.is_set:
        checks.append(_check("elasticsearch", state.searcher.check, is_needed=False))
    return list(await asyncio.gather(*checks))


async def relay_lags(state: AppState) -> list[Lag]:
    """How far each consumer of the log is behind; empty when the database cannot say."""
    if state.hub is None:
        return []
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await state.hub.reader.lags()
    except STORE_TROUBLE:
        return []


async def live_lags(state: AppState) -> dict[str, float]:
    """How far behind, in seconds, the process's own place in the log is, and what its followers were told of."""
    hub = state.hub
    if hub is None or hub.tail.known_place is None:
        return {}
    found = {"followers": hub.seconds_followers_wait}
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            found["hub"] = await hub.reader.seconds_behind(hub.place)
    except STORE_TROUBLE:
        pass
    return found


async def troubled_providers(state: AppState) -> list[Circuit]:
    """Providers and channels that are asked no more for a while; none when the database cannot say."""
    try:
        async with asyncio.timeout(CHECK_SECONDS), state.reads.connect() as connection:
            return await troubled_circuits(connection)
    except (*STORE_TROUBLE, sa.exc.SQLAlchemyError):
        return []


async def unsealed(state: AppState) -> Waiting | None:
    """The audit entries that wait for their seal; None when the database cannot say."""
    try:
        async with asyncio.timeout(CHECK_SECONDS), state.reads.connect() as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None  # noqa: S101 - for the type checker: the connection is open
            return await waiting_rows(driver, await last_seal(driver))
    except STORE_TROUBLE:
        return None


def _waited(waiting: Waiting, now: datetime) -> float:
    return 0.0 if waiting.oldest is None else max(0.0, (now - waiting.oldest).total_seconds())


def _answer(body: dict[str, Any], *, is_well: bool) -> Response:
    headers = {"cache-control": "no-store", **({} if is_well else {"retry-after": "2"})}
    return Response(encode(body), 200 if is_well else 503, headers, "application/json")


async def livez(_request: Request) -> Response:
    """The process answers."""
    return _answer({"status": "ok"}, is_well=True)


async def readyz(request: Request) -> Response:
    """Whether to send it work, with the state of each dependency."""
    checks = await check_all(request.app.state.tocsin)
    is_ready = all(check.is_well for check in checks if check.is_needed)
    return _answer({"status": _status(checks), "checks": _by_name(checks)}, is_well=is_ready)


async def healthz(request: Request) -> Response:
    """Everything the process knows of itself; 503 like readyz."""
    state: AppState = request.app.state.tocsin
    checks, lags, live, troubled = await asyncio.gather(
        check_all(state), relay_lags(state), live_lags(state), troubled_providers(state)
    )
    body = {
        "status": _status(checks),
        "version": VERSION,
        "uptimeSeconds": round(time.monotonic() - state.began, 1),
        "checks": _by_name(checks),
        "ingest": {"waitingSignals": getattr(state.ingest, "depth", 0)},
        "relay": {"lagSeconds": {lag.consumer: round(lag.seconds, 3) for lag in lags}},
        "live": {"lagSeconds": {stage: round(seconds, 3) for stage, seconds in live.items()}},
        # By kind alone: `/healthz` asks nobody who they are.
        "providers": {"away": sorted({circuit.kind for circuit in troubled})},
        "subscriptions": int(state.metrics.subscriptions._value.get()),  # noqa: SLF001 - the client has no reader
    }
    return _answer(body, is_well=all(check.is_well for check in checks if check.is_needed))


async def metrics(request: Request) -> Response:
    """The Prometheus text format."""
    state: AppState = request.app.state.tocsin
    lags, live, waiting = await asyncio.gather(relay_lags(state), live_lags(state), unsealed(state))
    families = [
        gauge(
            "tocsin_relay_lag_seconds",
            "How long the oldest event has waited that a consumer has not read.",
            "consumer",
            {lag.consumer: lag.seconds for lag in lags},
        ),
        gauge(
            "tocsin_relay_lag_events",
            f"Events a consumer has not read; counted up to {MAX_COUNTED_LAG}.",
            "consumer",
            {lag.consumer: float(lag.events) for lag in lags},
        ),
    ]
    families.append(
        gauge(
            "tocsin_live_lag_seconds",
            "How long the oldest event has waited that this process has not read (hub), or told its followers of.",
            "stage",
            live,
        )
    )
    if waiting is not None:
        families += [
            GaugeMetricFamily(
                "tocsin_audit_unsealed_entries",
                "Entries of the audit log that no seal covers yet; counted up to 100,000.",
                value=waiting.rows,
            ),
            GaugeMetricFamily(
                "tocsin_audit_unsealed_seconds",
                "How long the oldest of them has waited for its seal.",
                value=_waited(waiting, state.clock.now()),
            ),
        ]
    return Response(state.metrics.render(*families), media_type="text/plain; version=0.0.4; charset=utf-8")


def _status(checks: list[Check]) -> str:
    if all(check.is_well for check in checks):
        return "ok"
    return "degraded" if all(check.is_well for check in checks if check.is_needed) else "unavailable"


def _by_name(checks: list[Check]) -> dict[str, Any]:
    return {check.name: check.as_json() for check in checks}
