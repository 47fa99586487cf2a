"""What did the runs say? README.md: the goals with their figures, every rate with its ratios, latencies, and times."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from statistics import median

import msgspec

from bench import turns
from bench.turns import Scenario, Turn

HERE = Path(__file__).resolve().parent
SINGLE_GOAL_ALERTA, GOAL_FLOOR, BATCH_GOAL_RATE, GOAL_P95 = 30.0, 0.5, 10_000, 200.0
GOAL_GROWTH = 0.05
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

    def ratio(self, scenario: Scenario, against: str, route: str) -> float | None:
        """Tocsin's rate over another's: over the same route's where there is one, else over the other's only one."""
        ours = self.rate(scenario, "tocsin", route)
        theirs = self.rate(scenario, against, route if self.of(scenario, against, route) else None)
        return ours / theirs if ours and theirs else None


def render(ingest: IngestReport | None, memory: MemoryReport | None) -> str:
    """The text of README.md."""
    parts = [(HERE / "how.md").read_text()]
    if ingest is not None:
        parts += [_conditions(ingest), _goals(ingest, memory), *_tables(ingest), _half(ingest), _times(ingest)]
    if memory is not None:
        parts.append(_memory(memory))
    parts.append((HERE / "notes.md").read_text())
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _conditions(report: IngestReport) -> str:
    settings = ", ".join(f"{name} {value}" for name, value in report.postgresql.items())
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    lines = [
        f"## The run of {report.began:%Y-%m-%d}",
        "",
        *(f"- {line}" for line in report.machine),
        f"- {versions}",
        f"- PostgreSQL: {settings}",
        f"- {report.rounds} turns of {report.seconds:.0f} s each; medians, with the lowest and highest in brackets",
    ]
    return "\n".join(lines)


def _goals(report: IngestReport, memory: MemoryReport | None) -> str:
    rows = [
        ("≥ 30 × Alerta, 1 a request", _worst_ratio(report, "alerta"), SINGLE_GOAL_ALERTA),
        ("≥ 0.5 of the floor, 1 a request", _worst_ratio(report, "floor"), GOAL_FLOOR),
        (
            "≥ 0.5 of the floor, 100 a request",
            _ratio_of(report, (turns.BATCH, turns.BATCH_REPEATS), "floor"),
            GOAL_FLOOR,
        ),
        (
            "≥ 10,000 alerts/s, 100 a request (orientation)",
            report.rate(turns.BATCH, "tocsin", MAIN_ROUTE),
            BATCH_GOAL_RATE,
        ),
    ]
    lines = ["### Goals", "", "| goal | figure | met |", "|---|---|---|"]
    for goal, figure, limit in rows:
        lines.append(f"| {goal} | {_number(figure)} | {_met(figure is not None and figure >= limit)} |")
    halves = [turn for turn in report.turns if turn.target_rate is not None]
    worst = max((turn.result.latencies["p95"] for turn in halves), default=None)
    lines.append(
        f"| p95 < 200 ms at half of the maximum | {_number(worst)} ms | {_met(worst is not None and worst < GOAL_P95)} |"
    )
    if memory is not None:
        growth = memory.growth("server")
        lines.append(f"| memory flat over a million alerts | {growth:+.1%} | {_met(growth < GOAL_GROWTH)} |")
    differs = sum(turn.differs for turn in report.turns if turn.contender == "tocsin")
    total = sum(turn.result.accepted for turn in report.turns if turn.contender == "tocsin")
    lines.append(
        f"| every alert answered 2xx is stored exactly once | {differs} of {total:,} differ | {_met(differs == 0)} |"
    )
    lines += ["", "Ratios are those of the worst scenario, on the route `/api/v2/alerts`; the tables have the others."]
    return "\n".join(lines)


def _worst_ratio(report: IngestReport, against: str) -> float | None:
    singles = tuple(scenario for scenario in turns.SCENARIOS if scenario.per_request == 1)
    return _ratio_of(report, singles, against)


def _ratio_of(report: IngestReport, scenarios: Sequence[Scenario], against: str) -> float | None:
    ratios = [report.ratio(scenario, against, MAIN_ROUTE) for scenario in scenarios]
    return min((ratio for ratio in ratios if ratio is not None), default=None)


def _tables(report: IngestReport) -> list[str]:
    tables = []
    for scenario in turns.SCENARIOS:
        found = report.of_scenario(scenario)
        if not found:
            continue
        lines = [
            f"### {scenario.name}",
            "",
            "| server | route | alerts/s | of the floor | × Alerta | of Alertmanager | p50 ms | p95 ms | p99 ms |",
            "|---|---|---|---|---|---|---|---|---|",
        ]
        lines += [_row(report, scenario, contender, route) for contender, route in found]
        tables.append("\n".join(lines))
    return tables


def _row(report: IngestReport, scenario: Scenario, contender: str, route: str) -> str:
    found = report.of(scenario, contender, route)
    rates = sorted(turn.rate for turn in found)
    ratios = ["", "", ""]
    if contender == "tocsin":
        ratios = [_number(report.ratio(scenario, other, route)) for other in ("floor", "alerta", "alertmanager")]
    latencies = [_number(median(turn.result.latencies[place] for turn in found)) for place in ("p50", "p95", "p99")]
    cells = [contender, route, f"{median(rates):,.0f} ({rates[0]:,.0f}–{rates[-1]:,.0f})", *ratios, *latencies]
    return "| " + " | ".join(cells) + " |"


def _half(report: IngestReport) -> str:
    lines = [
        "### Latency at half of the maximum",
        "",
        "Requests are due at a fixed rate whether answers come or not; latency counts from when a request was due.",
        "",
        "| scenario | route | alerts/s | p50 ms | p95 ms | p99 ms | longest ms |",
        "|---|---|---|---|---|---|---|",
    ]
    seen: list[tuple[str, str]] = []
    for turn in report.turns:
        if turn.target_rate is not None and (turn.scenario, turn.route) not in seen:
            seen.append((turn.scenario, turn.route))
    for scenario, route in seen:
        found = [t for t in report.turns if t.target_rate is not None and (t.scenario, t.route) == (scenario, route)]
        latencies = [
            _number(median(t.result.latencies[place] for t in found)) for place in ("p50", "p95", "p99", "max")
        ]
        rate = median(turn.rate for turn in found)
        lines.append(f"| {scenario} | {route} | {rate:,.0f} | " + " | ".join(latencies) + " |")
    return "\n".join(lines)


def _times(report: IngestReport) -> str:
    lines = [
        "### Where the time goes",
        "",
        "CPU time an alert, in microseconds (two cores have 2,000,000 a second), and how long the relay worked on after",
        "the load had ended.",
        "",
        "| scenario | server | route | server | relay | database | load | relay behind, s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for scenario in turns.SCENARIOS:
        for contender, route in report.of_scenario(scenario):
            found = report.of(scenario, contender, route)
            parts = [
                f"{median(turn.cpu[part] for turn in found):,.0f}" if part in found[0].cpu else ""
                for part in ("server", "relay", "database", "load")
            ]
            behind = f"{median(turn.settle_seconds for turn in found):.1f}" if contender == "tocsin" else ""
            lines.append(f"| {scenario.name} | {contender} | {route} | " + " | ".join([*parts, behind]) + " |")
    return "\n".join(lines)


def _memory(report: MemoryReport) -> str:
    names = list(report.samples[0][1])
    lines = [
        f"### Memory over {report.samples[-1][0]:,} alerts",
        "",
        f"Run of {report.began:%Y-%m-%d}, 100 a request, every key new, {report.rate:,.0f} alerts/s; resident megabytes.",
        "",
        f"| alerts | {' | '.join(names)} |",
        "|---|" + "---|" * len(names),
    ]
    for alerts, sizes in report.samples:
        lines.append(f"| {alerts:,} | " + " | ".join(f"{sizes[name]:.0f}" for name in names) + " |")
    return "\n".join(lines)


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _met(met: bool) -> str:  # noqa: FBT001 - a cell
    return "yes" if met else "**no**"
