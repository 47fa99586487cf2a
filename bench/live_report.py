"""How does live.md read? Goals, where an event is on its way, memory, a restart, ingest beside it."""

from pathlib import Path

from bench.live_results import IngestTurn, LiveReport, place
from bench.number import met, number

HERE = Path(__file__).resolve().parent
GOAL_LAST, GOAL_SUSTAINED, GOAL_BYTES, GOAL_INGEST, GOAL_BACK = 1.5, 10.0, 50_000, 0.9, 10.0
STAGES = ("post to answer", "answer to hand-over", "hand-over to first", "first to last", "hand-over to last")
WHOLE = "hand-over to last"


def render(report: LiveReport) -> str:
    """The text of live.md."""
    parts = [_head(report), _goals(report)]
    if report.turns:
        parts.append(_fan_out(report))
    if report.memory:
        parts.append(_memory(report))
    if report.restart is not None:
        parts.append(_restart(report))
    if report.ingest:
        parts.append(_ingest(report.ingest))
    return "\n\n".join(parts) + "\n"


def _head(report: LiveReport) -> str:
    text = (HERE / "live_head.md").read_text().rstrip()
    run = f"Run of {report.began:%Y-%m-%d}, {report.subscribers:,} sockets."
    return "\n".join([text, "", run, "", *(f"- {line}" for line in report.machine)])


def _goals(report: LiveReport) -> str:
    lines = ["| goal | figure | met |", "|---|---|---|"]

    def add(goal: str, figure: float, *, is_met: bool) -> None:
        lines.append(f"| {goal} | {number(figure)} | {met(is_met)} |")

    if report.of("tocsin") and report.of("bare") and report.of("stock"):
        for groups in _groups(report):
            ratio = report.stage("tocsin", WHOLE, 0.5, groups) / report.stage("bare", WHOLE, 0.5)
            goal = f"last client within {GOAL_LAST} times the bare broadcast, {groups} group{'s' * (groups > 1)} (p50)"
            add(goal, ratio, is_met=ratio <= GOAL_LAST)
        for groups in _groups(report):
            ratio = report.sustained("tocsin", groups) / report.sustained("stock")
            goal = f"at least {GOAL_SUSTAINED:.0f} times the events/s of stock, {groups} group{'s' * (groups > 1)}"
            add(goal, ratio, is_met=ratio >= GOAL_SUSTAINED)
    for turn in report.memory:
        goal = f"under {GOAL_BYTES // 1000} kB a subscriber, {turn.subscribers:,} of them"
        add(goal, turn.each / 1000, is_met=turn.each < GOAL_BYTES)
    if report.restart is not None:
        seconds = report.restart.first_shared_seconds
        goal = f"{report.restart.subscribers:,} back with as many cursors share again within {GOAL_BACK:.0f} s"
        add(goal, seconds, is_met=seconds <= GOAL_BACK)
    for beside, ratio in _ingest_ratios(report.ingest):
        goal = f"ingest keeps {GOAL_INGEST} of its rate: {beside.crowd}; {beside.scenario}"
        add(goal, ratio, is_met=ratio >= GOAL_INGEST)
    return "\n".join(lines)


def _groups(report: LiveReport) -> list[int]:
    return sorted({turn.groups for turn in report.of("tocsin")})


