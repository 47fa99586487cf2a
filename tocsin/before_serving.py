"""May anybody be served yet? Everybody's data is sealed first, and who was erased is erased."""

import asyncio

from persistence.before_serving import ForeignSecret, LedgerUnreadable, prepare_data
from tocsin.errors import StartError
from tocsin.settings import Settings


def before_serving(settings: Settings) -> int:
    """See persistence/before_serving.py: how many people were sealed. StartError where nobody may be served yet."""
    try:
        return asyncio.run(prepare_data(settings))
    except ForeignSecret as error:
        raise StartError(f"{error}: give that one, or list it in TOCSIN_OLDER_SECRET_KEYS") from None
    except LedgerUnreadable as error:
        raise StartError(f"{error}: set TOCSIN_ERASURE_LEDGER_URL to where it is, or make it readable") from None
