"""How does noise.md read? What rules, silences and groups cost ingest, what a storm becomes, how long a trial takes."""

from statistics import median

from bench.noise import EVERYTHING, NOTHING
from bench.noise_results import NoiseReport, StormTurn
from bench.number import met, number

GOAL_RATIO, GOAL_GROUPS, GOAL_F1, GOAL_SECONDS = 0.6, 60, 0.95, 60.0
PARTS = ("server", "relay", "database")


def render(report: NoiseReport) -> str:
    """The text of noise.md."""
    parts = [_head(report), _goals(report)]
    if report.turns:
        parts.append(_ingest(report))
    if report.storms:
        parts.append(_storms(report))
    if report.trials:
        parts.append(_trials(report))
    return "\n\n".join(parts) + "\n"


def _head(report: NoiseReport) -> str:
    lines = [
        "# What less noise costs",
        "",
        "Written by `python -m bench noise` (`--quick` prints and writes nothing, `--parts` picks of ingest, storm,",
        "trial). One server in turns with nothing, with 300 alert rules, with 200 silences, with 50 group rules, and",
        "with all of them (`house.py`): for every alert one rule holds and another is monitored, a silence holds every",
        "tenth, and one group rule makes all of them one group, so that all batches meet at one key. The rest is for",
        "other alerts.",
        "",
        f"Run of {report.began:%Y-%m-%d}, {report.rounds} turns of {report.seconds:.0f} s each, medians.",
        "",
        *(f"- {line}" for line in report.machine),
    ]
    return "\n".join(lines)


def _goals(report: NoiseReport) -> str:
    lines = ["| goal | figure | met |", "|---|---|---|"]
    if report.turns:
        for name in report.houses[1:]:
            worst = min(report.ratio(scenario, name, NOTHING) for scenario in report.scenarios)
            lines.append(
                f"| with {name}, {GOAL_RATIO} of the rate without | {number(worst)} | {met(worst >= GOAL_RATIO)} |"
            )
        work = max(
            _work(report, scenario, EVERYTHING) / _work(report, scenario, NOTHING) for scenario in report.scenarios
        )
        lines.append(f"| with all of them, processor's time an alert over that without | {number(work)} | |")
    for noise in sorted({storm.noise for storm in report.storms}):
        found = [s for s in report.storms if s.noise == noise and s.server == "tocsin" and s.f1 is not None]
        groups, f1 = max(s.groups or 0 for s in found), min(s.f1 or 0.0 for s in found)
        lines.append(
            f"| storm, {noise:.0%} noise: at most {GOAL_GROUPS} groups | {groups} | {met(groups <= GOAL_GROUPS)} |"
        )
        lines.append(f"| storm, {noise:.0%} noise: F1 of {GOAL_F1} by pairs | {f1:.3f} | {met(f1 >= GOAL_F1)} |")
    if report.trials:
        largest = max(trial.signals for trial in report.trials)
        tried = [trial for trial in report.trials if trial.signals == largest]
        slowest, most = max(trial.seconds for trial in tried), max(trial.cpu["server"] for trial in tried)
        lines.append(f"| a million signals tried within a minute | {slowest:.0f} s | {met(slowest <= GOAL_SECONDS)} |")
        lines.append(f"| … of which the serving process's own | {most:.0f} s | {met(most <= GOAL_SECONDS)} |")
    return "\n".join(lines)


def _work(report: NoiseReport, scenario: str, house: str) -> float:
    return sum(report.cpu(scenario, house, part) for part in PARTS)


def _ingest(report: NoiseReport) -> str:
    lines = [
        "## Ingest",
        "",
        "Microseconds of the processor an alert by part; `of nothing` compares rates of the same run.",
        "",
        "| scenario | with | alerts/s | of nothing | server | relay | database | all, of nothing |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for scenario in report.scenarios:
        for name in report.houses:
            rate = median(turn.rate for turn in report.of(scenario, name))
            cells = [scenario, name, f"{rate:,.0f}", f"{report.ratio(scenario, name, NOTHING):.2f}"]
            cells += [f"{report.cpu(scenario, name, part):.0f}" for part in PARTS]
            cells.append(f"{_work(report, scenario, name) / _work(report, scenario, NOTHING):.2f}")
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _storms(report: NoiseReport) -> str:
    first = report.storms[0]
    lines = [
        "## A storm",
        "",
        f"{first.alerts:,} alerts of 50 known causes (`groups.py`), posted as fast as they are taken, a hundred a",
        "request; the same bytes to Alertmanager. With noise 2 % of them lost the label that tells their cause, or",
        "word it otherwise; docs/groups.md tells which groups that makes. Precision, recall and F1 are by",
        "pairs of alerts; `MB` is by how much the server grew.",
        "",
        "| noise | server | groups by | alerts/s | server µs | database µs | MB | groups | precision | recall | F1 |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for key in dict.fromkeys((storm.noise, storm.server, storm.ways) for storm in report.storms):
        found = [storm for storm in report.storms if (storm.noise, storm.server, storm.ways) == key]
        lines.append(_storm(found))
    return "\n".join(lines)


def _storm(found: list[StormTurn]) -> str:
    one = found[-1]
    cells = [f"{one.noise:.0%}", one.server, one.ways, f"{median(storm.rate for storm in found):,.0f}"]
    parts = ("server", "database")
    cells += [f"{median(storm.cpu[part] for storm in found):.0f}" if part in one.cpu else "" for part in parts]
    cells.append(f"{max(storm.grown for storm in found):.0f}")
    if one.f1 is None or one.precision is None or one.recall is None:
        cells += [""] * 4
    else:
        cells += [f"{max(storm.groups or 0 for storm in found):,}"]
        cells += [f"{value:.3f}" for value in (one.precision, one.recall, one.f1)]
    return "| " + " | ".join(cells) + " |"


def _trials(report: NoiseReport) -> str:
    lines = [
        "## A rule tried on the past",
        "",
        "`alertRuleTest` as an event stream, on the one process that serves, with 300 alert rules of today; seconds.",
        "",
        "| draft | signals | it held for | in all | server's CPU | database's CPU | MB | first told | told, times |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for trial in report.trials:
        cells = [trial.draft, f"{trial.signals:,}", f"{trial.matched:,}", f"{trial.seconds:.0f}"]
        cells += [f"{trial.cpu['server']:.0f}", f"{trial.cpu['database']:.0f}", f"{trial.grown:.0f}"]
        cells += [f"{trial.steps[0][0]:.1f}", f"{len(trial.steps)}"] if trial.steps else ["", ""]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