def _fan_out(report: LiveReport) -> str:
    lines = [
        "## From the commit to the last client",
        "",
        "Milliseconds, p50 / p95 of all events; events a second that every socket received, and what a message to one",
        "socket took of the server's processor meanwhile, in microseconds.",
        "",
        f"| server | groups | events/s | µs a message | {' | '.join(STAGES)} | answer to last | bytes | load process |",
        "|---|---|---|" + "---|" * (len(STAGES) + 4),
    ]
    for server, groups in dict.fromkeys((turn.server, turn.groups) for turn in report.turns):
        found = report.of(server, groups)
        cells = [server, str(groups) if server == "tocsin" else "", number(report.sustained(server, groups))]
        cells.append(number(report.cost(server, groups) or None))
        for stage in (*STAGES, "answer to last"):
            known = stage in found[0].stages
            both = [report.stage(server, stage, part, groups) for part in (0.5, 0.95)] if known else []
            cells.append(" / ".join(number(value) for value in both))
        cells += [f"{found[0].bytes_each:.0f}", f"{max(turn.load_share for turn in found):.0%} of a core"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _memory(report: LiveReport) -> str:
    lines = [
        "## Memory of many sockets",
        "",
        "Of a fresh process; 5 groups.",
        "",
        "| sockets | MB before | with all there | after events | kB each, at most | there after, s | last client, ms |",
        "|---|---|---|---|---|---|---|",
    ]
    for turn in report.memory:
        sizes = [f"{size / 1e6:.0f}" for size in turn.resident]
        cells = [f"{turn.subscribers:,}", *sizes, number(turn.each / 1000), number(turn.subscribe_seconds)]
        lines.append("| " + " | ".join([*cells, number(place(turn.last_ms, 0.5))]) + " |")
    return "\n".join(lines)


def _restart(report: LiveReport) -> str:
    turn = report.restart
    assert turn is not None
    number_of, last = turn.subscribers, place(turn.last_ms, 0.5)
    text = f"""
## After a crash

The API is killed and started again; {number_of:,} sockets come back within {turn.subscribe_seconds:.1f} s, each with
the cursor of another of the last {number_of:,} events. {turn.replay_seconds:.1f} s after the last had come, all
{turn.replayed:,} events in between were replayed; after {turn.first_shared_seconds:.1f} s a new one had reached all.
From then on the last client had each event {number(last)} ms after its post was answered (p50).
"""
    return text.strip()


def _ingest(turns: list[IngestTurn]) -> str:
    lines = [
        "## Ingest beside subscribers",
        "",
        "At full rate; how far each consumer of the relay was behind at most (`followers`: what is told), and how",
        "long the consumers worked on afterwards. Messages: while the load ran, and in that time after it.",
        "",
        "| load | beside it | alerts/s | of alone | messages | later | resets | behind at most, s | worked on, s |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    ratios = {(turn.scenario, turn.crowd): ratio for turn, ratio in _ingest_ratios(turns)}
    for turn in turns:
        ratio = ratios.get((turn.scenario, turn.crowd))
        lags = ", ".join(f"{name} {most:.1f}" for name, (most, _) in turn.lags.items())
        cells = [turn.scenario, turn.crowd, f"{turn.rate:,.0f}", number(ratio)]
        cells += [f"{turn.frames:,}", f"{turn.frames_after:,}", f"{turn.resets:,}"]
        lines.append("| " + " | ".join([*cells, lags, f"{turn.settle_seconds:.1f}"]) + " |")
    if any(turn.cpu for turn in turns):
        lines += ["", *_costs(turns)]
    return "\n".join(lines)


def _costs(turns: list[IngestTurn]) -> list[str]:
    """Whose processor time that was."""
    names = list(dict.fromkeys(name for turn in turns for name in turn.cpu))
    lines = [
        "Microseconds of processor an alert by process, until the consumers had read everything; cores busy meanwhile.",
        "",
        f"| load | beside it | {' | '.join(names)} | cores |",
        "|---|---|" + "---|" * (len(names) + 1),
    ]
    for turn in turns:
        used = [f"{turn.cpu[name]:.0f}" if name in turn.cpu else "" for name in names]
        lines.append(f"| {turn.scenario} | {turn.crowd} | {' | '.join(used)} | {turn.busy:.2f} |")
    return lines


def _ingest_ratios(turns: list[IngestTurn]) -> list[tuple[IngestTurn, float]]:
    """Each turn with a crowd, and its rate over that without."""
    alone = {turn.scenario: turn.rate for turn in turns if turn.crowd == "nobody"}
    return [(turn, turn.rate / alone[turn.scenario]) for turn in turns if turn.crowd != "nobody"]
