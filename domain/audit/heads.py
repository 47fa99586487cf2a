"""What leaves the database of each seal? Its head: all of it but the rows' hashes, one line of JSON.

Whoever owns the database can cut off its tail and make it look whole. They cannot take back a line that somebody else
has: heads are held against the seals of the same numbers.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from domain.audit.sealing import Seal, seal_of
from domain.audit.verification import Finding, FindingKind, Trust


@dataclass(frozen=True, slots=True)
class BadHead(ValueError):
    """A line that holds no head."""

    line: int

    def __str__(self) -> str:
        return f"line {self.line} holds no head of a seal"


def head_line(seal: Seal) -> bytes:
    """The head as a line, with its end."""
    return orjson.dumps({"seal": seal.fields, "signature": seal.signature.hex()}) + b"\n"


def read_head(line: bytes, *, number: int = 0) -> Seal:
    """The seal whose head a line holds; BadHead (with the line's `number`) for anything else."""
    try:
        found = orjson.loads(line)
        return seal_of(found["seal"], bytes.fromhex(found["signature"]))
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise BadHead(number) from error


def check_head(
    head: Seal, kept: Seal | None, *, current_era: int, accepted_era: int, trust: Trust
) -> Iterator[Finding]:
    """What a head outside says against the seal of its number (None: there is none).

    After a restore the last seals of before are lost: the era tells. Whether there was such a restore only a person
    knows, who accepts it by its era.
    """
    if not trust.check(head.key, head.signature, head.content):
        yield Finding(
            kind=FindingKind.SIGNATURE,
            seal=head.number,
            detail="the head outside the database is not signed by its key",
        )
        return
    if kept is not None and kept.hash == head.hash:
        return
    era = current_era if kept is None else kept.last.era
    if era > head.last.era:
        if era > accepted_era:
            yield Finding(
                kind=FindingKind.LOST_IN_RESTORE,
                seal=head.number,
                detail=f"its head of {head.sealed_at:%Y-%m-%d %H:%M:%S} is outside, era {era} has begun since; "
                f"if there was a restore, accept it with --accept-era {era}",
            )
    elif kept is None:
        yield Finding(
            kind=FindingKind.CUT_TAIL,
            seal=head.number,
            detail=f"its head of {head.sealed_at:%Y-%m-%d %H:%M:%S} left the database, which has no such seal",
        )
    else:
        yield Finding(
            kind=FindingKind.OTHER_HEAD,
            seal=head.number,
            detail="the head that left the database is of a seal with other content",
        )
