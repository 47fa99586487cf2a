"""Which values does the environment give us? Every setting, its default and what it means; read once at start-up.

Any package but the domain may read this module, so it imports nothing of ours. Variables carry the prefix `TOCSIN_`;
an empty one counts as unset. Durations are seconds (`900`) or ISO 8601 (`PT15M`).
"""

import contextlib
import hashlib
import hmac
import os
import secrets
from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

SECRET_BYTES = 32
MIN_SECRET_CHARACTERS = 32
POSTGRESQL_SCHEMES = ("postgresql", "postgres", "postgresql+asyncpg")
REDIS_SCHEMES = ("redis", "rediss", "unix")
BROKER_SCHEMES = (*REDIS_SCHEMES, "amqp", "amqps")


def _seconds(value: object) -> object:
    """Take a bare number for seconds, which pydantic does for numbers but not for their text."""
    return float(value) if isinstance(value, str) and value.strip().replace(".", "", 1).isdigit() else value


Seconds = Annotated[timedelta, BeforeValidator(_seconds), Field(ge=timedelta(0))]
Count = Annotated[int, Field(ge=1)]
Bytes = Annotated[int, Field(ge=1)]


class LogFormat(StrEnum):
    """How log lines look."""

    JSON = "json"
    CONSOLE = "console"


