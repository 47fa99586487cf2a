"""When does an event reach the last of a thousand sockets, and how many a second reach all? Timed by one epoll loop.

A frame that came is counted and timed and not decoded: its bytes are looked at after the turn is over. Events are made
by the same loop, so that one clock times both ends.

Run as a process of its own: a `LiveLoad` as JSON on standard input, a `LiveResult` as JSON on standard output.
"""

import gc
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec

from bench.live_crowd import Crowd, Listener
from bench.live_posting import Posters, Progress
from bench.live_wire import LiveLoad, LiveResult, Timed, allow_files
from bench.machine import process_seconds, resident_bytes

ROOT = Path(__file__).resolve().parent.parent
# Nothing for so long: the stream is quiet, and counting can begin at nought.
QUIET_SECONDS = 0.5
FIRST_WAIT_SECONDS = 0.25
Condition = Callable[[], bool]


def listen(load: LiveLoad) -> LiveResult:
    """Listen from a process of its own and wait for its result."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.live_load"],
        input=msgspec.json.encode(load),
        stdout=subprocess.PIPE,
        check=True,
        cwd=ROOT,
    )
    return msgspec.json.decode(done.stdout, type=LiveResult)


def _timed(progress: Progress, number: int, wall: float) -> Timed:
    """An event's times by the wall clock, which reads `wall` when the process's own reads nought."""
    return Timed(
        sent=wall + progress.sent[number],
        answered=wall + progress.answered[number],
        first=wall + progress.first[number],
        last=wall + progress.last[number],
        answer=progress.answers[number],
    )


def _has_arrived(progress: Progress, number: int) -> bool:
    return len(progress.last) >= number and len(progress.answered) >= number


class Measuring(Crowd):
    """A crowd that makes events and times when they reach it."""

    def __init__(self, load: LiveLoad) -> None:
        super().__init__(load)
        self._posters = Posters(load, self._poll)
        self._progress = Progress()
        self._replayed = sum(subscriber.expects == 0 for subscriber in load.subscribers)
        self._heard_at = 0.0
        self._kept: list[str] = []

    def run(self) -> LiveResult:
        """The whole turn."""
        try:
            return self._run()
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the posts' connections as well."""
        self._posters.close()
        super().close()

    def _run(self) -> LiveResult:
        load, wall = self._load, time.time() - time.perf_counter()
        began, resident = time.perf_counter(), [self._resident()]
        self._subscribe_all()
        subscribed = time.perf_counter()
        self._until(lambda: self._replayed == len(self._listeners), "not every replay came to its end")
        replayed = time.perf_counter()
        self._posters.open()
        resident.append(self._resident())
        shared = self._warm_up()
        before, timing = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        slow = self._begin()
        for number in range(load.events):
            due = timing + number * load.gap
            self._posters.post(slow)
            self._until(partial(_has_arrived, slow, number + 1), "an event did not reach all")
            self._idle_until(due + load.gap)
        fast_began, worked = time.perf_counter(), self._worked()
        fast = self._begin()
        self._as_fast_as_all_keep_up(fast, fast_began + load.seconds)
        worked = self._worked() - worked
        elapsed = (fast.last[-1] if fast.last else time.perf_counter()) - fast_began
        resident.append(self._resident())
        after = resource.getrusage(resource.RUSAGE_SELF)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return LiveResult(
            subscribe_seconds=subscribed - began,
            replay_seconds=replayed - subscribed,
            first_shared_seconds=shared - subscribed,
            timed=[_timed(slow, number, wall) for number in range(load.events)],
            sustained=len(fast.last) / elapsed if load.seconds and fast.last else 0.0,
            sustained_events=len(fast.last),
            server_seconds=worked,
            frames=self._frames,
            bytes=self._bytes,
            resident=resident,
            load_share=used / (time.perf_counter() - timing),
            samples=self._kept or sorted({listener.newest.decode() for listener in self._listeners.values()})[:3],
        )

    def _came(self, number: int) -> None:
        self._posters.read(number)

    def _told(self) -> str:
        return f"{super()._told()}, seen {self._progress.seen[-3:]}"

    # -- the parts of a turn ---------------------------------------------------------------------------------------

    def _resident(self) -> int:
        return resident_bytes(self._load.server_pid) if self._load.server_pid else 0

    def _worked(self) -> float:
        return process_seconds(self._load.server_pid) if self._load.server_pid else 0.0

    def _warm_up(self) -> float:
        """Events until each listener has had one that is new, then quiet; when the first had reached all."""
        progress = self._begin()
        began, wait = time.perf_counter(), FIRST_WAIT_SECONDS
        while not progress.last:
            if time.perf_counter() > began + self._load.patience:
                raise TimeoutError(f"{progress.seen} of {len(self._listeners)} had the first event")
            if self._posters.idle:
                self._posters.post(progress)
            # A slow server is not given ever more to do.
            self._idle_until(time.perf_counter() + wait, enough=lambda: bool(progress.last))
            wait *= 2
        # A server that is slow is also quiet for longer between two events of its backlog: one that came after would be
        # counted as one nobody made.
        quiet = max(QUIET_SECONDS, progress.last[0] - progress.sent[0])
        self._heard_at = time.perf_counter()
        while len(self._posters.idle) < len(self._posters) or time.perf_counter() - self._heard_at < quiet:
            self._idle_until(time.perf_counter() + QUIET_SECONDS / 5)
        return progress.last[0]

    def _as_fast_as_all_keep_up(self, progress: Progress, deadline: float) -> None:
        while True:
            under_way = len(progress.sent) - len(progress.last)
            if time.perf_counter() < deadline:
                while self._posters.idle and under_way < self._load.window:
                    self._posters.post(progress)
                    under_way += 1
            elif under_way == 0 and len(self._posters.idle) == len(self._posters):
                return
            self._turn(self._load.patience, "not all kept up")

    def _begin(self) -> Progress:
        """Count from nought."""
        for listener in self._listeners.values():
            listener.events = 0
        self._progress = Progress()
        return self._progress

    def _until(self, condition: Condition, what: str) -> None:
        deadline = time.perf_counter() + self._load.patience
        while not condition():
            self._turn(0.5, what)
            if time.perf_counter() > deadline:
                had = sum(listener.events for listener in self._listeners.values())
                raise TimeoutError(f"{what} within {self._load.patience:.0f} s: {had} frames, {self._replayed} replays")

    def _idle_until(self, moment: float, enough: Condition = lambda: False) -> None:
        while (left := moment - time.perf_counter()) > 0 and not enough():
            self._turn(min(left, 0.5), "")

    def _count(self, listener: Listener, data: bytes, start: int, end: int) -> None:
        now = self._heard_at = time.perf_counter()
        self._frames += 1
        self._bytes += end - start
        listener.newest = data[start:end]
        if self._load.keep_all:
            self._kept.append(listener.newest.decode())
        number = listener.events
        listener.events = number + 1
        if not self._posters:
            self._replayed += listener.events == listener.subscriber.expects
            return
        progress = self._progress
        if number >= len(progress.seen):
            raise RuntimeError(f"an event nobody made: {listener.newest[:400]!r}")
        progress.seen[number] += 1
        if progress.seen[number] == 1:
            progress.first.append(now)
        if progress.seen[number] == len(self._listeners):
            progress.last.append(now)


def main() -> None:
    """Read a load, listen, print the result."""
    load = msgspec.json.decode(sys.stdin.buffer.read(), type=LiveLoad)
    allow_files(len(load.subscribers))
    gc.disable()
    sys.stdout.buffer.write(msgspec.json.encode(Measuring(load).run()))


if __name__ == "__main__":
    main()
