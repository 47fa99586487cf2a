"""As whom do the embedded servers run? As us, except that root runs them as another user: PostgreSQL refuses root."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from tocsin.errors import StartError

UNPRIVILEGED = "nobody"


class PopenArguments(TypedDict, total=False):
    """What subprocess needs to start a program as another user."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Account:
    """A user of this machine."""

    name: str
    uid: int
    gid: int

    @property
    def is_other(self) -> bool:
        """Whether it is not the user we run as."""
        return self.uid != os.geteuid()

    def popen_arguments(self) -> PopenArguments:
        """Arguments of subprocess.Popen that start a program as this user."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.is_other else {}

    def can_use(self, path: Path) -> bool:
        """Whether this user can reach, read and enter (or execute) `path`. Asked of the kernel, not computed."""
        if not self.is_other:
            return os.access(path, os.R_OK | os.X_OK)
        answer = subprocess.run(
            ["/bin/sh", "-c", 'test -r "$1" && test -x "$1"', "sh", str(path)],
            check=False,
            cwd="/",
            env={},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **self.popen_arguments(),
        )
        return answer.returncode == 0

    def own(self, target: Path | int) -> None:
        """Give the path or the open file to this user. Never through a link, which that user might have put there."""
        if not self.is_other:
            return
        if isinstance(target, int):
            os.fchown(target, self.uid, self.gid)
        else:
            os.chown(target, self.uid, self.gid, follow_symlinks=False)

    def write_private(self, path: Path, text: str) -> None:
        """Make the file anew, owned by this user and closed to all others."""
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            self.own(file.fileno())
            file.write(text)


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)


def server_account(existing_data: Path) -> Account:
    """The user the servers run as; for root the owner of `existing_data`, or `nobody` where there is none yet."""
    uid = os.geteuid()
    if uid == 0 and existing_data.exists():
        uid = existing_data.stat().st_uid
    try:
        return _account(pwd.getpwuid(uid) if uid != 0 else pwd.getpwnam(UNPRIVILEGED))
    except KeyError:
        raise StartError(
            f"the embedded PostgreSQL needs a user with a name, and uid {uid} has none in /etc/passwd: "
            "run as another user, or give TOCSIN_DATABASE_URL"
        ) from None