class LogLevel(StrEnum):
    """The least severe log line that is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class MissingSettingError(ValueError):
    """A role was started without a value it cannot do without."""

    def __init__(self, variable: str, purpose: str) -> None:
        super().__init__(f"{variable} is not set: {purpose}")
        self.variable = variable


class Settings(BaseSettings):
    """The settings of one process. Immutable: a change takes a restart."""

    model_config = SettingsConfigDict(env_prefix="TOCSIN_", env_ignore_empty=True, extra="ignore", frozen=True)

    # Stores
    database_url: str | None = Field(
        default=None,
        description="PostgreSQL of the application's lesser role, `postgresql://user:password@host/database`. "
        "Unset: `tocsin up` starts an embedded one.",
    )
    database_owner_url: str | None = Field(
        default=None,
        description="The same database as the role that owns the tables, for `migrate` and `scheduler` alone. "
        "Unset: migrations use `TOCSIN_DATABASE_URL`, and `tocsin doctor` warns that the roles are one.",
    )
    redis_url: str | None = Field(
        default=None,
        description="Redis or Valkey for live events and caches, `redis://host:6379/0`. "
        "Unset: `tocsin up` starts an embedded Valkey.",
    )
    broker_url: str | None = Field(
        default=None,
        description="Where jobs are queued: `redis://…` or `amqp://…`. Unset: the same as `TOCSIN_REDIS_URL`.",
    )
    elasticsearch_url: str | None = Field(
        default=None,
        description="Elasticsearch for full-text search, `http://host:9200`. Unset: PostgreSQL full text is used.",
    )
    elasticsearch_api_key: SecretStr | None = Field(
        default=None, description="API key for Elasticsearch. Unset: none is sent."
    )
    elasticsearch_timeout: Seconds = Field(
        default=timedelta(seconds=1), description="A search that takes longer is answered by PostgreSQL."
    )
    elasticsearch_index: str = Field(
        default="tocsin-alerts",
        pattern=r"^[a-z][a-z0-9_-]{0,99}$",
        description="Alias of the search index; installations that share an Elasticsearch need one each.",
    )
    object_store_url: str | None = Field(
        default=None,
        description="Where attachments are kept: `s3://bucket/prefix` or `file:///folder`. "
        "Unset: the folder `objects` in the data directory.",
    )
    data_dir: Path = Field(
        default=Path(".tocsin"),
        description="Folder of what is kept on this machine: embedded servers, generated secrets, local attachments.",
    )
    db_pool_size: Count = Field(
        default=10, description="Database connections a process keeps for queries and mutations; ingest has its own."
    )
    db_connect_timeout: Seconds = Field(
        default=timedelta(seconds=5), description="How long to wait for a new database connection."
    )
    db_statement_timeout: Seconds = Field(
        default=timedelta(seconds=30), description="A database statement that takes longer is ended."
    )

    # The door
    host: str = Field(default="127.0.0.1", description="Address the API listens on.")
    port: int = Field(default=8080, ge=0, le=65535, description="Port the API listens on; 0 takes a free one.")
    api_workers: Count = Field(default=1, description="API processes that share the port.")
    public_url: str | None = Field(
        default=None,
        description="The address people and tools reach the API by, for links. Unset: `http://host:port`.",
    )
    trusted_proxies: str | None = Field(
        default=None,
        description="Addresses whose `X-Forwarded-For` is believed, comma separated (`*` for any). Unset: none is.",
    )
    max_body_bytes: Bytes = Field(
        default=5 * 1024 * 1024, description="Largest body of a post of alerts; a larger one is answered 413."
    )
    attachment_max_bytes: Bytes = Field(default=25 * 1024 * 1024, description="Largest file attached to an alert.")
    introspection: bool = Field(default=True, description="Whether clients may read the GraphQL schema by query.")
    graphiql: bool = Field(default=True, description="Whether a browser gets GraphiQL at `/graphql`.")
    graphql_max_depth: Count = Field(default=15, description="Deepest nesting of fields in a GraphQL document.")
    graphql_max_aliases: Count = Field(default=30, description="Most aliases in a GraphQL document.")
    graphql_max_tokens: Count = Field(default=2000, description="Most tokens in a GraphQL document.")
    graphql_max_cost: Count = Field(
        default=20_000,
        description="Highest cost of an operation: what its answer may hold, as if every page were full (docs/api.md).",
    )
    graphql_max_body_bytes: Bytes = Field(default=1024 * 1024, description="Largest GraphQL request.")
    graphql_timeout: Seconds = Field(
        default=timedelta(seconds=30), description="A query or mutation that runs longer is ended."
    )

    trusted_documents_only: bool = Field(
        default=False,
        description="Whether GraphQL runs registered documents alone; GraphiQL is off then (docs/api.md).",
    )

    # Taking alerts
    ingest_batch_size: Count = Field(default=100, description="Most signals written in one transaction.")
    ingest_queue_limit: Count = Field(
        default=20_000, description="Signals that may wait to be written; beyond it posts are answered 503."
    )
    ingest_writers: Count = Field(default=2, description="Transactions that write signals at the same time.")
    reopen_window: Seconds = Field(
        default=timedelta(hours=1),
        description="A problem that fires again this soon after it was resolved reopens its alert.",
    )
    manual_resolve_hold: Seconds = Field(
        default=timedelta(hours=1),
        description="How long a re-send of the same episode does not reopen what a person resolved.",
    )
    signal_retention_days: Count = Field(default=90, description="Days the accepted signals are kept for replay.")
    rejected_retention_days: Count = Field(default=30, description="Days rejected items are kept for replay.")
    rejected_max_per_integration: Count = Field(
        default=1000, description="Most rejected items kept of one integration; the oldest make room."
    )
    rejected_max_bytes: Bytes = Field(
        default=64 * 1024, description="Bytes kept of one rejected item; the rest is cut off and marked."
    )

    # People
    admin_email: str = Field(default="admin@example.com", description="E-mail address of the first administrator.")
    admin_password: SecretStr | None = Field(
        default=None, description="Password of the first administrator. Unset: generated and printed once."
    )
    secret_key: SecretStr | None = Field(
        default=None,
        description="At least 32 characters; signs sessions and seals secrets. "
        "Unset: generated once and kept in `secret.key` in the data directory.",
    )
    access_token_ttl: Seconds = Field(default=timedelta(minutes=15), description="Life of an access token.")
    session_idle_timeout: Seconds = Field(
        default=timedelta(hours=8), description="A session unused for this long has ended."
    )
    session_absolute_timeout: Seconds = Field(
        default=timedelta(days=30), description="A session this old has ended, however busy."
    )

    # Operation
    log_level: LogLevel = Field(default=LogLevel.INFO, description="Least severe log line written.")
    log_format: LogFormat = Field(
        default=LogFormat.JSON, description="`json` for machines or `console` for a person at a terminal."
    )

    @field_validator("database_url", "database_owner_url")
    @classmethod
    def _check_postgresql(cls, value: str | None) -> str | None:
        return _checked_scheme(value, POSTGRESQL_SCHEMES)

    @field_validator("redis_url")
    @classmethod
    def _check_redis(cls, value: str | None) -> str | None:
        return _checked_scheme(value, REDIS_SCHEMES)

    @field_validator("broker_url")
    @classmethod
    def _check_broker(cls, value: str | None) -> str | None:
        return _checked_scheme(value, BROKER_SCHEMES)

    @field_validator("elasticsearch_url", "public_url")
    @classmethod
    def _check_http(cls, value: str | None) -> str | None:
        checked = _checked_scheme(value, ("http", "https"))
        return checked.rstrip("/") if checked else None

    @field_validator("secret_key")
    @classmethod
    def _check_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < MIN_SECRET_CHARACTERS:
            message = f"must have at least {MIN_SECRET_CHARACTERS} characters"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _check_owner_has_application(self) -> Self:
        if self.database_owner_url and not self.database_url:
            message = "TOCSIN_DATABASE_OWNER_URL is set without TOCSIN_DATABASE_URL, the application's own role"
            raise ValueError(message)
        return self

    # --- The database, in the two forms its drivers want --------------------------------------------------------

    @property
    def database_dsn(self) -> str:
        """The application's database as asyncpg takes it: `postgresql://…`."""
        return _plain_dsn(self._required_database_url())

    @property
    def database_sqlalchemy_url(self) -> str:
        """The application's database as SQLAlchemy takes it: `postgresql+asyncpg://…`."""
        return _sqlalchemy_url(self._required_database_url())

    @property
    def owner_dsn(self) -> str:
        """The database as the role that migrates; the application's own where no owner is given."""
        return _plain_dsn(self.database_owner_url or self._required_database_url())

    def _required_database_url(self) -> str:
        if not self.database_url:
            variable = "TOCSIN_DATABASE_URL"
            raise MissingSettingError(variable, "give the PostgreSQL to use, or run `tocsin up` for an embedded one")
        return self.database_url

    # --- Values that follow from others -------------------------------------------------------------------------

    @property
    def effective_broker_url(self) -> str | None:
        """Where jobs are queued; None when neither a broker nor Redis is given."""
        return self.broker_url or self.redis_url

    @property
    def effective_object_store_url(self) -> str:
        """Where attachments are kept."""
        return self.object_store_url or (self.data_dir.absolute() / "objects").as_uri()

    @property
    def effective_public_url(self) -> str:
        """The address for links, without a slash at its end."""
        return self.public_url or f"http://{self.host}:{self.port}"

    # --- Secrets ------------------------------------------------------------------------------------------------

    @property
    def secret_file(self) -> Path:
        """Where a generated secret is kept."""
        return self.data_dir / "secret.key"

    @cached_property
    def secret_bytes(self) -> bytes:
        """The 32 bytes all keys are derived from. The first reader of a new data directory makes them."""
        if self.secret_key is not None:
            return hashlib.sha256(self.secret_key.get_secret_value().encode()).digest()
        try:
            return _kept_secret(self.secret_file)
        except OSError as error:
            purpose = f"none can be kept in {self.secret_file} ({error.strerror})"
            raise MissingSettingError("TOCSIN_SECRET_KEY", purpose) from None

    def derived_key(self, purpose: str) -> bytes:
        """The 32-byte key of one purpose (`access-token`, `email-hash`, `sealing`, …): no two purposes share one."""
        return hmac.digest(self.secret_bytes, f"tocsin:{purpose}".encode(), "sha256")


def _checked_scheme(value: str | None, schemes: tuple[str, ...]) -> str | None:
    if value is None:
        return None
    scheme = urlsplit(value).scheme
    if scheme not in schemes:
        message = f"must begin with {' or '.join(f'{known}://' for known in schemes)}"
        raise ValueError(message)
    return value


def _plain_dsn(url: str) -> str:
    return "postgresql://" + url.split("://", 1)[1]


def _sqlalchemy_url(url: str) -> str:
    return "postgresql+asyncpg://" + url.split("://", 1)[1]


def _kept_secret(path: Path) -> bytes:
    """Read the secret kept at `path`, making it if there is none.

    The new file appears under its name only when complete, and never replaces another: of two processes that start at
    once, both read the secret of the one that was first.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_hex(SECRET_BYTES) + "\n")
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):  # another process was first: its secret is the one
                os.link(draft, path)
        finally:
            draft.unlink()
    secret = bytes.fromhex(path.read_text().strip())
    if len(secret) != SECRET_BYTES:
        message = f"{path} does not hold {SECRET_BYTES} bytes in hexadecimal"
        raise ValueError(message)
    return secret
