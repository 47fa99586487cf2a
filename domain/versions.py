"""Does an edit meet the row it was made for? Only if nobody changed it since the editor looked."""

from domain.errors import StaleVersion


def require_version(what: str, *, actual: int, expected: int | None) -> None:
    """StaleVersion unless the row has the version the caller read. None means: whatever it has now."""
    if expected is not None and expected != actual:
        message = f"the {what} is at version {actual} now: read it again"
        raise StaleVersion(message, ("expectedVersion",), expected=expected, actual=actual)
