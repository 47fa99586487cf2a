"""Does a child end with its parent, however the parent ends, also when it runs as another user?"""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tocsin.accounts import server_account
from tocsin.processes import spawn

ROOT = Path(__file__).resolve().parent.parent.parent.parent
# A parent that starts a child as `tocsin up` starts PostgreSQL, says its number, and waits to be killed.
PARENT = """
import signal, sys, time
from pathlib import Path
from tocsin.accounts import server_account
from tocsin.processes import spawn
account = server_account(Path("/nonexistent")) if sys.argv[1] == "as-server" else None
child = spawn(["/bin/sleep", "600"], death_signal=signal.SIGINT, account=account)
print(child.pid, flush=True)
time.sleep(600)
"""


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.parametrize("user", ["as-server", "as-us"])
def test_a_killed_parent_leaves_no_child(user: str) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, user], stdout=subprocess.PIPE, cwd=ROOT)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    try:
        assert is_running(child)
        owner = Path(f"/proc/{child}").stat().st_uid
        assert owner == (server_account(Path("/nonexistent")).uid if user == "as-server" else os.geteuid())
        parent.kill()
        parent.wait()
        deadline = time.monotonic() + 60
        while is_running(child):
            assert time.monotonic() < deadline, "the child outlived its parent"
            time.sleep(0.02)
    finally:
        parent.kill()
        parent.stdout.close()


def test_the_servers_never_run_as_root() -> None:
    assert server_account(Path("/nonexistent")).uid != 0


def test_ctrl_c_reaches_the_supervisor_alone() -> None:
    child = spawn(["/bin/sleep", "600"], death_signal=signal.SIGKILL)
    try:
        assert os.getpgid(child.pid) == child.pid != os.getpgrp()
    finally:
        child.kill()
        child.wait()


def test_a_thread_that_would_end_before_its_child_may_not_start_one() -> None:
    errors: list[BaseException] = []

    def start() -> None:
        try:
            spawn(["/bin/true"])
        except RuntimeError as error:
            errors.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert "main thread" in str(errors[0])


def test_orphans_are_ours_for_as_long_as_we_adopt_them() -> None:
    code = """
import os, signal, subprocess
from tocsin.processes import adopting_orphans

def orphans_parent():
    command = ["/bin/sh", "-c", "sleep 600 >/dev/null 2>&1 & echo $!"]
    orphan = int(subprocess.run(command, capture_output=True, text=True).stdout)
    parent = open(f"/proc/{orphan}/stat").read().rsplit(")", 1)[1].split()[1]
    os.kill(orphan, signal.SIGKILL)
    return parent == str(os.getpid())

before = orphans_parent()
with adopting_orphans():
    meanwhile = orphans_parent()
print(before, meanwhile, orphans_parent())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "False True False\n"
