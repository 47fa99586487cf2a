"""What did `bench live` find? Turns as they are kept between runs, and the figures that are read from them."""

import math
from collections.abc import Sequence
from datetime import datetime
from statistics import median

import msgspec


def place(values: Sequence[float], part: float) -> float:
    """The value at a part of the ordered values, by the nearest rank."""
    ordered = sorted(values)
    return ordered[math.ceil(part * len(ordered)) - 1]


class LiveTurn(msgspec.Struct, frozen=True, kw_only=True):
    """One server, one crowd. `stages`: milliseconds by stage of an event's way, one figure an event."""

    server: str
    groups: int
    subscribers: int
    stages: dict[str, list[float]]
    sustained: float
    bytes_each: float
    load_share: float
    # The server's processor, a message to one socket, in microseconds.
    cost: float = 0.0

    def line(self) -> str:
        """One line for who watches."""
        shown = "  ".join(
            f"{name} {place(values, 0.5):.1f}/{place(values, 0.95):.1f}" for name, values in self.stages.items()
        )
        return (
            f"{self.server:8} {self.subscribers} in {self.groups:2} groups  {self.sustained:7.1f} events/s  "
            f"{self.cost:.1f} µs a message  ms p50/p95: {shown}  load process {self.load_share:.0%}"
        )


class MemoryTurn(msgspec.Struct, frozen=True, kw_only=True):
    """What a crowd costs the API process: resident bytes before, with all there, and after events."""

    subscribers: int
    resident: list[int]
    subscribe_seconds: float
    last_ms: list[float]

    @property
    def each(self) -> float:
        """Bytes a subscriber, at the worst moment."""
        return (max(self.resident) - self.resident[0]) / self.subscribers


class RestartTurn(msgspec.Struct, frozen=True, kw_only=True):
    """A crowd that came back with as many cursors, behind by up to as many events.

    Seconds after the last had come back: until every replay had ended, and until a new event had reached all.
    """

    subscribers: int
    replayed: int
    subscribe_seconds: float
    replay_seconds: float
    first_shared_seconds: float
    last_ms: list[float]


class IngestTurn(msgspec.Struct, frozen=True, kw_only=True):
    """The rate of ingest with and without company. `lags`: seconds each consumer was behind, at most and at the end.

    `frames`: messages that came to subscribers while the load ran, and afterwards.
    `cpu`: microseconds an alert by process, until the consumers had read everything. `busy`: cores while the load ran.
    """

    scenario: str
    crowd: str
    rates: list[float]
    frames: int
    resets: int
    lags: dict[str, tuple[float, float]]
    settle_seconds: float
    frames_after: int = 0
    cpu: dict[str, float] = {}
    busy: float = 0.0

    @property
    def rate(self) -> float:
        """The median."""
        return median(self.rates)


class LiveReport(msgspec.Struct, frozen=True, kw_only=True):
    """Everything one run of `bench live` found."""

    began: datetime
    machine: list[str]
    subscribers: int
    turns: list[LiveTurn]
    memory: list[MemoryTurn] = []
    restart: RestartTurn | None = None
    ingest: list[IngestTurn] = []

    def of(self, server: str, groups: int | None = None) -> list[LiveTurn]:
        """The turns of a server."""
        return [turn for turn in self.turns if turn.server == server and groups in {None, turn.groups}]

    def stage(self, server: str, name: str, part: float, groups: int | None = None) -> float:
        """A stage's milliseconds at a part of all events of these turns."""
        return place([value for turn in self.of(server, groups) for value in turn.stages[name]], part)

    def sustained(self, server: str, groups: int | None = None) -> float:
        """The median of events a second."""
        return median(turn.sustained for turn in self.of(server, groups))

    def cost(self, server: str, groups: int | None = None) -> float:
        """The median of microseconds of the server's processor a message."""
        return median(turn.cost for turn in self.of(server, groups))


def merged(old: LiveReport, new: LiveReport) -> LiveReport:
    """The new report, with the old one's parts where the new run had none."""
    return LiveReport(
        began=new.began,
        machine=new.machine,
        subscribers=new.subscribers,
        turns=new.turns or old.turns,
        memory=new.memory or old.memory,
        restart=new.restart or old.restart,
        ingest=new.ingest or old.ingest,
    )
