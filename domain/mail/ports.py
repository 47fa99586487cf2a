"""What does a use case need to send mail? A place to leave it, in the change's own transaction."""

from typing import Protocol

from domain.mail.model import Mail


class MailBox(Protocol):
    """Mail that will leave once the surrounding transaction is committed."""

    async def append(self, *mails: Mail) -> None:
        """Write them in the surrounding transaction."""
        ...
