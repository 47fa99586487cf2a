"""What do the `tocsin keys` commands do? Say which key everything is sealed under, and move it to the present one."""

import asyncio
from collections.abc import Callable, Iterator

from persistence.engine import create_engine
from persistence.key_rotation import KeyUse, Progress, key_uses, rotate
from tocsin.migrate import require_current
from tocsin.settings import Settings


def status(settings: Settings) -> tuple[list[str], bool]:
    """A line for each column and key, and whether everything is under the present key."""
    require_current(settings)
    uses = asyncio.run(_uses(settings))
    lines = [_line(use) for use in uses] or ["nothing is sealed yet"]
    return lines, all(use.is_current for use in uses)


def rotate_keys(settings: Settings, tell: Callable[[str], None]) -> tuple[list[str], bool]:
    """Move everything to the present key. The lines that say what was done, and whether nothing is left."""
    require_current(settings)
    moved, unreadable = asyncio.run(_rotate(settings, tell))
    return list(_outcome(moved, unreadable)), not unreadable


def _line(use: KeyUse) -> str:
    state = "the present key" if use.is_current else "a former key" if use.is_known else "a key that is not here"
    return f"{use.column}: {use.count} under {use.key_id} ({state})"


def _outcome(moved: int, unreadable: int) -> Iterator[str]:
    yield f"{moved} values were moved to the present key"
    if unreadable:
        yield f"{unreadable} could not be opened: list the key they are under in TOCSIN_OLDER_SECRET_KEYS"
    else:
        yield "nothing is left under a former key; once every process runs with the new one, forget the former"


async def _uses(settings: Settings) -> list[KeyUse]:
    engine = create_engine(settings, pool_size=1)
    try:
        return await key_uses(engine)
    finally:
        await engine.dispose()


async def _rotate(settings: Settings, tell: Callable[[str], None]) -> tuple[int, int]:
    def say(progress: Progress) -> None:
        tell(f"{progress.column}: {progress.moved} moved")

    engine = create_engine(settings, pool_size=1)
    try:
        total = await rotate(engine, address_key=settings.derived_key("email-hash"), tell=say)
    finally:
        await engine.dispose()
    return total["moved"], total["unreadable"]
