"""Is it known whether the machine has room for work that is not urgent?"""

import pytest

from persistence.giving_way import LOOK_SECONDS, ROOM, Machine, processor_times


class Processors:
    """Those of a machine, which are idle for a part of the time; a system may not tell."""

    def __init__(self, *, tells: bool = True) -> None:
        self.seconds, self.idle, self.all, self.tells = 0.0, 0, 0, tells
        self.machine = Machine(times=lambda: (self.idle, self.all) if self.tells else None, monotonic=self.monotonic)

    def monotonic(self) -> float:
        return self.seconds

    def go_on(self, *, idle: float, seconds: float = LOOK_SECONDS) -> bool:
        """Whether the machine has room afterwards."""
        self.seconds += seconds
        self.all += round(1000 * seconds)
        self.idle += round(1000 * seconds * idle)
        return self.machine.has_room()


def test_a_machine_that_is_idle_for_long_enough_has_room() -> None:
    processors = Processors()
    assert processors.go_on(idle=ROOM + 0.1)
    assert not processors.go_on(idle=ROOM - 0.1)
    # It is not looked at again so soon.
    assert not processors.go_on(idle=1.0, seconds=LOOK_SECONDS / 2)
    assert processors.go_on(idle=1.0, seconds=LOOK_SECONDS)


def test_where_the_system_does_not_tell_there_is_no_room() -> None:
    assert not Processors(tells=False).go_on(idle=1.0)


def test_this_machine_tells() -> None:
    times = processor_times()
    if times is None:
        pytest.fail("/proc/stat is not read")
    idle, all_ = times
    assert 0 < idle <= all_
