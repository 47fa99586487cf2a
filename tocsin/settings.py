"""Which values does the environment give us? Every setting, its default and what it means; read once at start-up.

Any package but the domain may read this module, so it imports nothing of ours but identity_providers.py, which is like
itself. Variables carry the prefix `TOCSIN_`; an empty one counts as unset. Durations are seconds (`900`) or ISO 8601
(`PT15M`).
"""

import contextlib
import hashlib
import hmac
import json
import os
import secrets
from datetime import timedelta
from email.utils import parseaddr
from enum import StrEnum
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Self, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from pydantic import BeforeValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from tocsin.identity_providers import IdentityProvider, is_loopback

SECRET_BYTES = 32
MIN_SECRET_CHARACTERS = 32
POSTGRESQL_SCHEMES = ("postgresql", "postgres", "postgresql+asyncpg")
REDIS_SCHEMES = ("redis", "rediss", "unix")
Network: TypeAlias = IPv4Network | IPv6Network
BROKER_SCHEMES = (*REDIS_SCHEMES, "amqp", "amqps")
ROLES = ("admin", "manager", "operator", "viewer")
SEVERITIES = ("critical", "high", "medium", "low")
MAX_TURNS = 50
SMTP_SCHEMES = ("smtp", "smtps")
STARTTLS = ("offered", "required", "never")


def _seconds(value: object) -> object:
    """Take a bare number for seconds, which pydantic does for numbers but not for their text."""
    return float(value) if isinstance(value, str) and value.strip().replace(".", "", 1).isdigit() else value


Seconds = Annotated[timedelta, BeforeValidator(_seconds), Field(ge=timedelta(0))]
Count = Annotated[int, Field(ge=1)]
Bytes = Annotated[int, Field(ge=1)]
# 0 for none.
Limit = Annotated[int, Field(ge=0)]


def _networks(text: str | None) -> tuple[Network, ...]:
    """The networks of a comma separated list; ValueError for what is none."""
    return tuple(ip_network(part.strip()) for part in (text or "").split(",") if part.strip())


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


class SignUpRole(StrEnum):
    """What somebody may be who let themselves in. More is an administrator's to give."""

    VIEWER = "viewer"
    OPERATOR = "operator"


class AuditAddresses(StrEnum):
    """How much of an address the audit log keeps: domain/audit/addresses.py."""

    FULL = "full"
    NETWORK = "network"
    NONE = "none"


class MailProvider(StrEnum):
    """By what mail leaves."""

    SMTP = "smtp"
    SENDGRID = "sendgrid"
    SES = "ses"


class MissingSettingError(ValueError):
    """A role was started without a value it cannot do without."""

    def __init__(self, variable: str, purpose: str) -> None:
        super().__init__(f"{variable} is not set: {purpose}")
        self.variable = variable


