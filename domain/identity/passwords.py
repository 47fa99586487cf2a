"""Which passwords are good enough? Long ones that are hard to guess, also for who knows whose they are.

How hard is estimated (zxcvbn), not ruled by classes of characters: those make people write `Passw0rd!`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.errors import InvalidInput, WeakPassword
from domain.identity.ports import PasswordHasher

MIN_PASSWORD = 10
MAX_PASSWORD = 1024
BEST_SCORE = 4
GUESSABLE = "this password is easy to guess"


@dataclass(frozen=True, slots=True)
class Strength:
    """How hard a password is to guess, 0 to 4, and what a person may do about it."""

    score: int
    warning: str = ""
    suggestions: tuple[str, ...] = ()


class PasswordJudge(Protocol):
    """Estimates; slow, and never on the event loop."""

    async def judge(self, password: str, *, about: Sequence[str]) -> Strength:
        """How hard it is to guess for somebody who knows the words of `about`."""
        ...


def checked_length(password: str, *path: str) -> str:
    """The password; InvalidInput when it is too short or absurdly long."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        message = f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters"
        raise InvalidInput(message, path)
    return password


def words_about(email: str, *names: str) -> tuple[str, ...]:
    """What somebody who knows a person would try: names, the address and its parts."""
    local, _, domain = email.partition("@")
    return tuple(word for word in (email, local, domain, domain.partition(".")[0], *names, "tocsin") if word)


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordRules:
    """Judges and hashes new passwords. `least` is the lowest score that passes."""

    judge: PasswordJudge
    hasher: PasswordHasher
    least: int

    async def check(self, password: str, *, about: Sequence[str], path: str) -> None:
        """InvalidInput or WeakPassword unless it is good enough."""
        checked_length(password, path)
        strength = await self.judge.judge(password, about=about)
        if strength.score < self.least:
            message = f"{GUESSABLE}: {strength.warning}" if strength.warning else GUESSABLE
            raise WeakPassword(message, (path,), score=strength.score, suggestions=strength.suggestions)

    async def hashed(self, password: str, *, about: Sequence[str], path: str) -> str:
        """The hash of a password that is good enough. Slow: call it before the transaction."""
        await self.check(password, about=about, path=path)
        return await self.hasher.hash(password)
