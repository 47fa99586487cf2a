"""Whose processor time was it? Seconds by process of ours, and of PostgreSQL by what its backends are connected for."""

from collections.abc import Mapping

from bench.database import Database
from bench.machine import cpu_seconds, own_cpu_seconds

# What a backend is for, by the name its connection gave; what PostgreSQL does by itself (WAL, checkpoints) is the rest.
ROLES = """
SELECT pid, CASE WHEN application_name = 'tocsin-ingest' THEN 'ingest'
                 WHEN application_name = 'tocsin relay' THEN 'relay'
                 WHEN application_name = 'tocsin' THEN 'engine'
                 WHEN application_name = 'tocsin live' THEN 'live'
                 ELSE 'other' END AS role
  FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


class Meter:
    """Processor time between two moments."""

    def __init__(self, database: Database, parts: Mapping[str, int], *, postgresql: int) -> None:
        self._database, self._parts, self._postgresql = database, parts, postgresql
        self._began = self._now()

    def since(self) -> dict[str, float]:
        """Seconds by part since the beginning."""
        now = self._now()
        return {name: seconds - self._began.get(name, 0.0) for name, seconds in now.items()}

    def _now(self) -> dict[str, float]:
        used = {name: cpu_seconds(pid) for name, pid in self._parts.items()}
        whole = cpu_seconds(self._postgresql)
        for backend in self._database.rows(ROLES):
            seconds = own_cpu_seconds(backend["pid"])
            name = f"postgresql {backend['role']}"
            used[name] = used.get(name, 0.0) + seconds
            whole -= seconds
        return {**used, "postgresql itself": whole}
