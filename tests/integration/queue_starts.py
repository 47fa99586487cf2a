"""What starts a queue of ingest for a test, with limits of its own?"""

from collections.abc import Awaitable, Callable

from persistence.ingest_queue import IngestQueue

Queue = Callable[..., Awaitable[IngestQueue]]
