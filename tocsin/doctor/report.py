"""What does the doctor say, and how does it look? A state for each part, what follows from it, and what to do."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from rich.console import Console
from rich.table import Table


class State(StrEnum):
    """How a part is. `OFF`: it was not asked for, and its work is done in another way."""

    OK = "ok"
    OFF = "off"
    DEGRADED = "degraded"
    BROKEN = "broken"


EXIT_CODES = {State.OK: 0, State.OFF: 0, State.BROKEN: 1, State.DEGRADED: 2}
COLOURS = {State.OK: "green", State.OFF: "dim", State.DEGRADED: "yellow", State.BROKEN: "bold red"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What was found of one part. `consequence` is what does not work, `remedy` what to do about it."""

    name: str
    state: State
    detail: str
    consequence: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """All parts."""

    checks: Sequence[Check]

    @property
    def state(self) -> State:
        """The worst that was found; a part that is off is no worse than one that is well."""
        states = {check.state for check in self.checks}
        return next((state for state in (State.BROKEN, State.DEGRADED) if state in states), State.OK)

    @property
    def exit_code(self) -> int:
        """0 well, 1 broken, 2 degraded."""
        return EXIT_CODES[self.state]

    def as_json(self) -> str:
        """One JSON object for programs."""
        return json.dumps({"state": self.state, "checks": [asdict(check) for check in self.checks]}, indent=2)


def show(report: Report, *, as_json: bool) -> None:
    """Print the report on standard output."""
    if as_json:
        sys.stdout.write(report.as_json() + "\n")
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for check in report.checks:
        words = [check.detail, check.consequence, f"→ {check.remedy}" if check.remedy else ""]
        colour = COLOURS[check.state]
        table.add_row(check.name, f"[{colour}]{check.state}[/{colour}]", "\n".join(filter(None, words)))
    console = Console(highlight=False)
    console.print(table)
    console.print(f"\n{report.state}: {SUMMARY[report.state]}")


SUMMARY = {
    State.OK: "everything asked for works",
    State.DEGRADED: "alerts are taken; what is marked above does not work, or not as well as it could",
    State.BROKEN: "alerts cannot be taken until what is marked above is mended",
}
