"""How hard is a password to guess? zxcvbn's estimate, in one thread of its own.

One, because zxcvbn keeps the words about a person in a table of the module: two at once would mix them up.

Its time grows steeply with the length: 72 characters made for it take seconds. So it looks at a beginning first, and at
more only while that is not hard to guess; what follows makes a password no easier. Beyond 72 it never looks.
"""

import asyncio
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from zxcvbn import zxcvbn

from domain.identity.passwords import BEST_SCORE, Strength

LOOKED_AT = (24, 48, 72)
MIN_WORD, MAX_WORD = 3, 100


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


def _without(known: Sequence[str], password: str) -> str:
    """The password with each word that is known of the person worth one character, wherever it stands."""
    words = sorted({word for word in known if len(word) >= MIN_WORD}, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, words)), "x", password, flags=re.IGNORECASE) if words else password


def judged(password: str, about: Sequence[str]) -> Strength:
    """The estimate, here and now."""
    known = [word[:MAX_WORD] for word in about]
    password = _without(known, password)
    strength = Strength(0)
    for length in LOOKED_AT:
        found = zxcvbn(password[:length], user_inputs=known)
        feedback = found["feedback"]
        strength = Strength(int(found["score"]), feedback["warning"] or "", tuple(feedback["suggestions"]))
        if strength.score == BEST_SCORE or length >= len(password):
            break
    return strength
