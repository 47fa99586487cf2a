"""Which benchmarks are there? Without arguments: `ingest`. All need the machine for themselves to mean anything."""

import argparse
from contextlib import suppress
from pathlib import Path

import msgspec

from bench import (
    auth,
    ingest,
    live,
    live_report,
    live_results,
    memory,
    noise,
    noise_report,
    noise_results,
    notify,
    profile,
    read,
    read_report,
    read_results,
    report,
    results,
    turns,
)

ROOT = Path(__file__).resolve().parent.parent
README = Path(__file__).resolve().parent / "README.md"
NOISE, LIVE, READ = (README.with_name(f"{name}.md") for name in ("noise", "live", "read"))


def main() -> None:
    """Read the command line and run a benchmark."""
    arguments = _parser().parse_args()
    folder: Path = arguments.folder
    if arguments.command in {None, "ingest"}:
        _ingest(arguments)
    elif arguments.command == "memory":
        _keep(folder / "memory.json", memory.measure(folder, alerts=arguments.alerts))
        _write_readme(folder)
    elif arguments.command == "live":
        _live(arguments)
    elif arguments.command == "read":
        _read(arguments)
    elif arguments.command == "notify":
        _notify(arguments)
    elif arguments.command == "noise":
        _noise(arguments)
    elif arguments.command == "auth":
        auth.measure(auth.Plan(folder=folder, seconds=arguments.seconds, rounds=arguments.rounds))
    elif arguments.command == "profile":
        scenario = next(scenario for scenario in turns.SCENARIOS if scenario.name == arguments.scenario)
        profile.profile(folder, scenario, name=arguments.server, part=arguments.part, route_name=arguments.route)
    else:
        _write_readme(folder)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--folder", type=Path, default=ROOT / ".services" / "bench", help="where stores and results live"
    )
    commands = parser.add_subparsers(dest="command")
    ingesting = commands.add_parser("ingest", help="rates and latencies beside floor and peers; writes README.md")
    for one in (parser, ingesting):
        one.add_argument("--quick", action="store_true", help="a few seconds, nothing written: to try the bench itself")
        one.add_argument("--seconds", type=float, default=8.0, help="length of one turn")
        one.add_argument("--rounds", type=int, default=3, help="turns of each server in each scenario")
        one.add_argument("--only", default="", help="servers, comma separated: tocsin, floor, alerta, alertmanager")
        one.add_argument("--routes", default="", help="routes, comma separated: api, webhook, generic")
    remembering = commands.add_parser("memory", help="resident memory over a million alerts; adds to README.md")
    remembering.add_argument("--alerts", type=int, default=1_000_000, help="how many")
    following = commands.add_parser("live", help="a thousand subscribers beside peers; live.md")
    following.add_argument("--quick", action="store_true", help="200 sockets, one round, nothing written")
    following.add_argument("--subscribers", type=int, default=1000, help="how many sockets")
    following.add_argument("--rounds", type=int, default=2, help="turns of each server")
    following.add_argument("--parts", default="fan-out,memory,restart", help="of fan-out, memory, restart, ingest")
    following.add_argument("--with-ingest", action="store_true", help="also: ingest at full rate beside subscribers")
    following.add_argument("--profile", type=int, default=0, help="instead: where time goes, in so many groups")
    following.add_argument("--only", default="", help="servers, comma separated: tocsin, bare, stock")
    reading = commands.add_parser("read", help="pages, counts, searches and HTTP among a million; writes read.md")
    reading.add_argument("--quick", action="store_true", help="20,000 and 200,000 alerts, short turns, nothing written")
    reading.add_argument("--seconds", type=float, default=1.0, help="length of one turn in the store")
    reading.add_argument("--rounds", type=int, default=3, help="turns of each read and each server")
    reading.add_argument("--parts", default="store,index,http", help="of store, index, http")
    reading.add_argument("--only", default="", help="reads or servers that begin so, ';' between; nothing is written")
    telling = commands.add_parser("notify", help="COMMIT to provider, notifications a minute, the tick; prints")
    telling.add_argument("--quick", action="store_true", help="10 seconds, fewer of all: to try the bench itself")
    telling.add_argument("--parts", default="latency,rate,tick", help="of latency, rate, tick")
    quieting = commands.add_parser("noise", help="what rules, silences and groups cost; a storm; a trial; noise.md")
    quieting.add_argument("--quick", action="store_true", help="short turns, a small storm and past, nothing written")
    quieting.add_argument("--seconds", type=float, default=4.0, help="length of one turn")
    quieting.add_argument("--rounds", type=int, default=3, help="turns of each set of rules")
    quieting.add_argument("--alerts", type=int, default=100_000, help="of the storm")
    quieting.add_argument("--parts", default="ingest,storm,trial", help="of ingest, storm, trial")
    checking = commands.add_parser("auth", help="what authentication and permissions cost a request")
    checking.add_argument("--seconds", type=float, default=4.0, help="length of one turn")
    checking.add_argument("--rounds", type=int, default=5, help="turns of each server")
    profiling = commands.add_parser("profile", help="where the server's own time goes, by function")
    profiling.add_argument(
        "--scenario", choices=[scenario.name for scenario in turns.SCENARIOS], default=turns.SINGLE_32.name
    )
    profiling.add_argument("--server", choices=["tocsin", "floor"], default="tocsin")
    profiling.add_argument("--part", choices=["server", "relay"], default="server")
    profiling.add_argument("--route", default=results.MAIN_ROUTE)
    commands.add_parser("report", help="write README.md from the results of the last runs")
    return parser


