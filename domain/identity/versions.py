"""Does an edit meet the person it was made for? Only if nobody changed them since the editor looked."""

from domain.errors import StaleVersion
from domain.identity.model import User


def require_user_version(user: User, expected: int | None) -> None:
    """StaleVersion unless the person is still what the caller read. None means: whatever they are now."""
    if expected is not None and expected != user.version:
        message = f"the person changed since you read version {expected}; it is {user.version} now"
        raise StaleVersion(message, ("expectedVersion",), expected=expected, actual=user.version)
