"""What becomes of a storm that is posted as fast as it is taken? Over HTTP, to Tocsin and to Alertmanager.

100,000 alerts of 50 known causes (groups_storm.py), the same bytes for both. Tocsin groups by the rules of a house that
knows these kinds of causes, and 44 more that are for others; Alertmanager by `group_by`, as its configuration says it.
"""

import json
import urllib.request
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import orjson

from bench import groups, groups_storm, house
from bench.contenders.alertmanager import Alertmanager
from bench.contenders.base import Contender, Route
from bench.database import Stores
from bench.live_servers import LiveTocsin
from bench.load import Load, Result, run
from bench.machine import cpu_seconds, resident_bytes
from bench.noise_results import StormTurn
from bench.results import MAIN_ROUTE

PER_REQUEST, CONNECTIONS = 100, 8
NUMBER = "number"
NOISES = (0.0, groups_storm.NOISE)
GROUP_BYS = (("alertname", "cluster", "service"), ("alertname",), ("service",))
MEMBERS = f"SELECT (labels->>'{NUMBER}')::int AS number, group_id FROM alerts WHERE labels ? '{NUMBER}'"


def write_bodies(path: Path, alerts: int, *, noise: float) -> None:
    """The storm as requests of Alertmanager's API, one a line, in the order of the alerts' times."""
    now = datetime.now(UTC)
    times = {"startsAt": now.isoformat(), "endsAt": (now + timedelta(hours=4)).isoformat()}
    batch: list[dict[str, object]] = []
    with path.open("wb") as file:
        for said in groups_storm.storm(alerts, noise=noise):
            # The fingerprint of the labels is the key, so each alert has one of its own.
            labels = {**said.signal.labels, NUMBER: said.signal.signal.dedup_key.rpartition(":")[2]}
            batch.append({"labels": labels, "annotations": {"summary": said.signal.title}, **times})
            if len(batch) == PER_REQUEST:
                file.write(orjson.dumps(batch) + b"\n")
                batch = []


def measure(folder: Path, tocsin: LiveTocsin, stores: Stores, *, alerts: int, rounds: int) -> Iterator[StormTurn]:
    """The storm without and with noise: without group rules, with them, and to Alertmanager."""
    rules = [one.rule for one in groups.house_rules().rules]
    more = house.idle_group_rules(house.GROUP_RULES - len(rules))
    house.refurnish(stores.tocsin, [*rules, *more], groups_storm.NEEDS)
    kinds = {"no group rule": (), f"{house.GROUP_RULES} group rules": ("groups",), "all rules and silences": house.ALL}
    for noise in NOISES:
        bodies = folder / f"storm-{noise:.2f}.jsonl"
        write_bodies(bodies, alerts, noise=noise)
        for _ in range(rounds):
            for name, on in kinds.items() if noise == 0 else [("50 group rules", ("groups",))]:
                house.switch(stores.tocsin, on)
                tocsin.clear()
                # The same alerts as the turn before: the server would remember that they are open.
                tocsin.restart_api()
                stores.checkpoint()
                yield _tocsin_turn(tocsin, stores, bodies, alerts, ways=name, noise=noise)
        if Alertmanager.is_installed():
            for names in GROUP_BYS:
                yield _alertmanager_turn(folder, bodies, alerts, names, noise=noise)
    tocsin.clear()


def _tocsin_turn(
    tocsin: LiveTocsin, stores: Stores, bodies: Path, alerts: int, *, ways: str, noise: float
) -> StormTurn:
    pids = {**tocsin.parts(), "database": stores.postgresql_pid}
    server = pids["server"]
    before, size = {name: cpu_seconds(pid) for name, pid in pids.items()}, resident_bytes(server)
    result = run(_load(tocsin, _main_route(tocsin), bodies, alerts))
    used = {name: cpu_seconds(pid) - before[name] for name, pid in pids.items()}
    grown = (resident_bytes(server) - size) / 1e6
    tocsin.settle()
    _check(result, alerts)
    members = [(row["number"], row["group_id"]) for row in stores.tocsin.rows(MEMBERS)]
    return _turn(tocsin.name, ways, noise, members, result=result, used=used, grown=grown)


def _alertmanager_turn(folder: Path, bodies: Path, alerts: int, names: Sequence[str], *, noise: float) -> StormTurn:
    peer = Alertmanager(folder / "logs", group_by=names)
    peer.start()
    try:
        pid = peer.parts()["server"]
        before, size = cpu_seconds(pid), resident_bytes(pid)
        result = run(_load(peer, peer.routes()[0], bodies, alerts))
        used, grown = {"server": cpu_seconds(pid) - before}, (resident_bytes(pid) - size) / 1e6
        _check(result, alerts)
        with urllib.request.urlopen(f"http://127.0.0.1:{peer.port}/api/v2/alerts/groups", timeout=300) as answer:
            told = json.load(answer)
    finally:
        peer.stop()
    members = [
        (int(alert["labels"][NUMBER]), UUID(int=place)) for place, one in enumerate(told) for alert in one["alerts"]
    ]
    ways = f"group_by: [{', '.join(names)}]"
    return _turn(peer.name, ways, noise, members, result=result, used=used, grown=grown)


def _turn(
    server: str,
    ways: str,
    noise: float,
    members: Sequence[tuple[int, UUID | None]],
    *,
    result: Result,
    used: dict[str, float],
    grown: float,
) -> StormTurn:
    alone = sum(group is None for _, group in members)
    is_grouped = alone < len(members)
    precision, recall = groups.pairwise(_counted(members))
    return StormTurn(
        server=server,
        ways=ways,
        noise=noise,
        alerts=len(members),
        groups=len({group for _, group in members if group is not None}) if is_grouped else None,
        alone=alone if is_grouped else None,
        precision=precision if is_grouped else None,
        recall=recall if is_grouped else None,
        rate=result.rate,
        cpu={name: 1e6 * seconds / max(1, result.accepted) for name, seconds in used.items()},
        grown=grown,
    )


def _counted(members: Iterable[tuple[int, UUID | None]]) -> Counter[tuple[int, UUID]]:
    """How many alerts of each cause are in each group; one of no group is a group of its own."""
    counted = Counter[tuple[int, UUID]]()
    for number, group in members:
        counted[number % groups_storm.CAUSES, UUID(int=1 << 100 | number) if group is None else group] += 1
    return counted


def _main_route(contender: Contender) -> Route:
    return next(route for route in contender.routes() if route.name == MAIN_ROUTE)


def _load(contender: Contender, route: Route, bodies: Path, alerts: int) -> Load:
    return Load(
        port=contender.port,
        path=route.path,
        headers=dict(route.headers),
        opening="",
        item="",
        closing="",
        prefix="",
        per_request=PER_REQUEST,
        connections=CONNECTIONS,
        seconds=600.0,
        limit=alerts,
        bodies=str(bodies),
    )


def _check(result: Result, alerts: int) -> None:
    if result.accepted != alerts:
        message = f"{result.accepted} of {alerts} alerts were taken: {result.statuses}"
        raise RuntimeError(message)
