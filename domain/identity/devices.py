"""Which device is this? A browser and a system, in words, from what the client says of itself: a hint, not a proof."""

import re

# The first that is found counts: every browser also names those it wants to be taken for.
_CLIENTS = (
    (re.compile(r"Edg(?:e|A|iOS)?/"), "Edge"),
    (re.compile(r"OPR/|Opera"), "Opera"),
    (re.compile(r"SamsungBrowser/"), "Samsung Internet"),
    (re.compile(r"Firefox/|FxiOS/"), "Firefox"),
    (re.compile(r"Chrome/|CriOS/|Chromium/"), "Chrome"),
    (re.compile(r"Safari/"), "Safari"),
    (re.compile(r"^curl/"), "curl"),
    (re.compile(r"^python-httpx|^python-requests|^Python/|aiohttp"), "Python"),
    (re.compile(r"^node|undici|axios"), "Node.js"),
    (re.compile(r"^Go-http-client"), "Go"),
)
_SYSTEMS = (
    (re.compile(r"iPhone|iPod"), "iPhone"),
    (re.compile(r"iPad"), "iPad"),
    (re.compile(r"Android"), "Android"),
    (re.compile(r"CrOS"), "ChromeOS"),
    (re.compile(r"Windows"), "Windows"),
    (re.compile(r"Macintosh|Mac OS X"), "macOS"),
    (re.compile(r"Linux|X11"), "Linux"),
)


def device_name(user_agent: str | None) -> str | None:
    """`Firefox on Linux`; what is known of it where that is less; None where nothing is."""
    if not user_agent:
        return None
    found = [_first(table, user_agent) for table in (_CLIENTS, _SYSTEMS)]
    return " on ".join(name for name in found if name) or None


def _first(table: tuple[tuple[re.Pattern[str], str], ...], text: str) -> str | None:
    return next((name for pattern, name in table if pattern.search(text)), None)
