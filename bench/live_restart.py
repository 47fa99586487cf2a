"""How soon do a thousand subscribers share again that come back after a restart, each with a cursor of its own?"""

from collections.abc import Sequence

import msgspec

from bench.live_load import listen
from bench.live_people import RESUMING, People
from bench.live_results import RestartTurn
from bench.live_servers import LiveTocsin
from bench.live_wire import LiveLoad, Subscriber


def measure(tocsin: LiveTocsin, people: People, *, subscribers: int, events: int, gap: float) -> RestartTurn:
    """Make as many events as subscribers, start the API anew, and let each come back after another event."""
    cursors = _cursors(tocsin, people, subscribers)
    tocsin.restart_api()
    crowd = _coming_back(people.crowd(subscribers, groups=1), cursors)
    found = listen(
        LiveLoad(
            port=tocsin.port,
            subscribers=crowd,
            publishing=tocsin.publishing(),
            prefix="back",
            events=events,
            gap=gap,
            seconds=0.0,
            patience=300.0,
        )
    )
    turn = RestartTurn(
        subscribers=subscribers,
        replayed=sum(subscriber.expects for subscriber in crowd),
        subscribe_seconds=found.subscribe_seconds,
        replay_seconds=found.replay_seconds,
        first_shared_seconds=found.first_shared_seconds,
        last_ms=[1000 * (timed.last - timed.answered) for timed in found.timed],
    )
    print(
        f"{subscribers} came back within {turn.subscribe_seconds:.1f} s with as many cursors; "
        f"after {turn.replay_seconds:.1f} s all {turn.replayed:,} events were replayed, "
        f"after {turn.first_shared_seconds:.1f} s all had a new one",
        flush=True,
    )
    return turn


def _cursors(tocsin: LiveTocsin, people: People, number: int) -> list[str]:
    """The cursors of so many new events, in their order."""
    recorded = listen(
        LiveLoad(
            port=tocsin.port,
            subscribers=people.crowd(1, groups=1),
            publishing=tocsin.publishing(),
            prefix="log",
            events=number,
            gap=0.0,
            seconds=0.0,
            keep_all=True,
        )
    )
    cursors = [msgspec.json.decode(text)["payload"]["data"]["alertEvents"]["cursor"] for text in recorded.samples]
    return cursors[-number:]


def _coming_back(crowd: Sequence[Subscriber], cursors: Sequence[str]) -> list[Subscriber]:
    """Each with a cursor of its own, and what it has missed since."""
    return [
        msgspec.structs.replace(
            subscriber, query=RESUMING, variables={"after": cursor}, expects=len(cursors) - 1 - index
        )
        for index, (subscriber, cursor) in enumerate(zip(crowd, cursors, strict=True))
    ]
