"""How is the program run as another user, when the interpreter or the packages lie where that user cannot reach?

A version manager keeps Python under root's home. Then another Python 3.11 that the user can run is taken, with the
packages of this environment; failing that, interpreter and packages are copied to where the user can read them.
"""

import atexit
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from functools import cache
from pathlib import Path

from tests.e2e.running_program import ROOT
from tocsin.accounts import Account

CANDIDATES = ("/usr/bin/python3.11", "/usr/local/bin/python3.11")


@cache
def python_for(account: Account) -> tuple[str, ...]:
    """The beginning of a command that runs this program's Python as `account`."""
    packages = Path(sysconfig.get_path("purelib"))
    for candidate in (sys.executable, *CANDIDATES):
        command = _command(candidate, packages)
        if _works(command, account):
            return command
    folder = Path(tempfile.mkdtemp(prefix="tocsin-python-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    folder.chmod(0o755)
    ignored = shutil.ignore_patterns("test", "tests", "site-packages")
    shutil.copytree(sys.base_prefix, folder / "python", symlinks=True, ignore=ignored)
    shutil.copytree(packages, folder / "packages", symlinks=True)
    subprocess.run(["/bin/chmod", "-R", "a+rX", str(folder)], check=True)
    command = _command(str(folder / "python" / "bin" / "python3.11"), folder / "packages")
    assert _works(command, account), f"no Python that {account.name} can run"
    return command


def _command(python: str, packages: Path) -> tuple[str, ...]:
    return ("/usr/bin/env", f"PYTHONPATH={ROOT}:{packages}", "PYTHONDONTWRITEBYTECODE=1", python)


def _works(command: tuple[str, ...], account: Account) -> bool:
    tried = subprocess.run(
        [*command, "-c", "import asyncpg, pydantic_core, tocsin.cli, sys; sys.exit(sys.version_info[:2] != (3, 11))"],
        check=False,
        cwd="/",
        env={"PATH": os.environ.get("PATH", "/usr/bin:/bin")},
        capture_output=True,
        **account.popen_arguments(),
    )
    return tried.returncode == 0
