"""Which kinds of channel are there? One file each; to be one, it is named here."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from domain.channels.kind import ChannelKind
from domain.channels.kinds import pagerduty, slack, slack_bot, teams, webhook
from domain.errors import NotFound

_KINDS: dict[str, ChannelKind] = {}


def register(kind: ChannelKind) -> None:
    """Make it a kind there is."""
    if kind.name in _KINDS:
        message = f"there are two kinds of channel named {kind.name}"
        raise ValueError(message)
    _KINDS[kind.name] = kind


register(slack.KIND)
register(slack_bot.KIND)
register(teams.KIND)
register(pagerduty.KIND)
register(webhook.KIND)


@contextmanager
def registered(kind: ChannelKind) -> Iterator[ChannelKind]:
    """A kind there is for a while."""
    register(kind)
    try:
        yield kind
    finally:
        del _KINDS[kind.name]


def all_kinds() -> tuple[ChannelKind, ...]:
    """Every kind there is, in the order they are named in."""
    return tuple(_KINDS.values())


def names_of(has: Callable[[ChannelKind], bool] = lambda _: True) -> list[str]:
    """The names of those that have something."""
    return [kind.name for kind in all_kinds() if has(kind)]


def kind_named(name: str) -> ChannelKind:
    """The kind of a name; NotFound for one of a newer version of the server."""
    found = _KINDS.get(name)
    if found is None:
        message = f"there is no kind of channel named {name}"
        raise NotFound(message, ("kind",))
    return found
