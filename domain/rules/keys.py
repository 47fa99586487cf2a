"""How does a rule make a key of an alert's parts? One value a part, in the order given, an absent one empty.

The recipe is part of the key, as for every dedup key (domain/alerts/dedup.py): a rule that goes by other parts makes
other keys, and never merges what an older one kept apart.
"""

import re
from collections.abc import Mapping, Sequence
from hashlib import blake2b

from domain.alerts.dedup import dedup_key
from domain.alerts.model import MAX_LABEL_NAME
from domain.errors import InvalidInput

MAX_PARTS = 10
# A rule's keys; the number is that of the recipe.
RECIPE, VERSION = "rule", 1
_TEXTS = {"title": "alert.title", "service": "alert.service", "source": "alert.source"}
_LABEL = "labels."
# Parts are parted by a slash; one within a part has a backslash before it, and so has a backslash.
_PART = re.compile(r"(?:[^\\/]|\\.)+", re.DOTALL)


def checked_parts(parts: Sequence[str], *, path: Sequence[str]) -> tuple[str, ...]:
    """The parts, if each is one; InvalidInput names the first that is not."""
    if len(parts) > MAX_PARTS:
        message = f"a key has at most {MAX_PARTS} parts, not {len(parts)}"
        raise InvalidInput(message, path)
    if len(set(parts)) != len(parts):
        message = "a part must be named once only"
        raise InvalidInput(message, path)
    for number, part in enumerate(parts):
        label = part.removeprefix(_LABEL)
        if part not in _TEXTS and (label == part or not 0 < len(label) <= MAX_LABEL_NAME):
            message = f"a key is made of {', '.join(_TEXTS)} and labels.<name>, not of {part[:100]!r}"
            raise InvalidInput(message, (*path, str(number)))
    return tuple(parts)


def key_of(parts: Sequence[str], facts: Mapping[str, object]) -> str:
    """The key of an alert with these facts: readable where it is short, a digest of its parts where it is not."""
    values = [_value(part, facts) for part in parts]
    which = blake2b("\x1f".join(parts).encode(), digest_size=4).hexdigest()
    told = "/".join(value.replace("\\", "\\\\").replace("/", "\\/") for value in values)
    return dedup_key(RECIPE, VERSION, f"{which}:{told}")


def read_key(key: str) -> str:
    """What a key says to people: the values of its parts; the key itself where it is a digest, or no rule's."""
    made_by, _, payload = key.partition(f":{VERSION}:")
    values = [value.replace("\\/", "/").replace("\\\\", "\\") for value in _PART.findall(payload.partition(":")[2])]
    said = ", ".join(filter(None, values))
    return said if made_by == RECIPE and said else key


def recipe_of(parts: Sequence[str], rule_name: str) -> str:
    """The sentence that says how the key was made."""
    return f"the rule {rule_name!r} goes by {', '.join(parts)}"


def _value(part: str, facts: Mapping[str, object]) -> str:
    fact = _TEXTS.get(part)
    if fact is not None:
        return str(facts[fact])
    labels = facts["alert.labels"]
    return labels.get(part.removeprefix(_LABEL), "") if isinstance(labels, Mapping) else ""
