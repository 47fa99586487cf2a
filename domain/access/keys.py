"""What does an API key look like? `tck_`, 43 characters of chance, 6 of checksum, all letters and digits.

The prefix and the checksum let a scanner of leaked secrets tell a real key from a look-alike without asking us, and let
us refuse a mistyped one without asking the database. A key is shown once; what is kept is a keyed digest, so that a
copy of the database tells nobody which keys would count.
"""

import hashlib
import hmac
import re
import secrets
import zlib

PREFIX = "tck_"
RANDOM_CHARACTERS = 43
CHECKSUM_CHARACTERS = 6
# What stays readable, so that people can tell keys apart.
SHOWN_CHARACTERS = len(PREFIX) + 6

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# For scanners: docs/api-keys.md shows it.
PATTERN = rf"{PREFIX}[0-9A-Za-z]{{{RANDOM_CHARACTERS + CHECKSUM_CHARACTERS}}}"
_KEY = re.compile(PATTERN)


def new_secret() -> str:
    """A fresh key. 43 characters of 62 are 256 bits: there is nothing to guess."""
    body = PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(RANDOM_CHARACTERS))
    return body + checksum(body)


def checksum(body: str) -> str:
    """CRC-32 of all before it, in base 62, padded with zeros. It finds slips of the hand and proves nothing."""
    rest = zlib.crc32(body.encode())
    digits = []
    for _ in range(CHECKSUM_CHARACTERS):
        rest, digit = divmod(rest, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))


def is_key(text: str) -> bool:
    """Whether this could be a key of ours: the form is right, and so is the checksum."""
    if _KEY.fullmatch(text) is None:
        return False
    return checksum(text[:-CHECKSUM_CHARACTERS]) == text[-CHECKSUM_CHARACTERS:]


def shown_prefix(secret: str) -> str:
    """How a key begins: enough to tell keys apart, and nothing that helps to guess the rest."""
    return secret[:SHOWN_CHARACTERS]


def key_digest(secret: str, key: bytes) -> bytes:
    """What is stored of a key, and looked up."""
    return hmac.digest(key, secret.encode(), hashlib.sha256)
