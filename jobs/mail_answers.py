"""What does a provider's HTTP answer to a mail mean? The parts that SendGrid and Amazon SES share."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from jobs.outbound import retry_after

SECONDS = 20.0
MAX_ANSWER = 64 * 1024
MAX_WAIT = timedelta(hours=1)
MAX_REASON = 400


def wait_of(headers: Mapping[str, str]) -> timedelta:
    """What `Retry-After` asks for, an hour at most; nothing where it asks for nothing."""
    asked = retry_after(headers.get("retry-after"), now=datetime.now(tz=UTC))
    return min(timedelta(seconds=asked or 0), MAX_WAIT)


def one_line(text: str) -> str:
    """A reason as it is kept."""
    return " ".join(text.split())[:MAX_REASON]
