"""How is the program watched?"""

from enum import StrEnum

from pydantic import Field
from pydantic_settings import BaseSettings


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


class OperationSettings(BaseSettings):
    """How is the program watched?"""

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
