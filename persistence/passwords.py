"""How is a password kept and checked? argon2id, in threads of its own so that the event loop never waits for it.

Few threads, because each hash takes 64 MiB: a flood of sign-ins waits in line instead of taking the machine down.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher as Argon2
from argon2.exceptions import InvalidHashError, VerificationError

THREADS = 2


class Argon2Hasher:
    """Implements domain.identity.ports.PasswordHasher."""

    def __init__(self) -> None:
        self._argon2 = Argon2()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="argon2")
        # Checked in place of the hash of a person who is not there: the answer takes as long.
        self._nobody = self._argon2.hash("no password is this one")

    async def hash(self, password: str) -> str:
        """The hash to store."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._argon2.hash, password)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is right. None takes as long as a real hash and is never right."""
        loop = asyncio.get_running_loop()
        is_right = await loop.run_in_executor(self._threads, self._verify, password_hash or self._nobody, password)
        return is_right and password_hash is not None

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._argon2.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    def is_outdated(self, password_hash: str) -> bool:
        """Whether the hash was made with weaker parameters than today's."""
        return self._argon2.check_needs_rehash(password_hash)

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)