class Settings(BaseSettings):
    """The settings of one process. Immutable: a change takes a restart."""

    model_config = SettingsConfigDict(
        env_prefix="TOCSIN_",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        # A refused value may hold a password: the message names the variable alone.
        hide_input_in_errors=True,
    )

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
    tls_certificate: Path | None = Field(
        default=None,
        description="Certificate chain (PEM) with which the API ends TLS itself, 1.3 alone. Unset: plain HTTP, for a "
        "proxy that ends TLS.",
    )
    tls_key: Path | None = Field(default=None, description="Private key (PEM) of `TOCSIN_TLS_CERTIFICATE`.")
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

    # How much may be asked. The cost of operations within a minute (docs/rate-limits.md); 0 sets no limit.
    rate_limit_person: Limit = Field(
        default=300_000, description="Cost a person or a service account may ask for within a minute; 0 for any."
    )
    rate_limit_key: Limit = Field(
        default=300_000, description="Cost that may be asked for with one API key within a minute; 0 for any."
    )
    rate_limit_address: Limit = Field(
        default=3_000_000, description="Cost all who are known may ask for from one address within a minute; 0 for any."
    )
    rate_limit_stranger: Limit = Field(
        default=240_000,
        description="Cost that may be asked for from one address by who is not signed in, within a minute; 0 for any.",
    )

    # Taking alerts
    ingest_rate_limit: Limit = Field(
        default=0,
        description="Posts an API process takes with the keys of one integration within a minute; 0 for any number.",
    )
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
    silence_max_duration: Seconds = Field(
        default=timedelta(days=366), description="How long a silence may last at most, over `/api/v2` too."
    )
    silence_broad_percent: Annotated[int, Field(ge=1, le=100)] = Field(
        default=50,
        description="A silence that would hold more than this part of the open alerts, or of the last day's, must be "
        "confirmed. `/api/v2` asks nobody.",
    )
    flapping_start: Limit = Field(
        default=6,
        description="An alert that turns (opens, opens again, is resolved by its source) so often within the window is "
        "flapping: nobody is told of each turn (docs/flapping.md). At most 50; 0 marks none.",
    )
    flapping_stop: Limit = Field(
        default=2,
        description="It has settled when it turned no more than this within the window. At most "
        "`TOCSIN_FLAPPING_START` less 2.",
    )
    flapping_window: Seconds = Field(default=timedelta(minutes=30), description="The time in which turns are counted.")
    pause: Seconds = Field(
        default=timedelta(0),
        description="How long an alert that mostly ends by itself is held before anybody is told (docs/flapping.md). "
        "0 holds none.",
    )
    pause_recoveries: Count = Field(
        default=9, description="An alert is held when at least so many of its last episodes ended within the pause."
    )
    pause_episodes: Annotated[int, Field(ge=1, le=20)] = Field(
        default=10, description="How many of the last episodes of an alert's dedup key are looked at."
    )
    pause_severities: str = Field(
        default="high,medium,low",
        description="Severities that may be held, comma separated; critical only if named.",
    )
    signal_retention_days: Count = Field(default=90, description="Days the accepted signals are kept for replay.")
    rejected_retention_days: Count = Field(default=30, description="Days rejected items are kept for replay.")
    ended_session_retention_days: Count = Field(
        default=30, description="Days it is kept, sealed, when and from where an ended session was used."
    )
    sent_mail_retention_days: Count = Field(
        default=30, description="Days it is kept that a mail was sent or given up. What it said goes at once."
    )
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
    older_secret_keys: SecretStr | None = Field(
        default=None,
        description="Former values of `TOCSIN_SECRET_KEY` that still count, comma separated or a JSON list: what they "
        "signed or sealed is accepted, nothing new is made with them (docs/sign-in.md says how to change the key).",
    )
    api_key_max_lifetime: Seconds = Field(
        default=timedelta(days=365), description="The longest an API key lives before it needs a successor."
    )
    access_token_ttl: Seconds = Field(default=timedelta(minutes=15), description="Life of an access token.")
    session_idle_timeout: Seconds = Field(
        default=timedelta(hours=8), description="A session unused for this long has ended."
    )
    session_absolute_timeout: Seconds = Field(
        default=timedelta(days=30), description="A session this old has ended, however busy."
    )

    second_factor_required_for: str | None = Field(
        default=None,
        description="Roles whose people must have a second factor, comma separated (`admin,manager`). One who has none "
        "may sign in, and do nothing but add one (docs/second-factors.md). Unset: nobody must.",
    )
    step_up_window: Seconds = Field(
        default=timedelta(minutes=15),
        description="How old the last proof of who asks may be for what is dangerous, such as a change of role; after "
        "it `stepUp` is asked for.",
    )

    open_registration: bool = Field(
        default=False,
        description="Whether anybody may register, as a viewer, once the address is verified. Else an administrator "
        "invites people or makes their accounts.",
    )
    password_min_score: int = Field(
        default=3,
        ge=0,
        le=4,
        description="How hard to guess a new password must be, from 0 to 4 (zxcvbn: 3 withstands an offline attack).",
    )
    verification_link_ttl: Seconds = Field(
        default=timedelta(days=1), description="Life of a link that verifies an address or changes it."
    )
    password_reset_link_ttl: Seconds = Field(
        default=timedelta(hours=1), description="Life of a link that sets a new password."
    )
    invitation_link_ttl: Seconds = Field(default=timedelta(days=7), description="Life of an invitation.")

    # Mail
    smtp_url: SecretStr | None = Field(
        default=None,
        description="The mail server: `smtp://user:password@host:587` (STARTTLS) or `smtps://host:465`. "
        "`?starttls=required` (the default with a password), `offered` or `never`; `?ca=file` trusts an authority of "
        "your own. Unset: mail waits, and `tocsin doctor` says so.",
    )
    mail_from: str | None = Field(
        default=None,
        description="The sender of mail, `alerts@example.com` or `Tocsin <alerts@example.com>`. "
        "Needed with any provider of mail.",
    )
    mail_provider: MailProvider = Field(
        default=MailProvider.SMTP,
        description="By what mail leaves: `smtp` (`TOCSIN_SMTP_URL`), `sendgrid` or `ses` (docs/accounts.md).",
    )
    sendgrid_api_key: SecretStr | None = Field(
        default=None, description="API key of SendGrid with the permission to send mail."
    )
    sendgrid_url: str = Field(
        default="https://api.sendgrid.com",
        description="Where SendGrid's API is; `https://api.eu.sendgrid.com` for a subuser of the EU.",
    )
    sendgrid_event_key: str | None = Field(
        default=None,
        description="Verification key of SendGrid's signed event webhook, as its page shows it. Unset: no events are "
        "taken, and a mail is never seen delivered or bounced.",
    )
    ses_region: str | None = Field(
        default=None, pattern=r"^[a-z]{2}(-[a-z]+)+-\d$", description="Region of Amazon SES, `eu-west-1`."
    )
    ses_access_key_id: str | None = Field(
        default=None,
        description="Access key that may call `ses:SendEmail`. Unset: what AWS gives the machine (role, profile).",
    )
    ses_secret_access_key: SecretStr | None = Field(default=None, description="Its secret.")
    ses_configuration_set: str | None = Field(
        default=None, description="Configuration set of SES whose event destination is the topic below."
    )
    ses_topic_arn: str | None = Field(
        default=None,
        description="ARN of the SNS topic SES publishes its events to; messages of any other are refused. Unset: no "
        "events are taken.",
    )
    ses_url: str | None = Field(
        default=None, description="Where SES' API is; another for a private endpoint. Unset: the region's own."
    )
    cookie_secure: bool = Field(
        default=True,
        description="Whether the session cookies of browsers need https (`__Host-…`, `Secure`). Off for plain http on "
        "loopback alone, and for browsers that take no such cookie there.",
    )
    oidc_providers: tuple[IdentityProvider, ...] | None = Field(
        default=None,
        description="Where people may sign in as well, a JSON list: Google, GitHub, Microsoft, or any OpenID provider "
        "(docs/sign-in.md). Unset: nowhere.",
    )
    oidc_link_by_email: bool = Field(
        default=False,
        description="Whether a provider's verified address that is a known person's signs that person in at once. "
        "Off: the person signs in first and links the provider.",
    )
    oidc_sign_up: bool = Field(
        default=False,
        description="Whether a provider may let in people nobody has let in; they need a verified address.",
    )
    oidc_sign_up_role: SignUpRole = Field(
        default=SignUpRole.VIEWER, description="Role of the people a provider lets in: `viewer` or `operator`."
    )

    # The audit log
    audit_key: SecretStr | None = Field(
        default=None,
        description="At least 32 characters; the key that signs the audit log's seals is made of it. "
        "Unset: generated once and kept in `audit.key` in the data directory.",
    )
    audit_retired_keys: str | None = Field(
        default=None,
        description="Public keys that signed seals before, in hexadecimal, comma separated (docs/audit.md).",
    )
    audit_seal_interval: Seconds = Field(
        default=timedelta(minutes=1), description="How often what is new on the audit log is sealed."
    )
    audit_addresses: AuditAddresses = Field(
        default=AuditAddresses.FULL,
        description="What the audit log keeps of the address a request came from, for as long as the log: `full`, "
        "`network` (the first 24 bits, of IPv6 48), or `none`. It counts for entries written from then on.",
    )
    audit_heads_file: Path | None = Field(
        default=None,
        description="File that each seal's signed head is added to; best on a disk the database's owner cannot write. "
        "Unset: `audit.heads` in the data directory.",
    )
    audit_heads_url: str | None = Field(
        default=None,
        description="Object store that each seal's signed head is put into as well, `s3://bucket/prefix`; "
        "best with object lock. Unset: none.",
    )
    # Personal data
    erasure_ledger_url: str | None = Field(
        default=None,
        description="Where the list of erased people is kept outside the database, `s3://bucket/prefix` or "
        "`file:///folder`: a restored backup forgets them again by it. Unset: `erasures` in the data directory.",
    )
    export_retention: Seconds = Field(
        default=timedelta(days=7), description="How long the file of a data export can be fetched."
    )

    # Notifications
    notification_spacing: Seconds = Field(
        default=timedelta(minutes=1),
        description="Least time between two messages to one person by one contact method; what comes between is one.",
    )

    twilio_account_sid: str | None = Field(
        default=None,
        pattern=r"^AC[0-9a-fA-F]{32}$",
        description="Account at Twilio that sends text messages (docs/contact-methods.md). Unset: none are sent.",
    )
    twilio_auth_token: SecretStr | None = Field(
        default=None, description="Its auth token: it signs in, and what Twilio calls back is signed with it."
    )
    twilio_from: str | None = Field(
        default=None,
        description="The sender of text messages: a number of yours at Twilio, `+15005550006`, or the SID of a "
        "messaging service, `MG…`.",
    )
    twilio_url: str = Field(
        default="https://api.twilio.com", description="Where Twilio's API is; another for its regions."
    )

    slack_bot_token: SecretStr | None = Field(
        default=None,
        description="Bot token of your app in Slack, `xoxb-…` (docs/channels.md). Unset: by incoming webhooks only.",
    )
    slack_signing_secret: SecretStr | None = Field(
        default=None,
        description="The app's signing secret: what Slack calls when a button is pressed is signed with it.",
    )
    slack_api_url: str = Field(
        default="https://slack.com/api", description="Where Slack's Web API is; another for GovSlack."
    )

    outbound_allowed_networks: str | None = Field(
        default=None,
        description="Networks of your own that messages to channels may go to, comma separated (`10.1.0.0/16`). "
        "Unset: addresses of the internet only.",
    )

    # Operation
    operations_port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description="Port on which a relay, scheduler or worker answers `/livez` and `/metrics`; 0 takes a free one. "
        "Unset: none; the API answers them on its own port.",
    )
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

    @field_validator("elasticsearch_url", "public_url", "twilio_url", "slack_api_url", "sendgrid_url", "ses_url")
    @classmethod
    def _check_http(cls, value: str | None) -> str | None:
        checked = _checked_scheme(value, ("http", "https"))
        return checked.rstrip("/") if checked else None

    @field_validator("outbound_allowed_networks")
    @classmethod
    def _check_networks(cls, value: str | None) -> str | None:
        try:
            _networks(value)
        except ValueError as error:
            message = f"{error}; write networks as 10.1.0.0/16, comma separated"
            raise ValueError(message) from None
        return value

    @field_validator("secret_key", "audit_key")
    @classmethod
    def _check_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < MIN_SECRET_CHARACTERS:
            message = f"must have at least {MIN_SECRET_CHARACTERS} characters"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _check_flapping(self) -> Self:
        if self.flapping_start and not 0 <= self.flapping_stop <= self.flapping_start - 2 <= MAX_TURNS - 2:
            message = (
                f"TOCSIN_FLAPPING_START is 0, or 2 to {MAX_TURNS} and at least TOCSIN_FLAPPING_STOP + 2; they are "
                f"{self.flapping_start} and {self.flapping_stop}"
            )
            raise ValueError(message)
        if self.flapping_start and not self.flapping_window:
            message = "TOCSIN_FLAPPING_WINDOW must be longer than 0"
            raise ValueError(message)
        if self.pause_recoveries > self.pause_episodes:
            message = "TOCSIN_PAUSE_RECOVERIES is at most TOCSIN_PAUSE_EPISODES"
            raise ValueError(message)
        return self

    @field_validator("pause_severities")
    @classmethod
    def _check_severities(cls, value: str) -> str:
        unknown = sorted(_roles_of(value) - set(SEVERITIES))
        if unknown:
            message = f"{', '.join(unknown)}: no such severity; there are {', '.join(SEVERITIES)}"
            raise ValueError(message)
        return value

    @field_validator("second_factor_required_for")
    @classmethod
    def _check_roles(cls, value: str | None) -> str | None:
        unknown = [] if value is None else sorted(_roles_of(value) - set(ROLES))
        if unknown:
            message = f"{', '.join(unknown)}: no such role; there are {', '.join(ROLES)}"
            raise ValueError(message)
        return value

    @field_validator("older_secret_keys")
    @classmethod
    def _check_older_secrets(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and any(len(key) < MIN_SECRET_CHARACTERS for key in _listed(value)):
            message = f"each key must have at least {MIN_SECRET_CHARACTERS} characters"
            raise ValueError(message)
        return value

    @field_validator("smtp_url")
    @classmethod
    def _check_smtp(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        url = urlsplit(value.get_secret_value())
        asked = dict(parse_qsl(url.query, keep_blank_values=True))
        problem = (
            ("must begin with smtp:// or smtps://" if url.scheme not in SMTP_SCHEMES else "")
            or ("must name a host" if not url.hostname else "")
            or ("knows `starttls` and `ca` alone after the `?`" if asked.keys() - {"starttls", "ca"} else "")
            or ("`starttls` is offered, required or never" if asked.get("starttls", "offered") not in STARTTLS else "")
        )
        if problem:
            raise ValueError(problem)
        return value

    @field_validator("mail_from")
    @classmethod
    def _check_sender(cls, value: str | None) -> str | None:
        if value is not None and (not parseaddr(value)[1].isascii() or parseaddr(value)[1].count("@") != 1):
            message = "must be an address, or a name and an address in angle brackets"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _check_mail_has_sender(self) -> Self:
        if self.smtp_url and not self.mail_from:
            message = "TOCSIN_SMTP_URL is set without TOCSIN_MAIL_FROM, the sender of the mail"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_mail_provider_is_whole(self) -> Self:
        needed = {
            MailProvider.SMTP: (),
            MailProvider.SENDGRID: ("sendgrid_api_key", "mail_from"),
            MailProvider.SES: ("ses_region", "mail_from"),
        }[self.mail_provider]
        missing = [f"TOCSIN_{name.upper()}" for name in needed if not getattr(self, name)]
        if missing:
            message = f"TOCSIN_MAIL_PROVIDER is {self.mail_provider}, which needs {' and '.join(missing)}"
            raise ValueError(message)
        if (self.ses_access_key_id is None) is not (self.ses_secret_access_key is None):
            message = "TOCSIN_SES_ACCESS_KEY_ID and TOCSIN_SES_SECRET_ACCESS_KEY are set together or not at all"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_twilio_is_whole(self) -> Self:
        given = (self.twilio_account_sid, self.twilio_auth_token, self.twilio_from)
        if any(given) and not all(given):
            message = "TOCSIN_TWILIO_ACCOUNT_SID, TOCSIN_TWILIO_AUTH_TOKEN and TOCSIN_TWILIO_FROM are set together"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_slack_is_whole(self) -> Self:
        if (self.slack_bot_token is None) is not (self.slack_signing_secret is None):
            message = "TOCSIN_SLACK_BOT_TOKEN and TOCSIN_SLACK_SIGNING_SECRET are set together"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_owner_has_application(self) -> Self:
        if self.database_owner_url and not self.database_url:
            message = "TOCSIN_DATABASE_OWNER_URL is set without TOCSIN_DATABASE_URL, the application's own role"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_tls_is_whole(self) -> Self:
        if (self.tls_certificate is None) is not (self.tls_key is None):
            message = "TOCSIN_TLS_CERTIFICATE and TOCSIN_TLS_KEY are set together or not at all"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_plain_cookies_stay_here(self) -> Self:
        public_host = urlsplit(self.public_url).hostname if self.public_url else self.host
        if not self.cookie_secure and not (is_loopback(self.host) and is_loopback(public_host or "")):
            message = "TOCSIN_COOKIE_SECURE may be off only where TOCSIN_HOST and TOCSIN_PUBLIC_URL are loopback"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_provider_names(self) -> Self:
        names = [provider.name for provider in self.identity_providers]
        if len(names) != len(set(names)):
            message = "TOCSIN_OIDC_PROVIDERS: each provider needs a name of its own"
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
    def sends_mail(self) -> bool:
        """Whether a provider of mail is set up."""
        return self.mail_provider is not MailProvider.SMTP or self.smtp_url is not None

    @property
    def sends_texts(self) -> bool:
        """Whether a provider of text messages is set up."""
        return self.twilio_account_sid is not None

    @property
    def has_slack(self) -> bool:
        """Whether an app in Slack is set up."""
        return self.slack_bot_token is not None

    @property
    def outbound_networks(self) -> tuple[Network, ...]:
        """Networks of our own that messages to channels may go to."""
        return _networks(self.outbound_allowed_networks)

    @property
    def effective_public_url(self) -> str:
        """The address for links, without a slash at its end."""
        scheme = "http" if self.tls_certificate is None else "https"
        return self.public_url or f"{scheme}://{self.host}:{self.port}"

    @property
    def identity_providers(self) -> tuple[IdentityProvider, ...]:
        """Where people may sign in as well."""
        return self.oidc_providers or ()

    @cached_property
    def second_factor_roles(self) -> frozenset[str]:
        """The roles that must have a second factor."""
        return _roles_of(self.second_factor_required_for or "")

    @property
    def pause_severity_names(self) -> frozenset[str]:
        """The severities that may be held for a pause."""
        return _roles_of(self.pause_severities)

    # --- Secrets ------------------------------------------------------------------------------------------------

    @property
    def secret_file(self) -> Path:
        """Where a generated secret is kept."""
        return self.data_dir / "secret.key"

    @cached_property
    def secret_bytes(self) -> bytes:
        """The 32 bytes all keys are derived from. The first reader of a new data directory makes them."""
        if self.secret_key is not None:
            return _secret_of(self.secret_key.get_secret_value())
        try:
            return _kept_secret(self.secret_file)
        except OSError as error:
            purpose = f"none can be kept in {self.secret_file} ({error.strerror})"
            raise MissingSettingError("TOCSIN_SECRET_KEY", purpose) from None

    @property
    def effective_erasure_ledger_url(self) -> str:
        """Where the list of erased people is kept."""
        return self.erasure_ledger_url or f"file://{(self.data_dir / 'erasures').resolve()}"

    @property
    def audit_key_file(self) -> Path:
        """Where a generated key of the audit log is kept."""
        return self.data_dir / "audit.key"

    @property
    def audit_retired_file(self) -> Path:
        """The public keys that sealed the audit log before the generated one."""
        return self.data_dir / "audit.key.retired"

    @property
    def effective_audit_heads_file(self) -> Path:
        """Where heads of seals are appended to."""
        return self.audit_heads_file or self.data_dir / "audit.heads"

    def audit_seed(self) -> bytes:
        """The 32 bytes of the audit log's key, read anew each time: it may have been changed for another."""
        if self.audit_key is not None:
            return hashlib.sha256(self.audit_key.get_secret_value().encode()).digest()
        try:
            return _kept_secret(self.audit_key_file)
        except OSError as error:
            purpose = f"none can be kept in {self.audit_key_file} ({error.strerror})"
            raise MissingSettingError("TOCSIN_AUDIT_KEY", purpose) from None

    def derived_key(self, purpose: str) -> bytes:
        """The 32-byte key of one purpose (`access-token`, `email-hash`, `sealing`, …): no two purposes share one."""
        return _derived(self.secret_bytes, purpose)

    def older_derived_keys(self, purpose: str) -> tuple[bytes, ...]:
        """The keys of the same purpose under the former secrets: what they made counts, nothing new is made."""
        if self.older_secret_keys is None:
            return ()
        older = [secret for key in _listed(self.older_secret_keys) for secret in _secrets_of(key)]
        return tuple(_derived(secret, purpose) for secret in dict.fromkeys(older) if secret != self.secret_bytes)


def _checked_scheme(value: str | None, schemes: tuple[str, ...]) -> str | None:
    if value is None:
        return None
    scheme = urlsplit(value).scheme
    if scheme not in schemes:
        message = f"must begin with {' or '.join(f'{known}://' for known in schemes)}"
        raise ValueError(message)
    return value


def _roles_of(text: str) -> frozenset[str]:
    return frozenset(role.strip().lower() for role in text.split(",") if role.strip())


def _listed(keys: SecretStr) -> list[str]:
    """The keys, separated by commas; or a JSON list, for those that hold commas themselves."""
    text = keys.get_secret_value().strip()
    if not text.startswith("["):
        return [key.strip() for key in text.split(",") if key.strip()]
    try:
        listed = json.loads(text)
    except ValueError:
        listed = None
    if not isinstance(listed, list) or not all(isinstance(key, str) for key in listed):
        message = "must be keys separated by commas, or a JSON list of them"
        raise ValueError(message) from None
    return listed


def _secret_of(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _secrets_of(text: str) -> list[bytes]:
    """What a former key may stand for: a text that was set, or the content of a generated `secret.key`."""
    is_generated = len(text) == 2 * SECRET_BYTES and all(character in "0123456789abcdef" for character in text)
    return [_secret_of(text), *([bytes.fromhex(text)] if is_generated else [])]


def _derived(secret: bytes, purpose: str) -> bytes:
    return hmac.digest(secret, f"tocsin:{purpose}".encode(), "sha256")


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
