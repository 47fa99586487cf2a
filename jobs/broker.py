"""Which broker carries the jobs? Redis by default, RabbitMQ for an `amqp://` address; a hint either way.

What is due is in PostgreSQL. A lost or doubled message costs a moment, never the work: the scheduler asks again. So a
hint that is old is dropped, and one that cannot be read goes to the dead letters, where it holds up nothing.
"""

import logging
import time
from typing import Any

import dramatiq
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.brokers.redis import RedisBroker
from dramatiq.encoder import JSONEncoder, MessageData
from dramatiq.errors import BrokerConnectionError, DecodeError
from dramatiq.middleware import Callbacks, Middleware, Retries, ShutdownNotifications, SkipMessage, TimeLimit
from dramatiq.middleware.asyncio import AsyncIO
from redis.exceptions import RedisError

# Each holds the hints of one kind of hurry (jobs/due.py): a heap of one kind lies in the way of no other.
URGENT, DUE, SLOW = QUEUES = ("tocsin.urgent", "tocsin.due", "tocsin.slow")
# Older hints are worthless: the scheduler has given newer ones.
MAX_AGE_MS = 60_000
# One in so many commands cleans up after dead workers, out of a million: always, or a killed worker's jobs stay lost.
MAINTENANCE_CHANCE = 1_000_000
HEARTBEAT_TIMEOUT_MS = 15_000
# A RabbitMQ that does not answer, or takes nothing because its disk or memory is full.
RABBITMQ_SECONDS = 3.0
RABBITMQ_HEARTBEAT_SECONDS = 30
BROKER_TROUBLE = (BrokerConnectionError, RedisError, OSError)
_FIELDS = frozenset({"queue_name", "actor_name", "args", "kwargs", "options", "message_id", "message_timestamp"})


class WholeMessages(JSONEncoder):
    """Takes no JSON for a message that is none: it would end the consumer, and come again for ever."""

    def decode(self, data: bytes) -> MessageData:
        """The message's fields; DecodeError, which is what a consumer expects."""
        found: Any = super().decode(data)
        if not isinstance(found, dict) or set(found) != _FIELDS or not isinstance(found["options"], dict):
            message = "this is no message of ours"
            raise DecodeError(message, data, None)  # type: ignore[no-untyped-call]  # dramatiq
        return found


class DropOld(Middleware):
    """Takes old hints from the queue without doing what they ask for: they are no dead letters either."""

    def before_process_message(self, broker: dramatiq.Broker, message: dramatiq.MessageProxy) -> None:
        """Skip it; a skipped message is acknowledged."""
        del broker
        if time.time() * 1000 - message.message_timestamp > MAX_AGE_MS:
            raise SkipMessage


def open_broker(url: str) -> dramatiq.Broker:
    """The broker at `url`; it connects on first use."""
    dramatiq.set_encoder(WholeMessages())
    middleware: list[Middleware] = [
        DropOld(),
        TimeLimit(),
        ShutdownNotifications(),
        Callbacks(),
        # The scheduler is what tries again.
        Retries(max_retries=0),
        AsyncIO(),
    ]
    if url.startswith("amqp"):
        return _rabbitmq(url, middleware)
    return RedisBroker(  # type: ignore[no-untyped-call]  # dramatiq
        url=url,
        middleware=middleware,
        namespace="tocsin-jobs",
        maintenance_chance=MAINTENANCE_CHANCE,
        heartbeat_timeout=HEARTBEAT_TIMEOUT_MS,
    )


def _rabbitmq(url: str, middleware: list[Middleware]) -> dramatiq.Broker:
    # It logs an error for each attempt while the server is away; who gives a hint says so in one line.
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    broker = RabbitmqBroker(url=url, confirm_delivery=True, middleware=middleware)
    parameters = broker.parameters
    for name, value in {
        "socket_timeout": RABBITMQ_SECONDS,
        "stack_timeout": RABBITMQ_SECONDS,
        "blocked_connection_timeout": RABBITMQ_SECONDS,
        "heartbeat": RABBITMQ_HEARTBEAT_SECONDS,
    }.items():
        if f"{name}=" not in url:
            setattr(parameters, name, value)
    return broker
