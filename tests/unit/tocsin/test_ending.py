"""A role that was asked to stop is gone in the end, whatever hangs in it."""

import subprocess
import sys

HANGS = """
import threading
from tocsin import roles
roles.LAST_SECONDS = 0.1
# As a worker's loop whose thread nobody could stop: the interpreter waits for it for ever.
threading.Thread(target=threading.Event().wait, name="stuck").start()
roles.end_at_last()
"""
ENDS = """
from tocsin import roles
roles.end_at_last()
print("ended by itself")
"""


def test_a_process_that_hangs_is_ended_and_says_where_it_stood() -> None:
    ended = subprocess.run([sys.executable, "-c", HANGS], capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 1
    assert "Timeout" in ended.stderr
    assert "threading.py" in ended.stderr


def test_one_that_ends_by_itself_is_left_alone() -> None:
    ended = subprocess.run([sys.executable, "-c", ENDS], capture_output=True, text=True, timeout=120, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "ended by itself\n", "")
