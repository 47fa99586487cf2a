"""What did `bench noise` find? Turns as they are kept between runs, and the ratios that are read from them."""

from datetime import datetime
from statistics import median

import msgspec

from bench.turns import Turn


class NoiseTurn(msgspec.Struct, frozen=True, kw_only=True):
    """One turn of ingest with one set of rules."""

    house: str
    turn: Turn


class StormTurn(msgspec.Struct, frozen=True, kw_only=True):
    """One storm, posted as fast as it is taken.

    `ways`: what makes the groups. `alone`: alerts of no group. `cpu`: microseconds an alert of each part. `grown`: by
    how many megabytes the server grew.
    """

    server: str
    ways: str
    noise: float
    alerts: int
    groups: int | None = None
    alone: int | None = None
    precision: float | None = None
    recall: float | None = None
    rate: float
    cpu: dict[str, float]
    grown: float

    @property
    def f1(self) -> float | None:
        """The harmonic mean of precision and recall, by pairs."""
        if self.precision is None or self.recall is None:
            return None
        return 2 * self.precision * self.recall / max(1e-9, self.precision + self.recall)

    def line(self) -> str:
        """One line for who watches."""
        cpu = " ".join(f"{name} {value:.0f}" for name, value in self.cpu.items())
        found = "" if self.f1 is None else f"{self.groups:,} groups, {self.alone:,} alone, F1 {self.f1:.3f}"
        return (
            f"storm, {self.noise:.0%} noise  {self.server:13}{self.ways:40}{self.rate:8,.0f}/s  "
            f"CPU µs an alert: {cpu}  {self.grown:+.0f} MB  {found}"
        )


class TrialTurn(msgspec.Struct, frozen=True, kw_only=True):
    """One draft tried on the past. `cpu`: seconds of each part. `steps`: when, and how much was told as read."""

    draft: str
    rules: int
    signals: int
    matched: int
    seconds: float
    cpu: dict[str, float]
    grown: float
    steps: list[tuple[float, float]]

    def line(self) -> str:
        """One line for who watches."""
        cpu = ", ".join(f"{name} {value:.1f} s" for name, value in self.cpu.items())
        return (
            f"{self.signals:,} signals, {self.rules} rules, {self.draft}: {self.seconds:.1f} s (CPU {cpu}), "
            f"{self.grown:+.0f} MB, {self.matched:,} matched, {len(self.steps)} times told how far"
        )


class NoiseReport(msgspec.Struct, frozen=True, kw_only=True):
    """Everything one run found."""

    began: datetime
    machine: list[str]
    seconds: float
    rounds: int
    turns: list[NoiseTurn]
    storms: list[StormTurn]
    trials: list[TrialTurn]

    def with_rest_of(self, before: "NoiseReport") -> "NoiseReport":
        """This run, and of the parts that it left out what an earlier one found."""
        return msgspec.structs.replace(
            self,
            turns=self.turns or before.turns,
            storms=self.storms or before.storms,
            trials=self.trials or before.trials,
        )

    @property
    def scenarios(self) -> list[str]:
        """In the order of their turns."""
        return list(dict.fromkeys(one.turn.scenario for one in self.turns))

    @property
    def houses(self) -> list[str]:
        """In the order of their turns."""
        return list(dict.fromkeys(one.house for one in self.turns))

    def of(self, scenario: str, house: str) -> list[Turn]:
        """The turns of one set of rules in one scenario."""
        return [one.turn for one in self.turns if one.house == house and one.turn.scenario == scenario]

    def ratio(self, scenario: str, house: str, against: str) -> float:
        """The median rate over that of another set of rules."""
        return median(t.rate for t in self.of(scenario, house)) / median(t.rate for t in self.of(scenario, against))

    def cpu(self, scenario: str, house: str, part: str) -> float:
        """The median of a part's microseconds an alert."""
        return median(turn.cpu[part] for turn in self.of(scenario, house))
