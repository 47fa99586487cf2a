"""Is who the nursery bears a child of ours like one that is started: its end, signals, what it is given, its name?"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.running_program import is_running
from tests.services.environment import inherited
from tocsin.api_processes import role_unit, with_our_code
from tocsin.nursery import BIRTH_SECONDS, Nursery, _asked
from tocsin.processes import Forked

ROOT = Path(__file__).resolve().parents[3]
# What those run who are born here, instead of the program: they say what they are, and stay, or end as they are told.
STAYS = """
import json, os, signal, sys, time
import tocsin.cli

def main():
    places = [f"/proc/self/fd/{number}" for number in range(128)]
    print(json.dumps({
        "arguments": sys.argv, "environment": dict(os.environ), "parent": os.getppid(), "group": os.getpgrp(),
        "threads": len(os.listdir("/proc/self/task")), "files": [place for place in places if os.path.exists(place)],
    }), flush=True)
    if sys.argv[1:] != ["stays"]:
        sys.exit(int(sys.argv[1]))
    time.sleep(600)

tocsin.cli.main = main
"""
# Loads nothing but that, and bears one; says its number, and waits to be killed.
SUPERVISOR = """
import os, time
from tocsin.nursery import Nursery
nursery = Nursery(("stays",), os.environ)
nursery.open()
born = nursery.bear(["stays"], os.environ, descriptors={1: os.open(os.devnull, os.O_WRONLY)})
print(born.pid, nursery.pid, flush=True)
time.sleep(600)
"""
# Bears one that ends, and says how.
ENDS = """
import os
from tocsin.nursery import Nursery
nursery = Nursery(("stays",), os.environ)
nursery.open()
print(nursery.bear(["7"], os.environ, descriptors={1: os.open(os.devnull, os.O_WRONLY)}).wait(60), flush=True)
"""
WORKERS = """
import socket
from tocsin.api_processes import serve_with_workers
from tocsin.settings import Settings
import tocsin.nursery
bear = tocsin.nursery.Nursery.bear
def told(*arguments, **more):
    print("begins", flush=True)
    return bear(*arguments, **more)
tocsin.nursery.Nursery.bear = told
with socket.create_server(("127.0.0.1", 0)) as listener:
    serve_with_workers(Settings(api_workers=2), listener, print)
"""
LOADED = """
import importlib, os
from tocsin.nursery import _EVERY, _MODULES
for module in (*_EVERY, *(module for modules in _MODULES.values() for module in modules)):
    importlib.import_module(module)
print(len(os.listdir("/proc/self/task")))
"""
IDS = """
import os
from domain.ids import new_id
new_id()
for _ in range(2):
    if os.fork() == 0:
        print(new_id().hex[-16:], flush=True)
        os._exit(0)
    os.wait()
