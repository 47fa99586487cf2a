"""How does a process log? One JSON object a line (or columns for a person), with the request's id, without secrets.

A value under a name that speaks of a secret is replaced; so are bearer tokens, integration keys, refresh tokens and
`?key=` inside any text, also in tracebacks. Tracebacks never show local variables: a password is one.
"""

import logging
import logging.config
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import orjson
import structlog

from tocsin.settings import LogFormat, Settings

HIDDEN = "[hidden]"
_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase)|secret|authorization|cookie|token|api[_-]?key|routing_key|^key$|credential|totp",
    re.IGNORECASE,
)
_SECRET_TEXT = (
    # ?key=… and &key=… of a URL; the code, the state and the ticket of a sign-in through a provider.
    (
        re.compile(
            r"([?&](?:key|token|access_token|api_key|code|code_verifier|state|ticket)=)[^&\s\"'<>]+", re.IGNORECASE
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{4,}", re.IGNORECASE), rf"\1 {HIDDEN}"),
    # Keys and tokens of ours, wherever they stand; JWTs; the password of a URL.
    (re.compile(r"\btc[a-z]_[A-Za-z0-9_-]{8,}"), HIDDEN),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+"), HIDDEN),
    (re.compile(r"(://[^/\s:@]*:)[^@/\s]+@"), rf"\1{HIDDEN}@"),
)
_DEPTH = 6


def redact(value: object, depth: int = 0) -> object:
    """The value without secrets."""
    if isinstance(value, str):
        for pattern, replacement in _SECRET_TEXT:
            value = pattern.sub(replacement, value)
        return value
    if depth > _DEPTH:
        return HIDDEN
    if isinstance(value, dict):
        return {
            name: HIDDEN if _is_secret(name) and item is not None else redact(item, depth + 1)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(item, depth + 1) for item in value]
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    return value


def _is_secret(name: object) -> bool:
    return isinstance(name, str) and _SECRET_NAME.search(name) is not None


def hide_secrets(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The structlog processor; it runs after tracebacks became text."""
    for name, value in event.items():
        event[name] = HIDDEN if _is_secret(name) and value is not None else redact(value)
    return event


def _dump(event: object, **_options: object) -> str:
    return orjson.dumps(event, default=repr, option=orjson.OPT_NON_STR_KEYS).decode()


def configure_logging(settings: Settings) -> None:
    """Set up structlog and the standard library's loggers to write the same lines to standard error."""
    level = getattr(logging, settings.log_level.value.upper())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        hide_secrets,
    ]
    console = settings.log_format is LogFormat.CONSOLE
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if console
        else structlog.processors.JSONRenderer(serializer=_dump)
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "asyncio", "strawberry.execution"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    # At DEBUG they write down the frames of every socket, which may hold a password, and what proves a sign-in.
    for name in ("uvicorn.error", "websockets", "authlib"):
        logging.getLogger(name).setLevel(max(level, logging.INFO))
    # The client of HTTP writes each address it asks: one of a webhook or of a calendar is a secret. Elasticsearch's
    # writes a line for each search and each piece of a storm; what it fails at is a warning.
    for name in ("httpx2", "httpcore2", "elastic_transport"):
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    # Our own line says more (graphql_api/middleware.py), and never the query string.
    logging.getLogger("uvicorn.access").disabled = True
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *[step for step in shared if not isinstance(step, structlog.stdlib.ExtraAdder)],
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
