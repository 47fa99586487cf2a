"""When are two e-mail addresses the same? When their normalised forms are; uniqueness is kept on a keyed HMAC of it."""

import hashlib
import hmac
import re
import unicodedata

from domain.errors import InvalidInput
from domain.identity.model import MAX_EMAIL

# One @, something before it, a dotted name or a single label after it. Mail proves an address, not a pattern.
_ADDRESS = re.compile(r"[^\s@\x00-\x1f\x7f]{1,64}@[^\s@\x00-\x1f\x7f.]+(\.[^\s@\x00-\x1f\x7f.]+)*")


def normalised(email: str) -> str:
    """The form that is compared: NFKC, lower case. Providers ignore case, so one person is one account."""
    return unicodedata.normalize("NFKC", email.strip()).casefold()


def checked_address(email: str, *path: str) -> str:
    """The address as it is shown; InvalidInput when it is none."""
    email = email.strip()
    if len(email) > MAX_EMAIL or not _ADDRESS.fullmatch(email):
        message = "not an e-mail address"
        raise InvalidInput(message, path)
    return email


def address_digest(email: str, key: bytes) -> bytes:
    """The keyed digest of an address. Without the key nobody can test whether an address is on file."""
    return hmac.digest(key, normalised(email).encode("utf-8", "surrogatepass"), hashlib.sha256)
