"""Which Elasticsearch does the bench write to and search? The tests' one, on this machine.

An operator gives it a machine of its own, or a share of this one. What is written to it gets what the rest leaves, the
same as `cpu_shares` in docker/compose.yaml. And it has run for a while: Java compiles what it does often, and a server
that has just started takes four times as long for a document as one that was given a hundred thousand.
"""

import asyncio
import os
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import httpx2

from bench.contenders.base import free_port
from domain.ids import new_id
from persistence.search.index import BULK_SECONDS, AlertIndex, open_client
from tests.alert_builder import an_alert
from tests.services import elasticsearch
from tests.services.errors import UnavailableError
from tests.services.running import CACHE
from tocsin.embedded import folders
from tocsin.settings import Settings
from tocsin.supervisor import stop

NICE = 10
WARM_UP, AT_ONCE = 150_000, 1000
LABELS = {
    "alertname": "HighErrorRate",
    "cluster": "eu-1",
    "service": "checkout",
    "team": "payments",
    "instance": "db-1",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A running server."""

    url: str
    pid: int

    @staticmethod
    def start(folder: Path, stack: ExitStack, *, writes: bool = True) -> "Search | None":
        """Start it, to end with the stack; None, and a word, where this machine has none.

        One that is written to beside other work (`writes`) gives way to it, and has run for a while.
        """
        try:
            server = elasticsearch.server_in(folders.locate(folders.prepare_data_dir(folder)), CACHE, free_port())
        except UnavailableError as error:
            print(f"without Elasticsearch: {error}")
            return None
        server = replace(server, options=elasticsearch.MEMORY)
        process = server.spawn()
        stack.callback(stop, process, elasticsearch.STOP_STEPS)
        if writes:
            os.setpriority(os.PRIO_PGRP, process.pid, NICE)
        server.wait_until_ready(process)
        if writes:
            asyncio.run(_warm_up(server.url))
        return Search(url=server.url, pid=process.pid)

    def clear(self) -> None:
        """Remove every index: each turn begins alike."""
        for name in httpx2.get(f"{self.url}/_cat/indices?h=index", timeout=30).text.split():
            if name.startswith("tocsin"):
                httpx2.delete(f"{self.url}/{name}", timeout=30).raise_for_status()


async def _warm_up(url: str) -> None:
    """Write many alerts, as the consumer does."""
    settings = Settings(database_url=None, elasticsearch_url=url)
    async with open_client(settings, seconds=BULK_SECONDS) as client:
        index = AlertIndex(client, settings.elasticsearch_index)
        name = f"{index.alias}-warm"
        await index.create(name)
        for _ in range(WARM_UP // AT_ONCE):
            await index.write([an_alert(id=new_id(), labels=LABELS) for _ in range(AT_ONCE)], into=name)
        await index.drop(name)
