"""What is counted where it happens, whoever asked for the work? Sends by provider and outcome, and steps fired late."""

from prometheus_client import Counter

SENDS = Counter(
    "tocsin_sends",
    "Attempts to send, by provider and by what became of them: sent, retry, refused.",
    ["provider", "outcome"],
    registry=None,
)
LATE_STEPS = Counter(
    "tocsin_late_steps", "Steps of escalations that fired only when the auditor found them overdue.", registry=None
)
SHARED = (SENDS, LATE_STEPS)


def count_send(provider: str, outcome: object) -> None:
    """Count one attempt; the class of the outcome says what became of it (`Sent`, `TextRetry`, …)."""
    SENDS.labels(provider, type(outcome).__name__.removeprefix("Text").lower()).inc()
