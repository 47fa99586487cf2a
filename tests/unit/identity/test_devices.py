"""What is a session's device called?"""

import pytest

from domain.identity.devices import device_name

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Mobile/15E148 Safari/604.1"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/141.0.0.0 Safari/537.36"


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0", "Firefox on Linux"),
        (WINDOWS, "Chrome on Windows"),
        (f"{WINDOWS} Edg/141.0.0.0", "Edge on Windows"),
        (IPHONE, "Safari on iPhone"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/141.0 Mobile Safari/537.36", "Chrome on Android"),
        ("curl/8.14.1", "curl"),
        ("python-httpx2/2.0", "Python"),
        ("node", "Node.js"),
        ("something else", None),
        ("", None),
        (None, None),
    ],
)
def test_a_device_is_named_by_what_it_says_of_itself(user_agent: str | None, name: str | None) -> None:
    assert device_name(user_agent) == name
