"""How do several API processes share one port? Each is given the socket; the supervisor keeps them running."""

import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from tocsin.nursery import Nursery
from tocsin.processes import Process, spawn
from tocsin.settings import Settings
from tocsin.supervisor import StopAsked, StopSignals, Supervisor, Unit, on_stop_signals

ROOT = Path(__file__).resolve().parent.parent
STAGE_API = 2
STAGE_OTHER_ROLES = 1


def role_unit(
    name: str,
    arguments: list[str],
    environment: Mapping[str, str],
    *,
    nursery: Nursery,
    stage: int = STAGE_OTHER_ROLES,
    inherited: tuple[int, ...] = (),
) -> Unit:
    """A role of ours as a unit of the supervisor."""

    def start() -> Process:
        try:
            return nursery.bear(arguments, environment, descriptors={each: each for each in inherited})
        except OSError:  # a start by itself takes longer, and is as good
            command, whole = [sys.executable, "-m", "tocsin", *arguments], with_our_code(environment)
            return spawn(command, death_signal=signal.SIGTERM, environment=whole, pass_fds=inherited)

    return Unit(name, start, stage=stage)


def with_our_code(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment in which a program finds the code that we run, wherever we were started from."""
    path = os.pathsep.join([str(ROOT), *filter(None, [environment.get("PYTHONPATH")])])
    return {**environment, "PYTHONPATH": path}


def api_units(
    settings: Settings, listener: socket.socket, environment: Mapping[str, str], nursery: Nursery
) -> list[Unit]:
    """One unit for each API process."""
    descriptor = listener.fileno()
    return [
        role_unit(
            "API" if settings.api_workers == 1 else f"API {number}",
            ["serve", "--fd", str(descriptor)],
            environment,
            nursery=nursery,
            stage=STAGE_API,
            inherited=(descriptor,),
        )
        for number in range(1, settings.api_workers + 1)
    ]


def serve_with_workers(settings: Settings, listener: socket.socket, say: Callable[[str], None]) -> None:
    """Keep the configured number of API processes running until asked to stop."""
    signals = StopSignals()
    on_stop_signals(signals.handle)
    supervisor = Supervisor(say)
    environment = {
        **os.environ,
        "TOCSIN_HOST": settings.host,
        "TOCSIN_PORT": str(settings.port),
        "TOCSIN_API_WORKERS": "1",
    }
    nursery = Nursery(["serve"], with_our_code(environment))
    try:
        with suppress(OSError):  # then they are started one by one
            nursery.open()
        for unit in api_units(settings, listener, environment, nursery):
            supervisor.start(unit)
        signals.starting = False
        supervisor.watch(signals.stopping)
    except StopAsked:
        pass
    finally:
        signals.starting = False
        nursery.close()
        supervisor.stop_all()
