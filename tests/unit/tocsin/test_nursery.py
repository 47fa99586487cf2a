"""Is who the nursery bears a child of ours like one that is started: its end, signals, what it is given, its name?"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.running_program import is_running
from tests.services.environment import inherited
from tocsin.api_processes import role_unit, with_our_code
from tocsin.nursery import Nursery
from tocsin.processes import Forked, reap_strays

ROOT = Path(__file__).resolve().parents[3]
# What those run who are born here, instead of the program: they say what they are, and stay, or end as they are told.
STAYS = """
import json, os, signal, sys, time
import tocsin.cli

def main():
    places = [f"/proc/self/fd/{number}" for number in range(64)]
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
            return os.pread(output.fileno(), 100_000, 0)

        wait_for(lambda: said().endswith(b"\n"))
        return born, json.loads(said())


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
    plain = role_unit("version", ["version"], environment, nursery=nursery).spawn()
    assert isinstance(plain, subprocess.Popen)
    assert plain.wait(60) == 0
    born, _ = bear(nursery, "3")
    assert born.wait(60) == 3


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


def test_orphans_are_let_go_and_those_that_are_asked_for_are_not() -> None:
    code = """
import os, subprocess, time
from tocsin.processes import adopt_orphans, reap_strays
adopt_orphans()
kept = subprocess.Popen(["/bin/sh", "-c", "exit 3"])
orphan = subprocess.run(["/bin/sh", "-c", "sleep 0.2 & echo $!"], capture_output=True, text=True).stdout.strip()
path = f"/proc/{orphan}/stat"
while open(path).read().rsplit(")", 1)[1].split()[0] != "Z":
    time.sleep(0.02)
assert open(path).read().rsplit(")", 1)[1].split()[1] == str(os.getpid())
assert kept.wait() == 3
reap_strays({kept.pid})
print(os.path.exists(path))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "False\n"
    reap_strays({os.getpid()})  # none is no fault
