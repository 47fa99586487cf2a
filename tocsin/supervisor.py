"""Who keeps the processes of one machine running? This: it starts them, starts again what dies, and stops all in order.

One thread, one loop: children are bound to the thread that starts them (processes.py). What a unit prints goes where
ours goes; a restart is one visible line.
"""

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tocsin.errors import StartError
from tocsin.processes import Process, exit_reason

LOOK_SECONDS = 0.2
FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 30.0
# After this long without a death the next one is again answered at once.
HEALTHY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class StopStep:
    """Send `signal`, wait up to `seconds`."""

    signal: signal.Signals
    seconds: float


# A role drains: the API answers what it has accepted, the worker ends its job.
ROLE_STOP_STEPS = (StopStep(signal.SIGTERM, 12), StopStep(signal.SIGKILL, 5))


@dataclass(frozen=True, slots=True)
class Unit:
    """Something to keep running. `spawn` starts it anew; `stage` orders the stop: the highest goes first."""

    name: str
    spawn: Callable[[], Process]
    stop_steps: Sequence[StopStep] = ROLE_STOP_STEPS
    stage: int = 0


@dataclass(slots=True)
class _Running:
    unit: Unit
    process: Process
    started: float
    delay: float = FIRST_DELAY_SECONDS
    start_again_at: float | None = None


@dataclass(slots=True)
class Supervisor:
    """The running units. `say` takes one line for a person."""

    say: Callable[[str], None]
    _running: list[_Running] = field(default_factory=list)

    def start(self, unit: Unit) -> Process:
        """Start a unit and keep it; returns before it is ready."""
        process = unit.spawn()
        self._running.append(_Running(unit=unit, process=process, started=time.monotonic()))
        return process

    @property
    def is_running(self) -> bool:
        """Whether there is anything to stop."""
        return bool(self._running)

    def watch(self, stopping: threading.Event) -> None:
        """Restart what dies until `stopping` is set."""
        while not stopping.is_set():
            self.look()
            stopping.wait(LOOK_SECONDS)

    def look(self) -> None:
        """One look at every unit: note who died, start again whose delay is over."""
        now = time.monotonic()
        for running in self._running:
            if running.start_again_at is not None:
                if now >= running.start_again_at:
                    self._start_again(running)
            elif (code := running.process.poll()) is not None:
                if now - running.started > HEALTHY_SECONDS:
                    running.delay = FIRST_DELAY_SECONDS
                self._put_off(running, f"ended ({exit_reason(code)})")

    def _put_off(self, running: _Running, what: str) -> None:
        self.say(f"{running.unit.name} {what}; starting it again in {running.delay:g} s")
        running.start_again_at = time.monotonic() + running.delay
        running.delay = min(running.delay * 2, LONGEST_DELAY_SECONDS)

    def _start_again(self, running: _Running) -> None:
        running.start_again_at = None
        running.started = time.monotonic()
        try:
            running.process = running.unit.spawn()
        except (StartError, OSError) as error:  # one that cannot start now must not take the others down
            self._put_off(running, f"cannot be started ({error})")

    def stop_all(self) -> None:
        """Stop every unit, stage by stage; units of one stage together."""
        for stage in sorted({running.unit.stage for running in self._running}, reverse=True):
            members = [running for running in self._running if running.unit.stage == stage]
            _stop_together(members)
        self._running.clear()


class StopAsked(BaseException):
    """A signal came while starting: unwind, stopping what runs. Not an Exception, so that no handler swallows it."""


@dataclass(slots=True)
class StopSignals:
    """SIGINT, SIGTERM and SIGHUP: during the start they end it at once, later they end the watch."""

    stopping: threading.Event = field(default_factory=threading.Event)
    starting: bool = True

    def handle(self, *_: object) -> None:
        """Take one."""
        self.stopping.set()
        if self.starting:
            self.starting = False  # a second signal does not interrupt the stop
            raise StopAsked


def on_stop_signals(handler: Callable[..., object]) -> None:
    """Call `handler` for Ctrl-C, SIGTERM and a closed terminal; a signal our starter had us ignore (nohup) stays so."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def stop(process: Process, steps: Sequence[StopStep]) -> None:
    """End one process, more firmly with each step."""
    for step in steps:
        if process.poll() is not None:
            return
        process.send_signal(step.signal)
        try:
            process.wait(step.seconds)
        except subprocess.TimeoutExpired:
            continue
        return


def _stop_together(members: Sequence[_Running]) -> None:
    """Send everyone the first signal, then see each through its steps."""
    for running in members:
        if running.process.poll() is None:
            running.process.send_signal(running.unit.stop_steps[0].signal)
    for running in members:
        first, *firmer = running.unit.stop_steps
        try:
            running.process.wait(first.seconds)
        except subprocess.TimeoutExpired:
            stop(running.process, firmer)
