"""What does the past's wisdom cost an alert that arrives? Rules, silences and group rules, in turns with nothing.

One server, one database: before each turn its rules are switched on or off, as a person would do it. `storm` posts
100,000 alerts of 50 causes (noise_storm.py), `trial` tries a rule on a million stored signals (noise_trial.py).
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench import database, house, noise_storm, noise_trial, turns
from bench.contenders.tocsin import Tocsin
from bench.database import Stores
from bench.live_people import People
from bench.live_servers import LiveTocsin
from bench.machine import describe
from bench.noise_results import NoiseReport, NoiseTurn, StormTurn, TrialTurn
from bench.results import MAIN_ROUTE
from bench.turns import Scenario

SCENARIOS = (turns.BATCH, turns.BATCH_REPEATS, turns.SINGLE_32, turns.SINGLE_32_REPEATS)
NOTHING, EVERYTHING = "nothing", "all of them"
# In the order of their turns.
HOUSES: dict[str, tuple[str, ...]] = {
    NOTHING: (),
    f"{house.RULES} alert rules": ("rules",),
    f"{house.SILENCES} silences": ("silences",),
    f"{house.GROUP_RULES} group rules": ("groups",),
    EVERYTHING: house.ALL,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long, how often, and which parts: ingest, storm, trial."""

    folder: Path
    seconds: float = 4.0
    rounds: int = 3
    scenarios: tuple[Scenario, ...] = SCENARIOS
    parts: frozenset[str] = frozenset({"ingest", "storm", "trial"})
    storm_alerts: int = 100_000
    trial_signals: int = 1_000_000


def measure(plan: Plan) -> NoiseReport:
    """Run the plan's parts."""
    began = datetime.now(UTC)
    with database.running(plan.folder) as stores, ExitStack() as stack:
        tocsin = LiveTocsin(plan.folder / "logs", stores, plan.folder / "tocsin")
        stack.callback(tocsin.stop)
        tocsin.start()
        house.furnish(stores.tocsin)
        return NoiseReport(
            began=began,
            machine=describe(),
            seconds=plan.seconds,
            rounds=plan.rounds,
            turns=list(_turns(plan, tocsin, stores)) if "ingest" in plan.parts else [],
            storms=list(_storms(plan, tocsin, stores)) if "storm" in plan.parts else [],
            trials=list(_trials(plan, tocsin, stores)) if "trial" in plan.parts else [],
        )


def _turns(plan: Plan, tocsin: Tocsin, stores: Stores) -> Iterator[NoiseTurn]:
    route = next(route for route in tocsin.routes() if route.name == MAIN_ROUTE)
    for scenario in plan.scenarios:
        for _ in range(plan.rounds):
            for name, on in HOUSES.items():
                house.switch(stores.tocsin, on)
                turn = turns.take(tocsin, route, scenario, stores=stores, seconds=plan.seconds)
                print(f"{name:18}{turn.line()}", flush=True)
                yield NoiseTurn(house=name, turn=turn)


def _storms(plan: Plan, tocsin: LiveTocsin, stores: Stores) -> Iterator[StormTurn]:
    for turn in noise_storm.measure(plan.folder, tocsin, stores, alerts=plan.storm_alerts, rounds=plan.rounds):
        print(turn.line(), flush=True)
        yield turn


def _trials(plan: Plan, tocsin: Tocsin, stores: Stores) -> Iterator[TrialTurn]:
    token = People(stores.tocsin).crowd(1, groups=1)[0].token
    for turn in noise_trial.measure(tocsin, stores, token, plan.trial_signals):
        print(turn.line(), flush=True)
        yield turn
