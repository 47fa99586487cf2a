"""Which of many patterns fit a value? All of them at once, in one walk over the value (RE2's set of patterns).

The set gives up when it would need too much memory, and then says that nothing fits. So that no silence is missed, one
pattern of the set fits everything: where even that is not found, each pattern is asked by itself.
"""

import contextlib
from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

import re2

from domain.remembered import MAX_LENGTH, Remembered
from domain.silences.matchers import bounds_of

_MEMORY = 8 << 20
_EVERYTHING = b"(?s).*"
Kept = TypeVar("Kept")


class _Set(Protocol):
    """What we use of RE2's set."""

    def Add(self, pattern: bytes) -> int: ...  # noqa: N802 - its own names

    def Compile(self) -> None: ...  # noqa: N802

    def Match(self, text: bytes) -> list[int]: ...  # noqa: N802


class PatternSet(Generic[Kept]):
    """Things, each with a pattern that a whole value must fit. Every pattern compiles by itself (matchers.py)."""

    def __init__(self, kept: Sequence[tuple[str, Kept]]) -> None:
        self._kept = [thing for _, thing in kept]
        options = re2.Options()
        options.log_errors = False
        options.never_capture = True
        options.max_mem = _MEMORY
        made: _Set = re2.Set.FullMatchSet(options)
        added = [made.Add(pattern.encode("utf-8")) for pattern, _ in kept]
        bounds = [bounds_of(pattern) for pattern, _ in kept]
        # Between which two values all lie that fit any of them.
        self._low, self._high = min(low for low, _ in bounds), max(high for _, high in bounds)
        self._last = made.Add(_EVERYTHING)
        self._known: Remembered[bytes, Sequence[Kept]] = Remembered()
        self._set: _Set | None = None
        if [*added, self._last] == list(range(len(kept) + 1)):
            with contextlib.suppress(re2.error):
                made.Compile()
                self._set = made

    def fitting(self, value: bytes) -> Sequence[Kept]:
        """Those whose pattern fits; or, where that cannot be told at once, all of them."""
        if not self._low <= value <= self._high:
            return ()
        known = self._known.get(value)
        if known is not None:
            return known
        fitting = self._asked(value)
        return self._known.keep(value, fitting) if len(value) <= MAX_LENGTH else fitting

    def _asked(self, value: bytes) -> Sequence[Kept]:
        found = [] if self._set is None else self._set.Match(value)
        if self._last not in found:
            return self._kept
        kept, last = self._kept, self._last
        return [kept[place] for place in found if place != last] if len(found) > 1 else ()
