"""Where is the API found, and how much may be asked of it?"""

from datetime import timedelta
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings

from tocsin.identity_providers import is_loopback
from tocsin.settings.words import Bytes, Count, HttpUrl, Limit, Seconds


class DoorSettings(BaseSettings):
    """Where is the API found, and how much may be asked of it?"""

    host: str = Field(default="127.0.0.1", description="Address the API listens on.")
    port: int = Field(default=8080, ge=0, le=65535, description="Port the API listens on; 0 takes a free one.")
    api_workers: Count = Field(default=1, description="API processes that share the port.")
    public_url: HttpUrl | None = Field(
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
    cookie_secure: bool = Field(
        default=True,
        description="Whether the session cookies of browsers need https (`__Host-…`, `Secure`). Off for plain http on "
        "loopback alone, and for browsers that take no such cookie there.",
    )

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

    @property
    def effective_public_url(self) -> str:
        """The address for links, without a slash at its end."""
        scheme = "http" if self.tls_certificate is None else "https"
        return self.public_url or f"{scheme}://{self.host}:{self.port}"
