"""What does a person write down for the day the phone is lost? Ten codes of 120 random bits, each good once.

Only keyed digests are kept, bound to the person: who reads the table cannot test a guess, and a code of one person is
nothing in the hands of another. At 120 bits nobody guesses one, so they need no slow hash, and no lock that could shut
their owner out.
"""

import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Sequence
from uuid import UUID

HOW_MANY = 10
CHARACTERS = 24
GROUP = 6
# Crockford's: no i, l, o and u, so that what is read aloud or from paper is not mistaken.
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_MISREAD = str.maketrans("ilo", "110")


def new_codes() -> list[str]:
    """A fresh set, as it is shown: `xxxxxx-xxxxxx-xxxxxx-xxxxxx`."""
    return [_new_code() for _ in range(HOW_MANY)]


def code_digest(user_id: UUID, code: str, key: bytes) -> bytes:
    """What is kept of a person's code."""
    return hmac.digest(key, user_id.bytes + _normalised(code).encode(), hashlib.sha256)


def code_digests(user_id: UUID, code: str, keys: Sequence[bytes]) -> list[bytes]:
    """What may be kept of it: under the current key, or a former one. Empty for what cannot be a code."""
    if len(_normalised(code)) != CHARACTERS:
        return []
    return [code_digest(user_id, code, key) for key in keys]


def _new_code() -> str:
    text = "".join(secrets.choice(ALPHABET) for _ in range(CHARACTERS))
    return "-".join(text[start : start + GROUP] for start in range(0, CHARACTERS, GROUP))


def _normalised(code: str) -> str:
    text = unicodedata.normalize("NFKC", code[: 4 * CHARACTERS]).lower().translate(_MISREAD)
    return "".join(character for character in text if character in ALPHABET)
