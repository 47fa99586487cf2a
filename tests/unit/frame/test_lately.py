"""Is what is told often told once a minute, and is little remembered of it?"""

from datetime import UTC, datetime, timedelta

from graphql_api.audit.lately import Lately

NOW = datetime(2026, 11, 26, tzinfo=UTC)


def test_it_is_new_once_a_minute() -> None:
    lately = Lately()
    assert lately.is_new(("login", "192.0.2.1"), NOW)
    assert not lately.is_new(("login", "192.0.2.1"), NOW + timedelta(seconds=59))
    assert lately.is_new(("login", "192.0.2.2"), NOW + timedelta(seconds=59))
    assert lately.is_new(("login", "192.0.2.1"), NOW + timedelta(seconds=60))
    assert not lately.is_new(("login", "192.0.2.1"), NOW + timedelta(seconds=61))


def test_the_oldest_make_room() -> None:
    lately = Lately(most=3)
    for number in range(5):
        assert lately.is_new((str(number),), NOW)
    assert lately.is_new(("0",), NOW)
    assert not lately.is_new(("4",), NOW)
