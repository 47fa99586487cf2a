"""How many alerts a second are taken, and how long does each wait? Turn and turn about with the floor and the peers."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from bench import database, turns
from bench.contenders.alerta import Alerta
from bench.contenders.alertmanager import Alertmanager
from bench.contenders.base import Contender, Route
from bench.contenders.floor import FloorServer
from bench.contenders.tocsin import Tocsin
from bench.database import Stores
from bench.machine import describe
from bench.results import IngestReport
from bench.turns import Scenario, Turn

# Latency is looked at with half of what the server can take, since nobody runs one at its limit.
PART_OF_MAXIMUM = 0.5
AT_HALF = (turns.SINGLE_32, turns.SINGLE_256, turns.BATCH)
QUICK = (turns.SINGLE_32, turns.SINGLE_32_REPEATS, turns.BATCH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long, how often, and whom. `only` empty means everyone; `routes` empty means every route."""

    folder: Path
    seconds: float
    rounds: int
    scenarios: tuple[Scenario, ...] = turns.SCENARIOS
    only: frozenset[str] = frozenset()
    routes: frozenset[str] = frozenset()

    def takes(self, contender: Contender) -> bool:
        """Whether this server has turns."""
        return not self.only or contender.name in self.only

    def routes_of(self, contender: Contender, scenario: Scenario) -> list[Route]:
        """The server's routes that have turns in a scenario."""
        return [
            route
            for route in contender.routes()
            if scenario.takes(route) and (not self.routes or route.name in self.routes or contender.name == "alerta")
        ]


def measure(plan: Plan) -> IngestReport:
    """Run the whole plan."""
    began = datetime.now(UTC)
    with database.running(plan.folder) as stores, ExitStack() as stack:
        contenders = [contender for contender in _contenders(plan.folder, stores) if plan.takes(contender)]
        for contender in contenders:
            stack.callback(contender.stop)
            if not contender.restarts_each_turn:
                contender.start()
        taken = []
        for turn in _turns(plan, contenders, stores):
            print(turn.line(), flush=True)
            taken.append(turn)
        return IngestReport(
            began=began,
            machine=describe(),
            versions={contender.name: contender.version() for contender in contenders},
            postgresql=stores.settings(),
            seconds=plan.seconds,
            rounds=plan.rounds,
            turns=taken,
        )


def _contenders(folder: Path, stores: Stores) -> list[Contender]:
    """Everyone, in the order of their turns."""
    logs = folder / "logs"
    everyone: list[Contender] = [
        Tocsin(logs, stores, folder / "tocsin"),
        FloorServer(logs, stores),
        Alerta(logs, stores, folder / "alerta"),
    ]
    if Alertmanager.is_installed():
        everyone.append(Alertmanager(logs))
    else:
        print("Alertmanager is left out: install Debian's package prometheus-alertmanager to compare with it")
    return everyone


def _turns(plan: Plan, contenders: list[Contender], stores: Stores) -> Iterator[Turn]:
    fastest: dict[tuple[str, str], list[float]] = {}
    for scenario in plan.scenarios:
        for _ in range(plan.rounds):
            for contender in contenders:
                for route in plan.routes_of(contender, scenario):
                    turn = turns.take(contender, route, scenario, stores=stores, seconds=plan.seconds)
                    if isinstance(contender, Tocsin):
                        fastest.setdefault((scenario.name, route.name), []).append(turn.rate / scenario.per_request)
                    yield turn
    for contender in contenders:
        if isinstance(contender, Tocsin):
            yield from _at_half(plan, contender, stores, fastest)


def _at_half(plan: Plan, tocsin: Tocsin, stores: Stores, fastest: dict[tuple[str, str], list[float]]) -> Iterator[Turn]:
    """Half of each maximum, at a fixed rate whether answers come or not."""
    for scenario in AT_HALF:
        for _ in range(plan.rounds):
            for route in plan.routes_of(tocsin, scenario):
                rates = fastest.get((scenario.name, route.name))
                if rates:
                    fixed = replace(scenario, rate=median(rates) * PART_OF_MAXIMUM)
                    yield turns.take(tocsin, route, fixed, stores=stores, seconds=plan.seconds)
