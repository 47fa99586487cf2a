"""Where do the embedded servers keep their data? In the data directory, or, for root, where their user can reach.

No folder we did not make ever gets wider permissions: a data directory under /root stays closed, and the servers' data
goes to /var/lib/tocsin-<hash of its path> instead, with the path written in the file `servers.path`.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tocsin.accounts import Account, server_account
from tocsin.errors import StartError

POINTER = "servers.path"
LOCK = "running.lock"
ELSEWHERE = Path("/var/lib")
# For root: other users may pass through the data directory to their own folder in it, but not list it.
PASS_THROUGH = 0o711
PRIVATE = 0o700


@dataclass(frozen=True, slots=True)
class Folders:
    """The places of one data directory. `servers` is `data_dir` itself unless the servers' user cannot reach it."""

    data_dir: Path
    servers: Path
    account: Account

    @property
    def logs(self) -> Path:
        """Where the output of the servers goes."""
        return self.data_dir / "logs"

    @property
    def moved(self) -> bool:
        """Whether the servers' data is outside the data directory."""
        return self.servers != self.data_dir

    def private(self, name: str) -> Path:
        """The folder `name` of the servers' user, made if need be, closed to everybody else."""
        path = self.servers / name
        if not path.exists():
            path.mkdir(mode=PRIVATE)
            path.chmod(PRIVATE)
            self.account.own(path)
        return path


def prepare_data_dir(data_dir: Path) -> Path:
    """Make the data directory if need be and return its absolute path; StartError if we cannot write there."""
    path = data_dir.absolute()
    try:
        if not path.exists():
            path.mkdir(parents=True, mode=PRIVATE)
            if os.geteuid() == 0:
                path.chmod(PASS_THROUGH)
        probe = path / f".writable.{os.getpid()}"
        probe.touch(mode=0o600)
        probe.unlink()
    except OSError as error:
        raise StartError(
            f"the data folder {path} cannot be written ({error.strerror}): "
            "set TOCSIN_DATA_DIR to a folder of yours, or mend its permissions"
        ) from None
    return path


@contextmanager
def held(data_dir: Path) -> Iterator[None]:
    """Keep a second supervisor off this data directory; the lock ends with our process at the latest."""
    descriptor = _lock(data_dir)
    try:
        yield
    finally:
        os.close(descriptor)


def _lock(data_dir: Path) -> int:
    descriptor = os.open(data_dir / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, 32).decode().strip()
        os.close(descriptor)
        raise StartError(
            f"Tocsin already runs on the data folder {data_dir} (process {holder}): "
            "stop it first, or set TOCSIN_DATA_DIR to another folder"
        ) from None
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())
    return descriptor


def locate(data_dir: Path) -> Folders:
    """Find or choose the place of the servers' data. `data_dir` is absolute and exists."""
    pointer = data_dir / POINTER
    if pointer.exists():
        servers = Path(pointer.read_text().strip())
        return Folders(data_dir=data_dir, servers=servers, account=server_account(servers / "postgresql"))
    account = server_account(data_dir / "postgresql")
    if not account.is_other or _can_pass(account, data_dir):
        return Folders(data_dir=data_dir, servers=data_dir, account=account)
    if (data_dir / "postgresql").exists():
        raise StartError(
            f"the database in {data_dir / 'postgresql'} belongs to {account.name}, who cannot reach it any more: "
            "give back the permissions of the folders above it"
        )
    servers = ELSEWHERE / f"tocsin-{hashlib.sha256(str(data_dir).encode()).hexdigest()[:12]}"
    _make_elsewhere(servers, account)
    pointer.write_text(f"{servers}\n")
    return Folders(data_dir=data_dir, servers=servers, account=account)


def _can_pass(account: Account, folder: Path) -> bool:
    """Whether `account` can reach a folder of its own inside `folder`; `folder/.` needs the right to pass only."""
    probe = folder / f".reach.{os.getpid()}"
    probe.mkdir(mode=PRIVATE)
    try:
        account.own(probe)
        return account.can_use(probe)
    finally:
        probe.rmdir()


def _make_elsewhere(servers: Path, account: Account) -> None:
    try:
        if not servers.exists():
            servers.mkdir(mode=PRIVATE)
            servers.chmod(PASS_THROUGH)
        reachable = _can_pass(account, servers)
    except OSError as error:
        raise StartError(f"no place for the database: {servers} cannot be made ({error.strerror})") from None
    if not reachable:
        raise StartError(
            f"no place for the database: {account.name} can reach neither the data folder nor {servers}; "
            "set TOCSIN_DATA_DIR to a folder other users can reach"
        )
