"""Where does the server's own time go? A sampling profile of one process under load, by function.

The profiler (py-spy) is installed from PyPI into an environment of its own when it is first used.
"""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench import database, turns
from bench.contenders.floor import FloorServer
from bench.contenders.tocsin import Tocsin
from bench.load import run
from bench.turns import Scenario

PROFILER = "py-spy==0.4.3"
SECONDS = 10.0
SHOWN = 45


def profile(folder: Path, scenario: Scenario, *, name: str, part: str, route_name: str) -> None:
    """Print how often each function was on top of the stack, and how often anywhere in it."""
    _profiler(folder / "profiler")
    with database.running(folder) as stores, ExitStack() as stack:
        known: list[Tocsin | FloorServer] = [
            Tocsin(folder / "logs", stores, folder / "tocsin"),
            FloorServer(folder / "logs", stores),
        ]
        contender = next(contender for contender in known if contender.name == name)
        stack.callback(contender.stop)
        contender.start()
        route = next(route for route in contender.routes() if route.name == route_name)
        run(turns.load_of(contender, route, scenario, seconds=2.0, prefix="warm"))
        prefix = "warm" if scenario.repeats else "test"
        with watching(folder, contender.parts()[part], seconds=SECONDS):
            result = run(turns.load_of(contender, route, scenario, seconds=SECONDS + 1, prefix=prefix))
    print(f"{scenario.name}, {name} {part}: {result.rate:,.0f} alerts/s while it was watched")


@contextmanager
def watching(folder: Path, pid: int, *, seconds: float) -> Iterator[None]:
    """Watch a process for so long while the block runs; then print what was seen."""
    program, raw = _profiler(folder / "profiler"), folder / "profile.txt"
    command = [str(program), "record", "--pid", str(pid), "--format", "raw", "--rate", "500"]
    command += ["--output", str(raw), "--duration", f"{seconds:.0f}", "--gil"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as profiler:
        yield
        profiler.wait()
    _print_profile(raw.read_text())


def _profiler(environment: Path) -> Path:
    program = environment / "bin" / "py-spy"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
        pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, PROFILER], check=True)
    return program


def _print_profile(raw: str) -> None:
    own: Counter[str] = Counter()
    anywhere: Counter[str] = Counter()
    total = 0
    for line in raw.splitlines():
        frames, _, number = line.rpartition(" ")
        names = [_function(frame) for frame in frames.split(";")]
        total += int(number)
        own[names[-1]] += int(number)
        for name in set(names):
            anywhere[name] += int(number)
    print(f"{'own':>6} {'with':>6}  function (of {total} samples)")
    for name, times in sorted(anywhere.items(), key=lambda entry: -own[entry[0]])[:SHOWN]:
        print(f"{own[name] / total:6.1%} {times / total:6.1%}  {name}")


def _function(frame: str) -> str:
    """`name (path:line)` without the line, the path cut to its end."""
    name, _, place = frame.partition(" (")
    return f"{name} ({'/'.join(place.rpartition(':')[0].split('/')[-3:])})"