print(new_id().hex[-16:], flush=True)
"""


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "stays.py").write_text(STAYS)
    return with_our_code({**inherited(), "PYTHONPATH": str(tmp_path), "ONLY": "the nursery's"})


@pytest.fixture
def nursery(environment: dict[str, str]) -> Iterator[Nursery]:
    nursery = Nursery(("stays",), environment)
    nursery.open()
    yield nursery
    nursery.close()


def bear(nursery: Nursery, *arguments: str, **more: str) -> tuple[Forked, dict[str, Any]]:
    """Who is born, and what it says of itself."""
    with tempfile.TemporaryFile() as output:
        born = nursery.bear(arguments, more, death_signal=signal.SIGKILL, descriptors={1: output.fileno(), 40: 0})

        def said() -> bytes:
            return os.pread(output.fileno(), 10_000_000, 0)

        wait_for(lambda: said().endswith(b"\n"))
        return born, json.loads(said())


def eventually_born(nursery: Nursery, *arguments: str) -> Forked:
    """Who is born as soon as a new nursery has loaded."""
    found = []

    def is_born() -> bool:
        with suppress(BlockingIOError):
            found.append(nursery.bear(arguments, {}))
        return bool(found)

    wait_for(is_born)
    return found[0]


def test_it_has_what_it_was_given_and_no_more(nursery: Nursery) -> None:
    born, said = bear(nursery, "stays", TOCSIN_PORT="1")
    try:
        assert said["arguments"] == ["tocsin", "stays"]
        assert said["environment"] == {"TOCSIN_PORT": "1"}
        assert (said["parent"], said["group"], said["threads"]) == (os.getpid(), born.pid, 1)
        held = [int(place.rsplit("/", 1)[1]) for place in said["files"]]
        assert held == [0, 1, 2, 40], "neither the nursery's nor what came by the way"
        shown = Path(f"/proc/{born.pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
        assert shown == f"{sys.executable} -m tocsin stays"
        short = [Path(f"/proc/{number}/comm").read_text() for number in (born.pid, nursery.pid)]
        assert short[0] == short[1], "what `top` shows"
    finally:
        born.kill()
        born.wait()


def test_its_end_is_told_as_of_one_that_was_started(nursery: Nursery) -> None:
    born, _ = bear(nursery, "7")
    assert (born.wait(60), born.poll(), born.wait()) == (7, 7, 7)
    born, _ = bear(nursery, "stays")
    assert born.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        born.wait(0.05)
    born.terminate()
    assert born.wait(60) == -signal.SIGTERM
    born.send_signal(signal.SIGKILL)  # to nobody


def test_a_killed_supervisor_leaves_neither_the_born_nor_the_nursery(environment: dict[str, str]) -> None:
    parent = subprocess.Popen([sys.executable, "-c", SUPERVISOR], stdout=subprocess.PIPE, env=environment, cwd=ROOT)
    assert parent.stdout is not None
    with parent.stdout as output:
        numbers = [int(number) for number in output.readline().split()]
    try:
        assert [is_running(number) for number in numbers] == [True, True]
        parent.kill()
        parent.wait()
        wait_for(lambda: not any(is_running(number) for number in numbers))
    finally:
        parent.kill()


def test_a_nursery_that_is_gone_is_made_anew_and_meanwhile_a_role_is_started(
    nursery: Nursery, environment: dict[str, str]
) -> None:
    assert nursery.pid is not None
    os.kill(nursery.pid, signal.SIGKILL)
    unit = role_unit("version", ["version"], environment, nursery=nursery)
    for _ in range(2):  # the second while the new one still loads: nobody waits for that
        plain = unit.spawn()
        assert isinstance(plain, subprocess.Popen)
        assert plain.wait(60) == 0
        assert plain.pid != nursery.pid
    born = eventually_born(nursery, "3")
    assert born.wait(60) == 3


def test_one_that_hangs_is_made_anew(nursery: Nursery, monkeypatch: pytest.MonkeyPatch) -> None:
    bear(nursery, "0")[0].wait()
    hanging = nursery.pid
    assert hanging is not None
    os.kill(hanging, signal.SIGSTOP)
    monkeypatch.setattr("tocsin.nursery.BIRTH_SECONDS", 0.2)
    with pytest.raises(TimeoutError):
        nursery.bear(["stays"], {})
    assert not is_running(hanging)
    monkeypatch.undo()
    assert eventually_born(nursery, "3").wait(60) == 3


def test_who_cannot_be_born_is_known_at_once_and_the_nursery_stays(nursery: Nursery) -> None:
    bear(nursery, "0")[0].wait()
    before, began = nursery.pid, time.monotonic()
    with pytest.raises(OSError, match="not born"):
        nursery.bear(["stays"], {}, descriptors={1 << 30: 0})
    assert time.monotonic() - began < BIRTH_SECONDS / 2
    assert bear(nursery, "3")[0].wait(60) == 3
    assert nursery.pid == before


def test_an_environment_may_be_large_and_hold_any_bytes(nursery: Nursery) -> None:
    more = {f"NUMBER_{number}": "x" * 100_000 for number in range(12)} | {"BYTES": "\udcff\udc80 ü"}
    born, said = bear(nursery, "0", **more)
    assert born.wait(60) == 0
    assert said["environment"] == more


def test_places_among_many_open_files_close_none_of_each_other(nursery: Nursery) -> None:
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as other:
        places = {100 + number: other.fileno() for number in range(5)}
        born = nursery.bear(["0"], {}, descriptors={1: output.fileno(), **places})
        assert born.wait(60) == 0
        said = json.loads(os.pread(output.fileno(), 100_000, 0))
    assert said["files"] == [f"/proc/self/fd/{number}" for number in (0, 1, 2, *places)]


def test_a_stop_amid_a_birth_leaves_nobody() -> None:
    class Stopped(socket.socket):
        def shutdown(self, how: int, /) -> None:
            super().shutdown(how)
            if how == socket.SHUT_WR:
                raise KeyboardInterrupt

    ours, theirs = socket.socketpair()
    with theirs, Stopped(fileno=ours.detach()) as line, subprocess.Popen(["/bin/sleep", "600"]) as born:
        theirs.send(str(born.pid).encode())
        with pytest.raises(KeyboardInterrupt):
            _asked(line, b"{}")
        assert not is_running(born.pid)
        with pytest.raises(BrokenPipeError):
            theirs.send(b"1")


def test_a_stop_is_heard_while_the_workers_nursery_loads(tmp_path: Path) -> None:
    (tmp_path / "setproctitle.py").write_text("import time\ntime.sleep(600)\n")
    environment = with_our_code({**inherited(), "PYTHONPATH": str(tmp_path)})
    begun = [sys.executable, "-c", WORKERS]
    with subprocess.Popen(begun, env=environment, cwd=ROOT, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"begins\n"
        time.sleep(0.3)
        parent.terminate()
        assert parent.wait(30) == 0


def test_a_starter_that_has_ends_ignored_hides_none(environment: dict[str, str]) -> None:
    code = "import signal\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\n" + ENDS
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment, cwd=ROOT
    )
    assert done.stdout == "7\n", done.stderr


def test_an_end_is_waited_for_where_the_kernel_does_not_tell(nursery: Nursery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "pidfd_open")
    assert bear(nursery, "7")[0].wait(60) == 7


def test_one_that_cannot_load_keeps_no_role_from_being_started(environment: dict[str, str]) -> None:
    nursery = Nursery(("nothing_of_this_name",), environment)
    nursery.open()
    try:
        for _ in range(2):
            started = role_unit("version", ["version"], environment, nursery=nursery).spawn()
            assert started.wait(60) == 0
    finally:
        nursery.close()


def test_who_is_to_be_forked_has_one_thread_and_ids_of_its_own() -> None:
    def printed(code: str) -> list[str]:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
        return done.stdout.split()

    # A fork has the one thread that forks: locks that another held would never be let go.
    assert printed(LOADED) == ["1"]
    assert len(set(printed(IDS))) == 3
