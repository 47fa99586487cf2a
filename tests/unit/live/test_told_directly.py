"""Is what was told of an event kept for the very same event and alert alone, and within bounds?"""

from dataclasses import replace

import pytest

from graphql_api.alerts import direct_events
from graphql_api.alerts.direct_events import Asked, DirectEvents, Kept, Told
from tests.alert_builder import an_alert
from tests.unit.live.test_member import place
from tests.unit.live.test_memo import recorded

NOTHING = Asked("alertEvents", (), (), (), ())
ALERT = an_alert()


def test_it_is_found_for_what_it_was_made_of() -> None:
    kept, by, event = Kept(), DirectEvents(NOTHING), recorded(1)
    kept.keep(by, Told(event, ALERT, place(1), b"{}"))
    assert kept.find(by, event, ALERT, place(1)) == b"{}"
    assert kept.find(by, replace(event), ALERT, place(1)) is None
    assert kept.find(by, event, an_alert(id=ALERT.id), place(1)) is None
    assert kept.find(by, event, ALERT, place(2)) is None
    assert kept.find(DirectEvents(NOTHING), event, ALERT, place(1)) is None


@pytest.mark.parametrize(("bound", "value"), [("MOST_KEPT", 2), ("MOST_BYTES", 25)])
def test_the_oldest_goes_first(bound: str, value: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direct_events, bound, value)
    kept, by, events = Kept(), DirectEvents(NOTHING), [recorded(number) for number in range(4)]
    for event in events:
        for _ in range(2):  # once more does not count twice
            kept.keep(by, Told(event, ALERT, place(1), b"0123456789"))
    assert [kept.find(by, event, ALERT, place(1)) is not None for event in events] == [False, False, True, True]
