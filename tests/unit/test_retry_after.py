"""How long does a provider want to be left alone? In every form its answer may say it."""

from datetime import UTC, datetime

import pytest

from jobs.outbound import retry_after

NOW = datetime(2026, 11, 26, 10, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("0", 0),
        ("120", 120),
        (" 120 ", 120),
        ("9" * 400, 999_999_999),
        ("Thu, 26 Nov 2026 10:02:00 GMT", 120),
        ("Thu, 26 Nov 2026 12:02:00 +0200", 120),
        ("Thursday, 26-Nov-26 10:02:00 GMT", 120),
        ("Thu Nov 26 10:02:00 2026", 120),
        ("Thu, 26 Nov 2026 10:02:00 -0000", 120),
        ("Thu, 26 Nov 2026 09:00:00 GMT", 0),
        ("-5", None),
        ("1.5", None),
        ("\u0661\u0662", None),
        ("soon", None),
        ("", None),
    ],
)
def test_a_wait_is_seconds_or_a_date(text: str | None, seconds: float | None) -> None:
    assert retry_after(text, now=NOW) == seconds
