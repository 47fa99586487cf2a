"""Where is everything kept? The database, Redis, the search index, files."""

from datetime import timedelta
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings

from tocsin.settings.words import Count, HttpUrl, MissingSettingError, Seconds, checked_scheme

POSTGRESQL_SCHEMES = ("postgresql", "postgres", "postgresql+asyncpg")
REDIS_SCHEMES = ("redis", "rediss", "unix")
BROKER_SCHEMES = (*REDIS_SCHEMES, "amqp", "amqps")


class StoreSettings(BaseSettings):
    """Where is everything kept? The database, Redis, the search index, files."""

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
    elasticsearch_url: HttpUrl | None = Field(
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

    @field_validator("database_url", "database_owner_url")
    @classmethod
    def _check_postgresql(cls, value: str | None) -> str | None:
        return checked_scheme(value, POSTGRESQL_SCHEMES)

    @field_validator("redis_url")
    @classmethod
    def _check_redis(cls, value: str | None) -> str | None:
        return checked_scheme(value, REDIS_SCHEMES)

    @field_validator("broker_url")
    @classmethod
    def _check_broker(cls, value: str | None) -> str | None:
        return checked_scheme(value, BROKER_SCHEMES)

    @model_validator(mode="after")
    def _check_owner_has_application(self) -> Self:
        if self.database_owner_url and not self.database_url:
            message = "TOCSIN_DATABASE_OWNER_URL is set without TOCSIN_DATABASE_URL, the application's own role"
            raise ValueError(message)
        return self

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

    @property
    def effective_broker_url(self) -> str | None:
        """Where jobs are queued; None when neither a broker nor Redis is given."""
        return self.broker_url or self.redis_url

    @property
    def effective_object_store_url(self) -> str:
        """Where attachments are kept."""
        return self.object_store_url or (self.data_dir.absolute() / "objects").as_uri()


def _plain_dsn(url: str) -> str:
    return "postgresql://" + url.split("://", 1)[1]


def _sqlalchemy_url(url: str) -> str:
    return "postgresql+asyncpg://" + url.split("://", 1)[1]
