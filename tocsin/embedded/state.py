"""What is remembered between two starts? Ports and passwords of the embedded servers, in a file only we can read."""

import json
import os
import secrets
import socket
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from tocsin.errors import StartError

FILE = "embedded.json"
DATABASE = "tocsin"
OWNER = "tocsin_owner"
APPLICATION = "tocsin_app"


def _password() -> str:
    return secrets.token_hex(24)


@dataclass(frozen=True, slots=True)
class EmbeddedState:
    """Ports and passwords; a new one has fresh passwords and no ports yet."""

    postgresql_port: int = 0
    valkey_port: int = 0
    superuser_password: str = field(default_factory=_password, repr=False)
    owner_password: str = field(default_factory=_password, repr=False)
    application_password: str = field(default_factory=_password, repr=False)
    valkey_password: str = field(default_factory=_password, repr=False)

    @property
    def owner_url(self) -> str:
        """The database as the role that migrates."""
        return f"postgresql://{OWNER}:{self.owner_password}@127.0.0.1:{self.postgresql_port}/{DATABASE}"

    @property
    def application_url(self) -> str:
        """The database as the application's lesser role."""
        return f"postgresql://{APPLICATION}:{self.application_password}@127.0.0.1:{self.postgresql_port}/{DATABASE}"

    @property
    def valkey_url(self) -> str:
        """The Valkey."""
        return f"redis://:{self.valkey_password}@127.0.0.1:{self.valkey_port}/0"

    def with_free_ports(self) -> "EmbeddedState":
        """The same ports as last time where they are still free, others where they are not."""
        postgresql_port = free_port(self.postgresql_port)
        valkey_port = free_port(self.valkey_port, avoid=postgresql_port)
        return replace(self, postgresql_port=postgresql_port, valkey_port=valkey_port)


def load(data_dir: Path) -> EmbeddedState | None:
    """What was remembered; None in a new data directory."""
    path = data_dir / FILE
    try:
        return EmbeddedState(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StartError(f"{path} cannot be read ({error.strerror}): the data folder belongs to another user") from None
    except (ValueError, TypeError):
        raise StartError(f"{path} is damaged: restore it from a backup, it holds the database's passwords") from None


def save(data_dir: Path, state: EmbeddedState) -> None:
    """Remember `state`; the file is replaced whole, or not at all."""
    path = data_dir / FILE
    draft = path.with_name(f".{FILE}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(asdict(state), file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    if os.geteuid() == 0:  # started with sudo on another user's folder: the file stays theirs
        owner = data_dir.stat()
        os.chown(draft, owner.st_uid, owner.st_gid)
    draft.replace(path)


def free_port(preferred: int = 0, *, avoid: int = 0) -> int:
    """`preferred` if nobody listens there, else any free port of 127.0.0.1."""
    for candidate in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", candidate))
            except OSError:
                continue
            port: int = probe.getsockname()[1]
            if port != avoid:
                return port
    return free_port(avoid=avoid)
