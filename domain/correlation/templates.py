"""What of a title is the problem, and what only its place? Numbers, ids, hosts and addresses are masked.

Two titles of one template are told apart by what is masked alone; how alike two templates are is asked of rapidfuzz.
"""

import re
from functools import lru_cache

from rapidfuzz.fuzz import ratio

# Titles that come again and again are masked once.
_REMEMBERED = 20_000
# What a part looks like, the most telling first; linear in the title, which has at most 500 characters.
_MASKED = re.compile(
    r"(?P<url>\b[a-z][a-z0-9+.-]{1,10}://\S+)"
    r"|(?P<uuid>\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b)"
    r"|(?P<ip>\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b)"
    r"|(?P<number>(?<![\w.-])[-+]?\d+(?:[.,:]\d+)*(?:[a-z]{1,3})?(?![\w-]|\.\w))"
    r"|(?P<host>\b[a-z0-9-]+(?:\.[a-z0-9-]+){2,}\b)"
    r"|(?P<hex>\b(?:0x)?(?=[0-9a-f]*\d)[0-9a-f]{8,}\b)"
    r"|(?P<id>[\w-]*\d[\w-]*)",
    re.IGNORECASE,
)


def _mask(found: re.Match[str]) -> str:
    return f"<{found.lastgroup}>"


@lru_cache(maxsize=_REMEMBERED)
def template_of(title: str) -> str:
    """The title with what differs from place to place masked, and its white space made single."""
    return " ".join(_MASKED.sub(_mask, title).split())


def likeness(one: str, other: str, *, at_least: float) -> float:
    """How alike two templates are, in percent; 0 where they are less alike than `at_least`."""
    return 100.0 if one == other else ratio(one, other, score_cutoff=at_least)
