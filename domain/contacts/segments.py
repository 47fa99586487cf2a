"""In how many segments does a text message leave? One of the GSM alphabet has 160 places, one of anything else 70.

A longer one is sent in pieces that the phone puts together, which costs seven places, or three, of each (3GPP TS
23.038 and 23.040). A character that takes two places is not split between two pieces.
"""

from dataclasses import dataclass
from enum import StrEnum

from domain.contacts.message import is_gsm, places

_SINGLE = {True: 160, False: 70}
_PIECE = {True: 153, False: 67}


class Encoding(StrEnum):
    """In what a text message is written."""

    GSM_7 = "gsm_7"
    UCS_2 = "ucs_2"


@dataclass(frozen=True, slots=True)
class Segments:
    """How a text message leaves: in what, how many pieces, and how many places it takes."""

    encoding: Encoding
    count: int
    places: int


def segments_of(text: str) -> Segments:
    """How the text would leave."""
    gsm = is_gsm(text)
    whole = places(text, gsm=gsm)
    encoding = Encoding.GSM_7 if gsm else Encoding.UCS_2
    if whole <= _SINGLE[gsm]:
        return Segments(encoding, 1, whole)
    count, room = 1, _PIECE[gsm]
    for character in text:
        taken = places(character, gsm=gsm)
        if taken > room:
            count, room = count + 1, _PIECE[gsm]
        room -= taken
    return Segments(encoding, count, whole)


def cut_to(text: str, most: int, *, after: str = "") -> tuple[str, bool]:
    """The text and what comes after it in at most so many segments; and whether the text was cut for it."""
    if segments_of(text + after).count <= most:
        return text + after, False
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if segments_of(_cut(text, middle) + after).count <= most:
            low = middle
        else:
            high = middle - 1
    return _cut(text, low) + after, True


def _cut(text: str, kept: int) -> str:
    return text[:kept].rstrip() + "..."
