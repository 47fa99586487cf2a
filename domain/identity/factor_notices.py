"""What is a person told when their ways to prove who they are change? By mail: a thief who adds one is noticed."""

from contextlib import suppress
from enum import StrEnum

from domain.errors import InvalidInput
from domain.identity.letters import Letters
from domain.identity.model import User
from domain.identity.ports import IdentityUnit


class News(StrEnum):
    """The sentences; none holds anything that somebody typed."""

    APP_ADDED = "An authenticator app was set up for your account."
    APP_REMOVED = "The authenticator app of your account was removed."
    PASSKEY_ADDED = "A passkey was added to your account."
    PASSKEY_REMOVED = "A passkey of your account was removed."
    CODES_RENEWED = "New recovery codes were made for your account; the ones of before no longer work."
    CODE_USED = "A recovery code of your account was used. Each works once: make new ones before they run out."
    RESET = (
        "An administrator removed your authenticator app, passkeys and recovery codes and ended your sessions. Sign in "
        "with your password and set them up anew."
    )


async def tell(unit: IdentityUnit, letters: Letters, user: User, news: News) -> None:
    """Write the mail, in the change's own transaction. An address no mail can go to stops no change."""
    with suppress(InvalidInput):
        await unit.mail.append(letters.factors_changed(user, news.value))
