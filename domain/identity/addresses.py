"""When are two e-mail addresses the same? When their normalised forms are; uniqueness is kept on a keyed HMAC of it."""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Sequence

from domain.errors import InvalidInput
from domain.identity.model import MAX_EMAIL

# One @, something before it, a dotted name or a single label after it. Mail proves an address, not a pattern. What
# means something in a mail's head is in none: one address stays one address wherever it is written.
_PLAIN = r"[^\s\x00-\x1f\x7f()<>\[\]:;@\\,\"]"
_ADDRESS = re.compile(rf"{_PLAIN}{{1,64}}@(?:(?!\.){_PLAIN})+(\.(?:(?!\.){_PLAIN})+)*")


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


def address_digests(email: str, keys: Sequence[bytes]) -> tuple[bytes, ...]:
    """The digest under the current key, which is the first, and under former ones.

    A digest cannot be turned into one of another key, so after a change of key an address is looked for under each,
    and written anew when its owner signs in.
    """
    return tuple(address_digest(email, key) for key in keys)
