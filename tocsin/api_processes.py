"""How do several API processes share one port? Each is given the socket; the supervisor keeps them running."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from tocsin.processes import spawn
from tocsin.settings import Settings
from tocsin.supervisor import Supervisor, Unit, on_stop_signals

ROOT = Path(__file__).resolve().parent.parent
STAGE_API = 2
STAGE_OTHER_ROLES = 1


def role_unit(
    name: str,
    arguments: list[str],
    environment: Mapping[str, str],
    *,
    stage: int = STAGE_OTHER_ROLES,
    inherited: tuple[int, ...] = (),
) -> Unit:
    """A role of ours as a unit of the supervisor."""
    command = [sys.executable, "-m", "tocsin", *arguments]
    # Wherever we were started from, the child finds the same code.
    path = os.pathsep.join([str(ROOT), *filter(None, [environment.get("PYTHONPATH")])])
    whole = {**environment, "PYTHONPATH": path}
    return Unit(
        name,
        lambda: spawn(command, death_signal=signal.SIGTERM, environment=whole, pass_fds=inherited),
        stage=stage,
    )


def api_units(settings: Settings, listener: socket.socket, environment: Mapping[str, str]) -> list[Unit]:
    """One unit for each API process."""
    descriptor = listener.fileno()
    return [
        role_unit(
            "API" if settings.api_workers == 1 else f"API {number}",
            ["serve", "--fd", str(descriptor)],
            environment,
            stage=STAGE_API,
            inherited=(descriptor,),
        )
        for number in range(1, settings.api_workers + 1)
    ]


def serve_with_workers(settings: Settings, listener: socket.socket, say: Callable[[str], None]) -> None:
    """Keep the configured number of API processes running until asked to stop."""
    stopping = threading.Event()
    on_stop_signals(lambda *_: stopping.set())
    supervisor = Supervisor(say)
    environment = {
        **os.environ,
        "TOCSIN_HOST": settings.host,
        "TOCSIN_PORT": str(settings.port),
        "TOCSIN_API_WORKERS": "1",
    }
    try:
        for unit in api_units(settings, listener, environment):
            supervisor.start(unit)
        supervisor.watch(stopping)
    finally:
        supervisor.stop_all()
