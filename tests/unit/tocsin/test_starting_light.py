"""What does a start not load, and an end not look at? Each would cost every process, and who waits for it."""

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from persistence.migrate import known_revisions, newest_revision

ROOT = Path(__file__).resolve().parents[3]


def test_the_revisions_are_those_that_alembic_reads() -> None:
    scripts = ScriptDirectory.from_config(Config(ROOT / "alembic.ini"))
    assert list(known_revisions()) == [script.revision for script in scripts.walk_revisions()][::-1]
    assert newest_revision() == scripts.get_current_head()


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("jobs.relay", {"alembic", "botocore", "graphql"}),
        ("jobs.worker", {"alembic", "botocore", "graphql"}),
        ("jobs.scheduler", {"alembic", "botocore", "graphql"}),
        ("tocsin.up", {"alembic", "botocore", "graphql"}),
    ],
    ids=["relay", "worker", "scheduler", "up"],
)
def test_a_role_loads_what_it_needs(module: str, heavy: set[str]) -> None:
    code = f"import sys, tocsin.cli, tocsin.roles, {module}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert not heavy & set(done.stdout.split())


def test_the_end_does_not_look_for_garbage() -> None:
    code = """
from tocsin.collector import end_without_looking

class Looked:
    def __del__(self):
        print("looked")

end_without_looking()
looked = Looked()
looked.itself = looked
del looked, Looked
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
