"""Which signals are the same problem? Those with the same dedup key in the same integration.

A key is `<recipe>:<version>:<payload>`. The version is part of the value, so a recipe can change without merging
alerts made by the old one. The payload stays readable when it is short; longer ones are hashed.
"""

from collections.abc import Mapping
from hashlib import blake2b
from uuid import UUID

MAX_READABLE = 200


def dedup_key(recipe: str, version: int, payload: str) -> str:
    """The key for `payload`, hashed beyond 200 characters so that an index entry always fits."""
    if len(payload) > MAX_READABLE or "\x00" in payload:
        payload = "#" + blake2b(payload.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return f"{recipe}:{version}:{payload}"


def labels_payload(labels: Mapping[str, str], *, ignore: frozenset[str] = frozenset()) -> str:
    """A digest of a label set: independent of order, and of the labels in `ignore` (such as `replica`)."""
    digest = blake2b(digest_size=12)
    for name in sorted(labels):
        if name not in ignore:
            digest.update(
                name.encode("utf-8", "surrogatepass")
                + b"\xff"
                + labels[name].encode("utf-8", "surrogatepass")
                + b"\xff"
            )
    return digest.hexdigest()


def lock_id(integration_id: UUID, key: str) -> int:
    """The advisory-lock number of a key: every writer of an alert takes it before its first write.

    A signed 64-bit number. Two keys that collide merely wait for each other.
    """
    digest = blake2b(integration_id.bytes + key.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
