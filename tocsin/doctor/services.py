"""Are Redis, the broker, Elasticsearch and the object store there, and what is missing without them?"""

import asyncio
import logging
import secrets
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import obstore
import pika
import redis.asyncio as redis
from obstore.exceptions import BaseError as ObjectStoreError
from obstore.store import from_url

from tocsin.doctor.report import Check, State
from tocsin.settings import Settings
from tocsin.settings.stores import BROKER_SCHEMES, REDIS_SCHEMES

SECONDS = 5.0
AMQP_SCHEMES = tuple(scheme for scheme in BROKER_SCHEMES if scheme not in REDIS_SCHEMES)


async def check_redis(settings: Settings) -> Check:
    """Redis or Valkey, for live events and caches."""
    without = "live events are read from the database's log (a little later), caches are per process"
    if not settings.redis_url:
        return Check(
            name="Redis",
            state=State.DEGRADED,
            detail="TOCSIN_REDIS_URL is not set, and the data folder holds no embedded Valkey",
            consequence=without,
            remedy="run `tocsin up`, or set TOCSIN_REDIS_URL",
        )
    version, problem = await _redis_version(settings.redis_url)
    if problem:
        return Check(
            name="Redis",
            state=State.DEGRADED,
            detail=f"TOCSIN_REDIS_URL cannot be reached: {problem}",
            consequence=without,
            remedy="start the server or mend the address; processes reconnect by themselves",
        )
    return Check(name="Redis", state=State.OK, detail=version)


async def check_broker(settings: Settings) -> Check:
    """Where jobs are queued."""
    without = "nothing is sent; notifications wait as rows and leave when it is back"
    url = settings.effective_broker_url
    if url is None:
        return Check(name="Broker", state=State.DEGRADED, detail="none is set", consequence=without)
    if urlsplit(url).scheme in AMQP_SCHEMES:
        detail, problem = await asyncio.to_thread(_rabbitmq_version, url)
    else:
        detail, problem = await _redis_version(url)
    if problem:
        return Check(
            name="Broker",
            state=State.DEGRADED,
            detail=f"cannot be reached: {problem}",
            consequence=without,
            remedy="start the server or mend TOCSIN_BROKER_URL",
        )
    return Check(name="Broker", state=State.OK, detail=detail if settings.broker_url else "the same as Redis")


async def check_elasticsearch(settings: Settings) -> Check:
    """Full-text search. Asked for its health alone: small distributions answer little else without an index."""
    if not settings.elasticsearch_url:
        return Check(
            name="Elasticsearch", state=State.OFF, detail="TOCSIN_ELASTICSEARCH_URL is not set: PostgreSQL searches"
        )
    secret = settings.elasticsearch_api_key
    key = {} if secret is None else {"authorization": f"ApiKey {secret.get_secret_value()}"}
    try:
        async with httpx2.AsyncClient(timeout=SECONDS) as client:
            answer = await client.get(f"{settings.elasticsearch_url}/_cluster/health", headers=key)
            answer.raise_for_status()
            status = str(answer.json()["status"])
            index = await client.head(
                f"{settings.elasticsearch_url}/_alias/{settings.elasticsearch_index}", headers=key
            )
    except (httpx2.HTTPError, ValueError, KeyError) as error:
        return Check(
            name="Elasticsearch",
            state=State.DEGRADED,
            detail=f"TOCSIN_ELASTICSEARCH_URL cannot be reached: {_reason(error)}",
            consequence="PostgreSQL searches: no typo tolerance, no facets; the answer says so",
            remedy="start the server or mend the address; the index catches up by itself",
        )
    if index.status_code == httpx2.codes.NOT_FOUND:
        return Check(
            name="Elasticsearch",
            state=State.DEGRADED,
            detail=f"there is no index {settings.elasticsearch_index}",
            consequence="PostgreSQL searches until there is one",
            remedy="the relay builds it with the next alert; `tocsin reindex` does so now",
        )
    return Check(name="Elasticsearch", state=State.OK, detail=f"cluster health {status}")


async def check_object_store(settings: Settings) -> Check:
    """Where attachments go: a small object is written, read and deleted, except in a folder that is not there yet."""
    url = settings.effective_object_store_url
    folder = Path(urlsplit(url).path) if url.startswith("file://") else None
    try:
        if folder is None or await asyncio.to_thread(folder.is_dir):
            async with asyncio.timeout(SECONDS):
                await _try_object(url)
            detail = "takes objects and gives them back"
        else:
            detail = "is made with the first attachment"
    except (ObjectStoreError, OSError, ValueError) as error:
        return Check(
            name="Object store",
            state=State.DEGRADED,
            detail=f"{_without_query(url)} does not take an object: {_reason(error)}",
            consequence="files cannot be attached to alerts or read",
            remedy="mend TOCSIN_OBJECT_STORE_URL, its credentials or the folder's permissions",
        )
    return Check(name="Object store", state=State.OK, detail=f"{_without_query(url)} {detail}")


async def _try_object(url: str) -> None:
    store, path = from_url(url), f"doctor-{secrets.token_hex(8)}"
    await obstore.put_async(store, path, b"tocsin")
    await (await obstore.get_async(store, path)).bytes_async()
    await obstore.delete_async(store, path)


async def _redis_version(url: str) -> tuple[str, str]:
    """What answers, or why nothing does."""
    client = redis.from_url(url, socket_connect_timeout=SECONDS, socket_timeout=SECONDS)
    try:
        info = await client.info("server")
    except (redis.RedisError, OSError) as error:
        return "", _reason(error)
    finally:
        await client.aclose()
    name = info.get("server_name", "redis").capitalize()
    return f"{name} {info.get('valkey_version') or info.get('redis_version')}", ""


def _rabbitmq_version(url: str) -> tuple[str, str]:
    """Sign in, as a worker does."""
    parameters = pika.URLParameters(url)
    parameters.socket_timeout = parameters.stack_timeout = parameters.blocked_connection_timeout = SECONDS
    parameters.connection_attempts = 1
    logging.getLogger("pika").setLevel(logging.CRITICAL)  # what it would log is the answer here
    try:
        connection = pika.BlockingConnection(parameters)
    except pika.exceptions.ProbableAuthenticationError:
        return "", "the user or the password is refused"
    except pika.exceptions.ProbableAccessDeniedError:
        return "", "the user may not use this virtual host"
    except (pika.exceptions.AMQPError, OSError) as error:
        return "", f"{parameters.host}:{parameters.port} does not answer as RabbitMQ does ({type(error).__name__})"
    properties = connection._impl.server_properties or {}  # noqa: SLF001 - pika offers no other way
    connection.close()
    return f"{_text(properties.get('product', 'RabbitMQ'))} {_text(properties.get('version', ''))}".strip(), ""


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {SECONDS:.0f} s"
    return (str(error) or type(error).__name__).splitlines()[0]


def _without_query(url: str) -> str:
    return urlsplit(url)._replace(query="").geturl()
