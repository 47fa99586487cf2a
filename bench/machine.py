"""What machine is this, and where did its time go? Cores, memory and versions for the report; CPU time by process."""

import os
import platform
import subprocess
from contextlib import suppress
from importlib import metadata
from pathlib import Path

LIBRARIES = ("uvicorn", "uvloop", "httptools", "asyncpg", "msgspec", "orjson")
TICKS = os.sysconf("SC_CLK_TCK")


def describe() -> list[str]:
    """Lines that name the machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    return [
        f"{os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB of memory, {_filesystem()}",
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        ", ".join(f"{name} {metadata.version(name)}" for name in LIBRARIES),
    ]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def _filesystem() -> str:
    """The kind of the file system the databases are on."""
    found = subprocess.run(["stat", "-f", "-c", "%T", "."], capture_output=True, text=True, check=False)  # noqa: S607
    return f"file system {found.stdout.strip() or 'unknown'}"


def _statistics(pid: int) -> tuple[int, float]:
    """Parent and CPU seconds (its ended children's included) of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[1]), sum(map(int, fields[11:15])) / TICKS


def process_seconds(pid: int) -> float:
    """CPU time a process has used so far."""
    return _statistics(pid)[1]


def cpu_seconds(root: int) -> float:
    """CPU time used so far by this process and all that descend from it."""
    parents: dict[int, int] = {}
    used: dict[int, float] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
                pid = int(entry.name)
                parents[pid], used[pid] = _statistics(pid)
    return sum(seconds for pid, seconds in used.items() if _descends(pid, root, parents))


def own_cpu_seconds(pid: int) -> float:
    """CPU time used so far by this process alone; 0 when it has ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return _statistics(pid)[1]
    return 0.0


def _descends(pid: int, root: int, parents: dict[int, int]) -> bool:
    while pid > 1:
        if pid == root:
            return True
        pid = parents.get(pid, 0)
    return False


def resident_bytes(pid: int) -> int:
    """The memory a process holds (RSS)."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
