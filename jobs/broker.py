"""Which broker carries the jobs? Redis by default, RabbitMQ for an `amqp://` address; a hint either way.

What is due is in PostgreSQL. A lost or doubled message costs a moment, never the work: the scheduler asks again.
"""

import dramatiq
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import AgeLimit, Callbacks, Middleware, Retries, ShutdownNotifications, TimeLimit
from dramatiq.middleware.asyncio import AsyncIO

# Older hints are worthless: the scheduler has given newer ones.
MAX_AGE_MS = 60_000
# One in so many commands cleans up after dead workers, out of a million: always, or a killed worker's jobs stay lost.
MAINTENANCE_CHANCE = 1_000_000
HEARTBEAT_TIMEOUT_MS = 15_000


def open_broker(url: str) -> dramatiq.Broker:
    """The broker at `url`; it connects on first use."""
    middleware: list[Middleware] = [
        AgeLimit(max_age=MAX_AGE_MS),
        TimeLimit(),
        ShutdownNotifications(),
        Callbacks(),
        # The scheduler is what tries again.
        Retries(max_retries=0),
        AsyncIO(),
    ]
    if url.startswith("amqp"):
        return RabbitmqBroker(url=url, confirm_delivery=True, middleware=middleware)
    return RedisBroker(  # type: ignore[no-untyped-call]  # dramatiq
        url=url,
        middleware=middleware,
        namespace="tocsin-jobs",
        maintenance_chance=MAINTENANCE_CHANCE,
        heartbeat_timeout=HEARTBEAT_TIMEOUT_MS,
    )
