"""How does README.md read? The goals with their figures, every rate with its ratios, latencies, and times."""

from pathlib import Path
from statistics import median

from bench import turns
from bench.number import met, number
from bench.results import MAIN_ROUTE, IngestReport, MemoryReport
from bench.turns import Scenario

HERE = Path(__file__).resolve().parent
SINGLE_GOAL_ALERTA, GOAL_FLOOR, BATCH_GOAL_RATE, GOAL_P95 = 30.0, 0.5, 10_000, 200.0
GOAL_GROWTH = 0.05
SINGLES = tuple(scenario for scenario in turns.SCENARIOS if scenario.per_request == 1)
BATCHES = tuple(scenario for scenario in turns.SCENARIOS if scenario.per_request > 1)


def render(
    ingest: IngestReport | None,
    memory: MemoryReport | None,
) -> str:
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
    least = [
        (
            f"at least {SINGLE_GOAL_ALERTA:.0f} times Alerta, 1 a request",
            report.worst_ratio(SINGLES, "alerta"),
            SINGLE_GOAL_ALERTA,
        ),
        (f"at least {GOAL_FLOOR} of the floor, 1 a request", report.worst_ratio(SINGLES, "floor"), GOAL_FLOOR),
        (f"at least {GOAL_FLOOR} of the floor, 100 a request", report.worst_ratio(BATCHES, "floor"), GOAL_FLOOR),
        (
            f"at least {BATCH_GOAL_RATE:,} alerts/s, 100 a request (orientation)",
            report.rate(turns.BATCH, "tocsin", MAIN_ROUTE),
            BATCH_GOAL_RATE,
        ),
    ]
    most = [
        (
            "p95 under 200 ms at half of the maximum",
            max((turn.result.latencies["p95"] for turn in report.at_half), default=None),
            GOAL_P95,
        )
    ]
    lines = ["### Goals", "", "| goal | figure | met |", "|---|---|---|"]
    lines += [
        f"| {goal} | {number(figure)} | {met(figure is not None and figure >= limit)} |"
        for goal, figure, limit in least
    ]
    lines += [
        f"| {goal} | {number(figure)} | {met(figure is not None and figure < limit)} |" for goal, figure, limit in most
    ]
    if memory is not None:
        growth = memory.growth("server")
        lines.append(f"| memory flat over a million alerts | {growth:+.1%} | {met(growth < GOAL_GROWTH)} |")
    ours = [turn for turn in report.turns if turn.contender == "tocsin"]
    differs, total = sum(turn.differs for turn in ours), sum(turn.result.accepted for turn in ours)
    lines.append(f"| all that was answered 2xx is stored once | {differs} of {total:,} differ | {met(differs == 0)} |")
    lines += ["", "Ratios are those of the worst scenario, on the route `/api/v2/alerts`; the tables have the others."]
    return "\n".join(lines)


def _tables(report: IngestReport) -> list[str]:
    tables = []
    for scenario in turns.SCENARIOS:
        found = report.of_scenario(scenario)
        if not found:
            continue
        lines = [
            f"### {scenario.name}",
            "",
            "| server | route | alerts/s | of the floor | times Alerta | of Alertmanager | p50 ms | p95 ms | p99 ms |",
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
        ratios = [number(report.ratio(scenario, other, route)) for other in ("floor", "alerta", "alertmanager")]
    latencies = [number(median(turn.result.latencies[place] for turn in found)) for place in ("p50", "p95", "p99")]
    cells = [contender, route, f"{median(rates):,.0f} ({rates[0]:,.0f} - {rates[-1]:,.0f})", *ratios, *latencies]
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
        latencies = [number(median(t.result.latencies[place] for t in found)) for place in ("p50", "p95", "p99", "max")]
        rate = median(turn.rate for turn in found)
        lines.append(f"| {scenario} | {route} | {rate:,.0f} | " + " | ".join(latencies) + " |")
    return "\n".join(lines)


def _times(report: IngestReport) -> str:
    lines = [
        "### Where the time goes",
        "",
        "CPU time an alert, in microseconds (two cores have 2,000,000 a second), and how long the relay worked on",
        "after the load had ended.",
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
        f"Run of {report.began:%Y-%m-%d}: 100 a request, every key new, {report.rate:,.0f} alerts/s; resident MB.",
        "",
        f"| alerts | {' | '.join(names)} |",
        "|---|" + "---|" * len(names),
    ]
    for alerts, sizes in report.samples:
        lines.append(f"| {alerts:,} | " + " | ".join(f"{sizes[name]:.0f}" for name in names) + " |")
    return "\n".join(lines)
