"""How hard is a password to guess? zxcvbn's estimate, in one thread of its own.

One, because zxcvbn keeps the words about a person in a table of the module: two at once would mix them up. It looks at
the first 72 characters: what is hard to guess there does not get easier, and its time grows with the square.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from zxcvbn import zxcvbn

from domain.identity.passwords import Strength

LOOKED_AT = 72
MAX_WORD = 100


class ZxcvbnJudge:
    """Implements domain.identity.passwords.PasswordJudge."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="zxcvbn")

    async def judge(self, password: str, *, about: Sequence[str]) -> Strength:
        """How hard it is to guess for somebody who knows the words of `about`."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, judged, password, tuple(about))

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def judged(password: str, about: Sequence[str]) -> Strength:
    """The estimate, here and now."""
    found = zxcvbn(password[:LOOKED_AT], user_inputs=[word[:MAX_WORD] for word in about])
    feedback = found["feedback"]
    return Strength(int(found["score"]), feedback["warning"] or "", tuple(feedback["suggestions"]))
