"""What does `tocsin up` do, in which order? Everything on one machine, from an empty folder to a first alert.

A busy port, an unwritable folder and an unreachable database are found before anything slow. Whatever was started is
stopped again, in order, whether the start fails, Ctrl-C is pressed or SIGTERM comes; a SIGKILL of this process is
answered by the kernel (processes.py).
"""

import os
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass

from tocsin.api_processes import api_units, role_unit, with_our_code
from tocsin.console import Progress
from tocsin.embedded import folders, services
from tocsin.first_steps import prepare_first_steps, wait_for_api, welcome
from tocsin.listening import listen, with_actual_port
from tocsin.migrate import migrate, refuse_unusable
from tocsin.nursery import Nursery
from tocsin.processes import die_with_parent
from tocsin.settings import LogFormat, Settings
from tocsin.supervisor import StopAsked, StopSignals, Supervisor, on_stop_signals

# What only the parent needs: the children are given less.
PARENT_ONLY = ("TOCSIN_DATABASE_OWNER_URL", "TOCSIN_ADMIN_PASSWORD")
# Three roles on one machine cannot have one port.
NOT_HERE = ("TOCSIN_OPERATIONS_PORT",)
ROLES = ("serve", "relay", "worker", "scheduler")


def up(settings: Settings, *, stop_with_parent: bool) -> None:
    """Run everything until asked to stop."""
    parent = os.getppid()
    if stop_with_parent:
        die_with_parent(signal.SIGTERM)
        if os.getppid() != parent:
            return
    signals = StopSignals()
    on_stop_signals(signals.handle)
    progress = Progress()
    supervisor = Supervisor(progress.line)
    nursery = Nursery(ROLES, with_our_code(_own_environment()))
    data_dir = folders.prepare_data_dir(settings.data_dir)
    settings = settings.model_copy(update={"data_dir": data_dir})
    try:
        # Both are ours until the end: the folder, and the port that the API's processes inherit.
        with folders.held(data_dir), listen(settings) as listener:
            _start(settings, listener, _Start(supervisor, nursery, progress))
            signals.starting = False
            supervisor.watch(signals.stopping)
    except StopAsked:
        pass
    finally:
        signals.starting = False
        nursery.close()
        if supervisor.is_running:
            with progress.step("Stopping"):
                supervisor.stop_all()


@dataclass(frozen=True, slots=True)
class _Start:
    """Who keeps what runs, who bears the roles, and who is told of it."""

    supervisor: Supervisor
    nursery: Nursery
    progress: Progress


def _start(settings: Settings, listener: socket.socket, start: _Start) -> None:
    settings, progress = with_actual_port(settings, listener), start.progress
    refuse_unusable(settings)
    with suppress(OSError):  # then the roles are started one by one
        start.nursery.open()
    settings = services.start(settings, supervisor=start.supervisor, progress=progress)
    with progress.step("Migrating the database"):
        migrate(settings)
    _start_roles(settings, listener, start)
    # Last: the secrets it makes are shown once, and a start that fails before it has shown them would lose them.
    with progress.step("Preparing the first steps"):
        first_steps = prepare_first_steps(settings)
    sys.stdout.write(welcome(settings, first_steps))
    sys.stdout.flush()


def _start_roles(settings: Settings, listener: socket.socket, start: _Start) -> None:
    environment, supervisor, nursery = _environment(settings), start.supervisor, start.nursery
    with start.progress.step("Starting the API, relay, worker and scheduler"):
        api = [supervisor.start(unit) for unit in api_units(settings, listener, environment, nursery)]
        for role in ("relay", "worker"):
            supervisor.start(role_unit(role, [role], environment, nursery=nursery))
        owner = {"TOCSIN_DATABASE_OWNER_URL": settings.database_owner_url or ""}  # makes months, drops expired ones
        supervisor.start(role_unit("scheduler", ["scheduler"], {**environment, **owner}, nursery=nursery))
        wait_for_api(settings, api)


def _own_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in PARENT_ONLY + NOT_HERE}


def _environment(settings: Settings) -> dict[str, str]:
    """Our own environment with the addresses that were found, without what only this process needs."""
    environment = _own_environment() | {
        "TOCSIN_DATABASE_URL": settings.database_url or "",
        "TOCSIN_REDIS_URL": settings.redis_url or "",
        "TOCSIN_DATA_DIR": str(settings.data_dir),
        "TOCSIN_HOST": settings.host,
        "TOCSIN_PORT": str(settings.port),
        "TOCSIN_API_WORKERS": "1",
    }
    if "TOCSIN_LOG_FORMAT" not in environment and sys.stderr.isatty():
        environment["TOCSIN_LOG_FORMAT"] = LogFormat.CONSOLE.value
    return environment
