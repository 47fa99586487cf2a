"""What does a process remember of groups, to take fewer locks? Only guesses, which each batch proves under its locks.

Two are made. An alert that was open a moment ago is open still: its repeat needs no group, so its ways are not worked
out and no key of them is locked. A group that was there a moment ago takes the next alert as well: then nothing is
written under its key, and batches may join it side by side. Where a guess is wrong the batch begins again without it.
"""

from collections.abc import Iterable

from domain.alerts.ingest import Key
from domain.alerts.problem import Problem
from domain.correlation.placing import Placing

_REMEMBERED = 65_536


class GroupMemory:
    """Shared by all who write. Bounded: of what is remembered the older half goes at a time."""

    def __init__(self) -> None:
        self._open = _Recent()
        self._settled = _Recent()

    def is_open(self, key: Key) -> bool:
        """Whether the alert of the key was open when it was last seen."""
        return hash(key) in self._open

    def is_settled(self, group_key: str) -> bool:
        """Whether nothing had to be written under the group key when it was last asked for."""
        return hash(group_key) in self._settled

    def note(self, problems: Iterable[Problem], placing: Placing | None) -> None:
        """A batch left the alerts so, and was placed so."""
        for problem in problems:
            known = hash((problem.integration_id, problem.dedup_key))
            if problem.alert is not None and problem.alert.is_open:
                self._open.add(known)
            else:
                self._open.discard(known)
        if placing is None:
            return
        # As long as parts are waited for, more is to be written under their key.
        waiting = {waiting.group_key for waiting in placing.waiting}
        for key in placing.ways.keys:
            if key in waiting:
                self._settled.discard(hash(key))
            else:
                self._settled.add(hash(key))

    def unsettle(self, group_keys: Iterable[str]) -> None:
        """Something has to be written under these."""
        for key in group_keys:
            self._settled.discard(hash(key))


class _Recent:
    """Numbers seen of late: two halves, of which the older is let go when the newer is full."""

    def __init__(self) -> None:
        self._newer: set[int] = set()
        self._older: set[int] = set()

    def __contains__(self, number: int) -> bool:
        return number in self._newer or number in self._older

    def add(self, number: int) -> None:
        if len(self._newer) >= _REMEMBERED // 2:
            self._older, self._newer = self._newer, set()
        self._newer.add(number)

    def discard(self, number: int) -> None:
        self._newer.discard(number)
        self._older.discard(number)
