"""Where does a Java for Elasticsearch come from? From this machine, else from Debian's package, into the test cache.

Debian 12 has Java 17 only, so there it is the next release's package, fetched by apt as in timescale.py (of its own
state, verified by its signature) and made loadable on the older glibc by glibc_bridge.py.
"""

import fcntl
import os
import platform
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

from tests.services import timescale
from tests.services.errors import UnavailableError
from tests.services.glibc_bridge import UnknownSymbolError, bridge

LEAST_MAJOR = 21
PACKAGE = "openjdk-21-jre-headless"
INSTALLED = Path("/usr/lib/jvm")
_VERSION = re.compile(r'version "(\d+)')


@cache
def java_home(folder: Path) -> Path:
    """The home of a Java that is new enough; made in `folder` when this machine has none."""
    named = [Path(os.environ[name]) for name in ("ES_JAVA_HOME", "JAVA_HOME") if name in os.environ]
    installed = sorted(INSTALLED.iterdir()) if INSTALLED.is_dir() else []
    for home in (*named, *installed):
        if _major(home) >= LEAST_MAJOR:
            return home
    return _from_debian(folder)


def _major(home: Path) -> int:
    """The version of a Java; 0 when it does not start."""
    try:
        done = subprocess.run(
            [str(home / "bin/java"), "-version"], check=False, capture_output=True, text=True, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    version = _VERSION.search(done.stderr)
    return int(version[1]) if version else 0


def _from_debian(folder: Path) -> Path:
    if platform.machine() != "x86_64":
        raise UnavailableError(f"Java {LEAST_MAJOR} for {platform.machine()}: install one, or set ES_JAVA_HOME")
    folder.mkdir(exist_ok=True)
    target = folder / PACKAGE
    with (folder / "java.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            _install(target)
    return target


def _install(target: Path) -> None:
    work = target.with_name(f"java.draft.{os.getpid()}")
    shutil.rmtree(work, ignore_errors=True)
    try:
        package = timescale.fetch(work, PACKAGE)
        unpacked = work / "unpacked"
        timescale.run(["dpkg", "-x", str(package), str(unpacked)])
        home = next((unpacked / "usr/lib/jvm").glob("java-*-openjdk-*"))
        _settle_links(home, unpacked)
        for file in (*home.rglob("*.so"), home / "lib/jspawnhelper"):
            bridge(file)
        if _major(home) < LEAST_MAJOR:
            raise UnavailableError("Java: Debian's package does not start on this machine")
        home.rename(target)
    except UnknownSymbolError as error:
        raise UnavailableError(f"Java cannot be loaded on this glibc: {error}") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _settle_links(home: Path, unpacked: Path) -> None:
    """The package links into /etc, where nothing was installed: put the files themselves there."""
    for link in [path for path in home.rglob("*") if path.is_symlink() and str(path.readlink()).startswith("/etc/")]:
        original = unpacked / str(link.readlink()).lstrip("/")
        link.unlink()
        if original.is_dir():
            shutil.copytree(original, link)
        elif original.exists():
            shutil.copy(original, link)
