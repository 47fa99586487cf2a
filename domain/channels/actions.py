"""How does a channel come to be, change and end? Checked, versioned, on the audit log without its secrets."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol, TypeAlias
from urllib.parse import urlsplit
from uuid import UUID

from domain.alerts.visibility import Sight
from domain.channels.kind import ChannelField, ChannelKind, FieldForm
from domain.channels.model import Channel
from domain.desk import Desk
from domain.errors import AlreadyExists, InvalidInput, NotFound
from domain.ids import new_id
from domain.text import check_storable, checked_text
from domain.versions import require_version

MAX_NAME = 100
NO_SUCH = "no such channel"
TAKEN = "the team has another channel of this name"


class Channels(Protocol):
    """The store of channels, within one transaction."""

    async def add(self, channel: Channel) -> bool:
        """Write a new channel; False when the team has one of this name."""
        ...

    async def locked(self, channel_id: UUID, *, sight: Sight) -> Channel | None:
        """The channel with its values, locked; None for one out of sight or archived."""
        ...

    async def save(self, channel: Channel) -> bool:
        """Write an edit; False when the team has another of this name."""
        ...

    async def team_in_sight(self, team_id: UUID, *, sight: Sight) -> bool:
        """Whether there is such a team, not archived and within sight."""
        ...


ChannelDesk: TypeAlias = Desk[Channels]


def checked_values(kind: ChannelKind, values: Mapping[str, str]) -> dict[str, str]:
    """The values of the kind's fields; InvalidInput names the first that is wrong, missing or unknown."""
    known = {field.name: field for field in kind.fields}
    for name in values:
        if name not in known:
            message = f"a channel of this kind has the fields {', '.join(known)}"
            raise InvalidInput(message, ("values", name))
    return {
        name: _checked_value(field, values.get(name, ""))
        for name, field in known.items()
        if field.is_required or values.get(name)
    }


def _checked_value(field: ChannelField, value: str) -> str:
    path = ("values", field.name)
    value = value.strip()
    check_storable(value, path=path)
    if not field.least <= len(value) <= field.most:
        wanted = f"{field.least}" if field.least == field.most else f"{field.least} to {field.most}"
        message = f"{field.label} has {wanted} characters"
        raise InvalidInput(message, path)
    if field.form is FieldForm.HTTPS_URL:
        check_url(value, path)
    if field.pattern is not None and not re.fullmatch(field.pattern, value):
        message = f"{field.label} does not look like one: {field.description}"
        raise InvalidInput(message, path)
    return value


def check_url(value: str, path: tuple[str, ...]) -> None:
    """Where it leads is checked when it is used: a name may lead elsewhere by then (jobs/outbound.py)."""
    try:
        parts = urlsplit(value)
        is_good = parts.scheme == "https" and bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good or not value.isascii() or any(character.isspace() for character in value):
        message = "must be an address that begins with https:// and names a host, without a user and password"
        raise InvalidInput(message, path)


async def create_channel(
    *, name: str, kind: ChannelKind, values: Mapping[str, str], team_id: UUID | None, desk: ChannelDesk
) -> Channel:
    """A new channel. Try it before it is relied upon."""
    await desk.require_team(team_id)
    channel = Channel(
        id=new_id(),
        name=checked_text(name, path=("name",), limit=MAX_NAME),
        kind=kind,
        values=checked_values(kind, values),
        team_id=team_id,
        created_at=desk.now,
        updated_at=desk.now,
    )
    if not await desk.stores.add(channel):
        raise AlreadyExists(TAKEN, ("name",))
    await desk.audit(target_id=channel.id, after=shown(channel))
    return channel


async def update_channel(
    channel_id: UUID,
    *,
    name: str | None,
    values: Mapping[str, str] | None,
    expected_version: int | None,
    desk: ChannelDesk,
) -> Channel:
    """The channel after an edit; values that are left out stay, so a secret need not be typed again."""
    before = await mine(channel_id, desk)
    require_version("channel", actual=before.version, expected=expected_version)
    edited = replace(
        before,
        name=before.name if name is None else checked_text(name, path=("name",), limit=MAX_NAME),
        values=checked_values(before.kind, {**before.values, **(values or {})}),
    )
    if edited == before:
        return before
    after = replace(edited, version=before.version + 1, updated_at=desk.now, problem=None, problem_at=None)
    if not await desk.stores.save(after):
        raise AlreadyExists(TAKEN, ("name",))
    changed = sorted(name for name, value in after.values.items() if before.values.get(name) != value)
    await desk.audit(target_id=after.id, before=shown(before), after={**shown(after), "changedValues": changed})
    return after


async def archive_channel(channel_id: UUID, *, desk: ChannelDesk) -> Channel:
    """End a channel: nothing goes to it any more, and its values are forgotten."""
    before = await mine(channel_id, desk)
    after = replace(before, archived_at=desk.now, updated_at=desk.now, values={}, version=before.version + 1)
    await desk.stores.save(after)
    await desk.audit(target_id=after.id, before=shown(before), after=shown(after))
    return after


async def mine(channel_id: UUID, desk: ChannelDesk) -> Channel:
    """A channel the viewer may change, locked."""
    found = await desk.stores.locked(channel_id, sight=desk.viewer.sight)
    if found is None:
        raise NotFound(NO_SUCH, ("id",))
    desk.require_manager(found.team_id)
    return found


def shown(channel: Channel) -> dict[str, Any]:
    """What the audit log keeps of a channel: no value, for most are secrets."""
    return {
        "name": channel.name,
        "kind": channel.kind.name,
        "teamId": None if channel.team_id is None else str(channel.team_id),
        "isArchived": channel.archived_at is not None,
    }
