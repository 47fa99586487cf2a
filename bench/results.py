"""What did the runs find? Turns and samples as they are kept between runs, and the ratios that are read from them."""

from collections.abc import Sequence
from datetime import datetime
from statistics import median

import msgspec

from bench.turns import Scenario, Turn

# The bytes of one format go to Tocsin, floor and Alertmanager alike; Alerta has only its own for single alerts.
MAIN_ROUTE = "api"


class MemoryReport(msgspec.Struct, frozen=True, kw_only=True):
    """The resident megabytes of each process after so many alerts."""

    began: datetime
    machine: list[str]
    samples: list[tuple[int, dict[str, float]]]
    rate: float
    differs: int

    def growth(self, name: str) -> float:
        """By which part the process grew from the first fifth of the run to its end."""
        early = self.samples[len(self.samples) // 5][1][name]
        return self.samples[-1][1][name] / early - 1


class IngestReport(msgspec.Struct, frozen=True, kw_only=True):
    """Everything one run of `bench ingest` found."""

    began: datetime
    machine: list[str]
    versions: dict[str, str]
    postgresql: dict[str, str]
    seconds: float
    rounds: int
    turns: list[Turn]

    def of(self, scenario: Scenario, contender: str, route: str | None = None) -> list[Turn]:
        """The turns of one server in one scenario, at its maximum."""
        return [
            turn
            for turn in self.turns
            if self._is(turn, scenario) and turn.contender == contender and route in {None, turn.route}
        ]

    @property
    def at_half(self) -> list[Turn]:
        """The turns at a fixed rate."""
        return [turn for turn in self.turns if turn.target_rate is not None]

    def of_scenario(self, scenario: Scenario) -> list[tuple[str, str]]:
        """The servers and routes that were measured at their maximum, in the order of their turns."""
        found = [(turn.contender, turn.route) for turn in self.turns if self._is(turn, scenario)]
        return list(dict.fromkeys(found))

    @staticmethod
    def _is(turn: Turn, scenario: Scenario) -> bool:
        return turn.scenario == scenario.name and turn.target_rate is None

    def rate(self, scenario: Scenario, contender: str, route: str | None = None) -> float | None:
        """The median rate, or None when it was not measured."""
        found = self.of(scenario, contender, route)
        return median(turn.rate for turn in found) if found else None

    def worst_ratio(self, scenarios: Sequence[Scenario], against: str) -> float | None:
        """The lowest ratio of the main route over several scenarios."""
        ratios = [self.ratio(scenario, against, MAIN_ROUTE) for scenario in scenarios]
        return min((ratio for ratio in ratios if ratio is not None), default=None)

    def ratio(self, scenario: Scenario, against: str, route: str) -> float | None:
        """Tocsin's rate over another's: over the same route's where there is one, else over the other's only one."""
        ours = self.rate(scenario, "tocsin", route)
        theirs = self.rate(scenario, against, route if self.of(scenario, against, route) else None)
        return ours / theirs if ours and theirs else None
