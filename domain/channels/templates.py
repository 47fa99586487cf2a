"""What may the text of a message be made of? A template per channel and kind of message, or one for all channels.

The template's own text wins over the one for everybody, and both over the built-in text. How a template is read and
filled is persistence/templating.py; here is what it is filled with, and how it comes to be and goes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

from domain.alerts.model import Severity
from domain.channels.kind import ChannelKind
from domain.desk import Desk
from domain.errors import InvalidInput, NotFound
from domain.escalations.message import Told, heading_of
from domain.escalations.model import NotificationKind
from domain.ids import new_id
from domain.text import check_storable
from domain.versions import require_version

MAX_SOURCE = 4_000
MAX_LABELS = 50
MAX_TEXT = 2_000
# What is told to persons alone.
TO_PERSONS = frozenset({NotificationKind.SWAP_ASKED, NotificationKind.SWAP_SETTLED})
# What a template may name, and what `alert` has.
NAMES = frozenset({"alert", "kind", "heading", "why", "isOver"})
ALERT = frozenset({"id", "title", "severity", "service", "source", "description", "startedAt", "labels"})


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageTemplate:
    """The text of one kind of message, for one channel or, without one, for all that have none of their own."""

    id: UUID
    kind: NotificationKind
    source: str
    updated_at: datetime
    channel_id: UUID | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class TemplateProblem:
    """What is wrong with a template, and in which line and column, as far as that is known.

    `field` is which of several templates of one message it is in.
    """

    message: str
    line: int | None = None
    column: int | None = None
    field: str | None = None

    @property
    def told(self) -> str:
        """In one line, with its place."""
        places = [f"{name} {at}" for name, at in (("line", self.line), ("column", self.column)) if at is not None]
        return f"{', '.join(places)}: {self.message}" if places else self.message


class TemplateFails(Exception):
    """The template cannot be read, or gives no text."""

    def __init__(self, problem: TemplateProblem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def facts_of(told: Told, *, is_over: bool, escape: Callable[[str], str] = str) -> dict[str, Any]:
    """What a template is filled with: texts, each escaped for where it goes, and nothing that can be called."""

    def cut(text: str | None) -> str | None:
        return None if text is None else escape(text[:MAX_TEXT])

    return {
        "kind": told.kind.value,
        "heading": heading_of(told),
        "why": cut(told.why),
        "isOver": is_over,
        "alert": {
            "id": str(told.alert_id),
            "title": cut(told.title),
            "severity": told.severity.value,
            "service": cut(told.service_name),
            "source": cut(told.source),
            "description": cut(told.description),
            "startedAt": told.started_at.astimezone(UTC).isoformat(),
            "labels": {escape(name): escape(value[:MAX_TEXT]) for name, value in told.labels[:MAX_LABELS]},
        },
    }


def sample(kind: NotificationKind, now: datetime) -> Told:
    """An alert to try a template with, where there is none."""
    return Told(
        kind=kind,
        alert_id=UUID("01998a50-0000-7000-8000-000000000000"),
        title="Checkout answers slowly",
        severity=Severity.CRITICAL,
        service_name="checkout",
        source="prometheus",
        description="The 99th percentile is at 4.2 s.",
        started_at=now,
        labels=(("alertname", "CheckoutSlow"), ("instance", "web-3"), ("team", "shop")),
        why="step 1 of Web on call",
    )


class Templates(Protocol):
    """The store of templates, within one transaction."""

    async def locked_template(self, channel_id: UUID | None, kind: NotificationKind) -> MessageTemplate | None:
        """The template of a channel, or the one for all, for one kind of message; locked."""
        ...

    async def save_template(self, template: MessageTemplate) -> None:
        """Write it, new or changed."""
        ...

    async def remove_template(self, template: MessageTemplate) -> None:
        """Delete it."""
        ...


def check_kind(kind: ChannelKind) -> None:
    """Refuse a template for a kind whose messages are not made of text."""
    if not kind.takes_templates:
        message = "messages of this kind of channel take no template"
        raise InvalidInput(message, ("channelId",))


async def set_template(
    *,
    channel_id: UUID | None,
    kind: NotificationKind,
    source: str | None,
    expected_version: int | None,
    check: Callable[[str], None],
    store: Templates,
    desk: Desk[Any],
) -> MessageTemplate | None:
    """The template from now on; None for the built-in text. The caller has locked the channel, and may change it."""
    before = await store.locked_template(channel_id, kind)
    require_version("template", actual=before.version if before else 0, expected=expected_version)
    if source is None:
        if before is None:
            message = "there is no template for this kind of message"
            raise NotFound(message, ("kind",))
        await store.remove_template(before)
        await desk.audit(target_id=before.id, before=_shown(before))
        return None
    if kind in TO_PERSONS:
        message = "channels are told of alerts, and of no shift"
        raise InvalidInput(message, ("kind",))
    check_storable(source, path=("source",))
    check(source)
    if before is not None and before.source == source:
        return before
    after = MessageTemplate(
        id=before.id if before else new_id(),
        channel_id=channel_id,
        kind=kind,
        source=source,
        updated_at=desk.now,
        version=before.version + 1 if before else 1,
    )
    await store.save_template(after)
    await desk.audit(target_id=after.id, before=None if before is None else _shown(before), after=_shown(after))
    return after


def _shown(template: MessageTemplate) -> dict[str, Any]:
    channel = None if template.channel_id is None else str(template.channel_id)
    return {"channelId": channel, "kind": template.kind.value, "source": template.source}
