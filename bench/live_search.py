"""Which Elasticsearch does the search consumer of the bench write to? The tests' one, on this machine, with one thread.

An operator gives it a machine of its own, or a share of this one. Here it gets what the rest leaves: the same as
`cpu_shares` in docker/compose.yaml.
"""

import os
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx2

from bench.contenders.base import free_port
from tests.services import elasticsearch
from tests.services.errors import UnavailableError
from tests.services.running import CACHE
from tocsin.embedded import folders
from tocsin.supervisor import stop

NICE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A running server."""

    url: str
    pid: int

    @staticmethod
    def start(folder: Path, stack: ExitStack) -> "Search | None":
        """Start it, to end with the stack; None, and a word, where this machine has none."""
        try:
            server = elasticsearch.server_in(folders.locate(folders.prepare_data_dir(folder)), CACHE, free_port())
        except UnavailableError as error:
            print(f"without Elasticsearch: {error}")
            return None
        process = server.spawn()
        os.setpriority(os.PRIO_PGRP, process.pid, NICE)
        stack.callback(stop, process, elasticsearch.STOP_STEPS)
        server.wait_until_ready(process)
        return Search(url=server.url, pid=process.pid)

    def clear(self) -> None:
        """Remove every index: each turn begins alike."""
        for name in httpx2.get(f"{self.url}/_cat/indices?h=index", timeout=30).text.split():
            if name.startswith("tocsin"):
                httpx2.delete(f"{self.url}/{name}", timeout=30).raise_for_status()
