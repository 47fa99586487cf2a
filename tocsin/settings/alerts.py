"""How are alerts taken in and folded, and how long is what came kept?"""

from datetime import timedelta
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings

from tocsin.settings.words import Bytes, Count, Limit, Seconds, names_in

SEVERITIES = ("critical", "high", "medium", "low")
MAX_TURNS = 50


class AlertSettings(BaseSettings):
    """How are alerts taken in and folded, and how long is what came kept?"""

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
        unknown = sorted(names_in(value) - set(SEVERITIES))
        if unknown:
            message = f"{', '.join(unknown)}: no such severity; there are {', '.join(SEVERITIES)}"
            raise ValueError(message)
        return value

    @property
    def pause_severity_names(self) -> frozenset[str]:
        """The severities that may be held for a pause."""
        return names_in(self.pause_severities)
