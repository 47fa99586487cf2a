"""Does the supervisor restart what dies, ever more slowly, and stop in order, ever more firmly?"""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tocsin.errors import StartError
from tocsin.processes import exit_reason, spawn
from tocsin.supervisor import StopStep, Supervisor, Unit

ROOT = Path(__file__).resolve().parent.parent.parent.parent
SLEEPS = "import time; time.sleep(60)"
IGNORES_TERM = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
)


def python(code: str) -> subprocess.Popen[bytes]:
    return spawn([sys.executable, "-S", "-c", code], death_signal=signal.SIGKILL)


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_dies_is_started_again_and_said() -> None:
    said: list[str] = []
    supervisor = Supervisor(said.append)
    started: list[subprocess.Popen[bytes]] = []

    def spawn_one() -> subprocess.Popen[bytes]:
        started.append(python(SLEEPS))
        return started[-1]

    supervisor.start(Unit("relay", spawn_one))
    try:
        started[0].kill()
        started[0].wait()
        supervisor.look()
        assert said == ["relay ended (signal SIGKILL); starting it again in 0.5 s"]
        supervisor.look()
        assert len(started) == 1, "not before its delay is over"
        deadline = time.monotonic() + 60
        while len(started) < 2 and time.monotonic() < deadline:
            supervisor.look()
            time.sleep(0.02)
        assert started[1].poll() is None
    finally:
        supervisor.stop_all()
    assert started[1].poll() is not None


def test_what_dies_again_and_again_is_started_ever_more_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("tocsin.supervisor.time.monotonic", lambda: now)
    said: list[str] = []
    supervisor = Supervisor(said.append)

    def spawn_dying() -> subprocess.Popen[bytes]:
        process = python("raise SystemExit(3)")
        process.wait()
        return process

    supervisor.start(Unit("worker", spawn_dying))
    for _ in range(9):
        supervisor.look()  # sees the death
        now += 30.0  # the longest delay, and less than what counts as healthy
        supervisor.look()  # starts it again
    delays = [float(line.rsplit(" in ", 1)[1].removesuffix(" s")) for line in said]
    assert delays == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    assert said[0].startswith("worker ended (exit code 3)")
    now += 61  # it lived for a while this time
    supervisor.look()
    assert said[-1].endswith("in 0.5 s")


def test_one_that_cannot_be_started_again_does_not_take_the_others_down(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("tocsin.supervisor.time.monotonic", lambda: now)
    said: list[str] = []
    starts = [python("raise SystemExit(1)")]

    def spawn_once() -> subprocess.Popen[bytes]:
        if not starts:
            raise StartError("the old one still runs")
        return starts.pop()

    supervisor = Supervisor(said.append)
    supervisor.start(Unit("Valkey", spawn_once)).wait()
    supervisor.look()
    now += 1
    supervisor.look()
    assert said[1:] == ["Valkey cannot be started (the old one still runs); starting it again in 1 s"]
    starts.append(python(SLEEPS))
    now += 1
    supervisor.look()
    supervisor.look()
    assert len(said) == 2
    supervisor.stop_all()


def test_a_signal_that_nohup_ignores_stays_ignored() -> None:
    code = (
        "import signal, sys\n"
        "from tocsin.supervisor import on_stop_signals\n"
        "on_stop_signals(lambda *_: None)\n"
        "print([signal.getsignal(s) is signal.SIG_IGN for s in (signal.SIGHUP, signal.SIGTERM)])"
    )
    command = ["/usr/bin/nohup", sys.executable, "-c", code]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, stdin=subprocess.DEVNULL)
    assert ran.stdout == "[True, False]\n"


def test_stages_stop_from_the_highest_down(tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = (
        "import signal, sys, time\n"
        "def stop(*_):\n"
        "    time.sleep(0.1)\n"
        f"    open({str(log)!r}, 'a').write(sys.argv[1] + '\\n')\n"
        "    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, stop)\n"
        f"open({str(tmp_path)!r} + '/ready-' + sys.argv[1], 'w').close()\n"
        "time.sleep(60)\n"
    )

    def unit(name: str, stage: int) -> Unit:
        return Unit(
            name, lambda: spawn([sys.executable, "-S", "-c", code, name], death_signal=signal.SIGKILL), stage=stage
        )

    supervisor = Supervisor(print)
    for name, stage in (("database", -2), ("api", 2), ("relay", 1)):
        supervisor.start(unit(name, stage))
    wait_for(lambda: len(list(tmp_path.glob("ready-*"))) == 3)
    supervisor.stop_all()
    assert log.read_text().split() == ["api", "relay", "database"]
    assert not supervisor.is_running


def test_what_does_not_stop_is_killed() -> None:
    process = spawn([sys.executable, "-S", "-c", SLEEPS], death_signal=signal.SIGKILL)
    stubborn = subprocess.Popen([sys.executable, "-S", "-c", IGNORES_TERM], stdout=subprocess.PIPE)
    assert stubborn.stdout is not None
    stubborn.stdout.readline()
    steps = (StopStep(signal.SIGTERM, 0.2), StopStep(signal.SIGKILL, 5))
    supervisor = Supervisor(print)
    supervisor.start(Unit("obedient", lambda: process, stop_steps=steps))
    supervisor.start(Unit("stubborn", lambda: stubborn, stop_steps=steps))
    supervisor.stop_all()
    stubborn.stdout.close()
    assert process.returncode == -signal.SIGTERM
    assert stubborn.returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("code", "words"), [(0, "exit code 0"), (3, "exit code 3"), (-9, "signal SIGKILL"), (-99, "signal 99")]
)
def test_an_end_is_named(code: int, words: str) -> None:
    assert exit_reason(code) == words
