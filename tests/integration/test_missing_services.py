"""Is a service that this machine cannot run skipped by its name, and is such a skip a failure in CI?"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SERVICES = ("TOCSIN_TEST_TIMESCALE_URL", "TOCSIN_TEST_DATABASE_URL", "TOCSIN_TEST_REDIS_URL")
OPTIONS = ("-p", "tests.conftest", "-p", "no:cacheprovider", "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT))
TESTS = """
def test_that_needs_it(timescale_url):
    raise AssertionError("never reached")

def test_that_does_not():
    assert True
"""


@pytest.mark.parametrize(("workers", "ci", "code"), [("0", "", 0), ("0", "true", 1), ("1", "true", 1)])
def test_a_missing_service_is_named_and_in_ci_a_failure(tmp_path: Path, workers: str, ci: str, code: int) -> None:
    (tmp_path / "test_sample.py").write_text(TESTS)
    missing = dict.fromkeys(SERVICES, "unavailable:TimescaleDB: no build for this machine")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *OPTIONS, "-n", workers, str(tmp_path)],
        cwd=ROOT,
        env={**inherited, **missing, "CI": ci, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    named = [line for line in lines if "test_that_needs_it: " in line]
    assert len(named) == 1
    assert named[0].endswith("TOCSIN_TEST_TIMESCALE_URL: TimescaleDB: no build for this machine")
    assert ("CI is set: a skipped test fails the run" in lines) == bool(ci)
    assert "1 passed, 1 skipped" in lines[-1], "the last line is pytest's own"