def _ingest(arguments: argparse.Namespace) -> None:
    plan = ingest.Plan(
        folder=arguments.folder,
        seconds=2.0 if arguments.quick else arguments.seconds,
        rounds=1 if arguments.quick else arguments.rounds,
        scenarios=ingest.QUICK if arguments.quick else turns.SCENARIOS,
        only=frozenset(filter(None, arguments.only.split(","))),
        routes=frozenset(filter(None, arguments.routes.split(","))),
    )
    found = ingest.measure(plan)
    if arguments.quick or plan.only or plan.routes:
        print(report.render(found, None))
    else:
        _keep(arguments.folder / "ingest.json", found)
        _write_readme(arguments.folder)


def _notify(arguments: argparse.Namespace) -> None:
    parts = frozenset(filter(None, arguments.parts.split(",")))
    plan = notify.Plan(folder=arguments.folder, parts=parts)
    if arguments.quick:
        plan = notify.Plan(
            folder=arguments.folder, parts=parts, seconds=10.0, notifications=500, escalations=20_000, ticks=5
        )
    notify.measure(plan)


def _live(arguments: argparse.Namespace) -> None:
    parts = {*filter(None, arguments.parts.split(",")), *(("ingest",) if arguments.with_ingest else ())}
    plan = live.Plan(
        folder=arguments.folder,
        subscribers=200 if arguments.quick else arguments.subscribers,
        events=10 if arguments.quick else 30,
        seconds=2.0 if arguments.quick else 4.0,
        rounds=1 if arguments.quick else arguments.rounds,
        memory=(200,) if arguments.quick else (1000, 5000),
        parts=frozenset(parts),
        only=frozenset(filter(None, arguments.only.split(","))),
    )
    if arguments.profile:
        live.profile_it(plan, groups=arguments.profile)
        return
    found = live.measure(plan)
    if arguments.quick or plan.only:
        return
    kept = arguments.folder / "live.json"
    if kept.exists():
        # Parts may be run one by one: what this run did not look at stays.
        found = live_results.merged(msgspec.json.decode(kept.read_bytes(), type=live_results.LiveReport), found)
    _keep(kept, found)
    LIVE.write_text(live_report.render(found))
    print(f"written: {LIVE}")


def _read(arguments: argparse.Namespace) -> None:
    found = read.measure(
        read.Plan(
            folder=arguments.folder,
            sizes=(20_000, 200_000) if arguments.quick else (100_000, 1_000_000),
            http_seconds=3.0 if arguments.quick else 8.0,
            seconds=0.3 if arguments.quick else arguments.seconds,
            rounds=1 if arguments.quick else arguments.rounds,
            parts=frozenset(arguments.parts.split(",")),
            only=tuple(filter(None, arguments.only.split(";"))),
        )
    )
    if arguments.only:
        return
    if arguments.quick:
        print(read_report.render(found))
        return
    kept = arguments.folder / "read.json"
    if kept.exists():
        # Parts may be run one by one: what this run did not look at stays.
        with suppress(msgspec.ValidationError):  # of another version of this bench
            found = found.with_rest_of(msgspec.json.decode(kept.read_bytes(), type=read_results.ReadReport))
    _keep(kept, found)
    READ.write_text(read_report.render(found))
    print(f"written: {READ}")


def _noise(arguments: argparse.Namespace) -> None:
    quick: bool = arguments.quick
    plan = noise.Plan(
        folder=arguments.folder,
        seconds=1.5 if quick else arguments.seconds,
        rounds=1 if quick else arguments.rounds,
        parts=frozenset(arguments.parts.split(",")),
        storm_alerts=10_000 if quick else arguments.alerts,
        trial_signals=50_000 if quick else 1_000_000,
    )
    found = noise.measure(plan)
    kept = arguments.folder / "noise.json"
    if quick:
        print(noise_report.render(found))
        return
    if kept.exists():
        # Parts may be run one by one: what this run did not look at stays.
        found = found.with_rest_of(msgspec.json.decode(kept.read_bytes(), type=noise_results.NoiseReport))
    _keep(kept, found)
    NOISE.write_text(noise_report.render(found))
    print(f"written: {NOISE}")


def _keep(path: Path, found: msgspec.Struct) -> None:
    path.write_bytes(msgspec.json.encode(found))


def _write_readme(folder: Path) -> None:
    ingested, remembered = folder / "ingest.json", folder / "memory.json"
    README.write_text(
        report.render(
            msgspec.json.decode(ingested.read_bytes(), type=results.IngestReport) if ingested.exists() else None,
            msgspec.json.decode(remembered.read_bytes(), type=results.MemoryReport) if remembered.exists() else None,
        )
    )
    print(f"written: {README}")


if __name__ == "__main__":
    main()
