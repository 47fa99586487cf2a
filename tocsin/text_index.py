"""How does an operator get an index of alerts' words in PostgreSQL, and get rid of it? By one command."""

import asyncio

from persistence.text_index import NoTrigrams, build_text_index, drop_text_index
from tocsin.errors import StartError
from tocsin.migrate import require_current
from tocsin.settings import Settings


def change_text_index(settings: Settings, *, is_wanted: bool) -> str:
    """Make or drop it; returns the closing line. StartError where the server cannot have it."""
    require_current(settings)
    if not is_wanted:
        was_there = asyncio.run(drop_text_index(settings.owner_dsn))
        return "the text index is gone" if was_there else "there was no text index"
    try:
        is_new = asyncio.run(build_text_index(settings.owner_dsn))
    except NoTrigrams as error:
        raise StartError(f"pg_trgm cannot be used: {error}; there is no text index") from None
    return "the text index is there" if is_new else "the text index was there already"
