"""What did `bench read` find? Turns as they are kept between runs, and the ratios that are read from them."""

from datetime import datetime
from statistics import median

import msgspec

from bench.load import Result


class StoreTurn(msgspec.Struct, frozen=True, kw_only=True):
    """One read at one size, all its turns together; milliseconds."""

    scenario: str
    alerts: int
    calls: int
    latencies: dict[str, float]


class HttpTurn(msgspec.Struct, frozen=True, kw_only=True):
    """One server's turn."""

    server: str
    result: Result


class ReadReport(msgspec.Struct, frozen=True, kw_only=True):
    """Everything one run found."""

    began: datetime
    machine: list[str]
    sizes: list[int]
    store: list[StoreTurn]
    http: list[HttpTurn]
    connections: int

    def at(self, scenario: str, alerts: int) -> StoreTurn:
        """A read at a size."""
        return next(turn for turn in self.store if (turn.scenario, turn.alerts) == (scenario, alerts))

    def growth(self, scenario: str, place: str = "p50") -> float:
        """How many times as long it takes at the larger size."""
        small, large = (self.at(scenario, size).latencies[place] for size in (self.sizes[0], self.sizes[-1]))
        return large / small

    def rate(self, server: str) -> float:
        """Requests a second, the median of the turns."""
        return median(turn.result.requests / turn.result.seconds for turn in self.http if turn.server == server)

    def latency(self, server: str, place: str) -> float:
        """Milliseconds, the median of the turns."""
        return median(turn.result.latencies[place] for turn in self.http if turn.server == server)
