"""What did `bench read` find? Turns as they are kept between runs, and the ratios that are read from them."""

from datetime import datetime
from statistics import median

import msgspec

from bench.load import Result

TOCSIN, TWO, STOCK, PLAIN = "tocsin", "tocsin, 2 processes", "stock", "plain"
# What the clients of a turn ask for.
SAME, OTHER = "the same page", "another page each"


class StoreTurn(msgspec.Struct, frozen=True, kw_only=True):
    """One read at one size, all its turns together; milliseconds."""

    scenario: str
    alerts: int
    calls: int
    latencies: dict[str, float]


class HttpTurn(msgspec.Struct, frozen=True, kw_only=True):
    """One server's turn; `cpu` are microseconds of the processor a request, of the server and of PostgreSQL."""

    server: str
    asked: str
    result: Result
    cpu: dict[str, float]


class ReadReport(msgspec.Struct, frozen=True, kw_only=True):
    """Everything one run found."""

    began: datetime
    machine: list[str]
    sizes: list[int]
    store: list[StoreTurn]
    http: list[HttpTurn]
    connections: int
    # Of searches that the index answers.
    index: list[StoreTurn] = []

    def at(self, scenario: str, alerts: int) -> StoreTurn:
        """A read at a size."""
        return next(turn for turn in (*self.store, *self.index) if (turn.scenario, turn.alerts) == (scenario, alerts))

    def growth(self, scenario: str, place: str = "p50") -> float:
        """How many times as long it takes at the larger size."""
        small, large = (self.at(scenario, size).latencies[place] for size in (self.sizes[0], self.sizes[-1]))
        return large / small

    def of(self, server: str, asked: str) -> list[HttpTurn]:
        """The turns of a server."""
        return [turn for turn in self.http if (turn.server, turn.asked) == (server, asked)]

    def rate(self, server: str, asked: str = SAME) -> float:
        """Requests a second, the median of the turns."""
        return median(turn.result.requests / turn.result.seconds for turn in self.of(server, asked))

    def latency(self, server: str, place: str, asked: str = SAME) -> float:
        """Milliseconds, the median of the turns."""
        return median(turn.result.latencies[place] for turn in self.of(server, asked))

    def cpu(self, server: str, part: str, asked: str = SAME) -> float:
        """Microseconds of the processor a request, the median of the turns."""
        return median(turn.cpu[part] for turn in self.of(server, asked))

    def with_rest_of(self, before: "ReadReport") -> "ReadReport":
        """This run, and of the parts that it left out what an earlier one found."""
        if self.sizes != before.sizes:
            return self
        return msgspec.structs.replace(
            self, store=self.store or before.store, index=self.index or before.index, http=self.http or before.http
        )
