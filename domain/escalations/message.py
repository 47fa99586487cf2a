"""What does a notification say? Enough to decide in the dark whether to get up, and why it came to you."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from domain.alerts.model import Severity
from domain.escalations.model import CALLS, Notification, NotificationKind
from domain.mail.model import MAX_SUBJECT
from domain.text import printable

MAX_DESCRIPTION = 1_000
MAX_TITLE, MAX_TITLE_IN_SUBJECT = 300, 120
MAX_LABELS = 12
# More alerts than a person reads at three in the morning: the rest is counted.
MAX_SHOWN = 20
# What a message of a drill has, whatever else it says.
MARK = "DRILL"
# What is good news.
ENDS = frozenset({NotificationKind.RESOLVED, NotificationKind.SETTLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One alert as a message tells of it. `answer_url` is where to acknowledge it with one tap; None: nowhere."""

    kind: NotificationKind
    alert_id: UUID
    title: str
    severity: Severity
    service_name: str | None
    source: str
    description: str | None
    started_at: datetime
    labels: tuple[tuple[str, str], ...]
    why: str
    answer_url: str | None = None
    # It tells of a whole group; `alert_id` is the alert that stands for it, whatever became of that.
    group_id: UUID | None = None
    # Whose alert it is; what its messages say may be that team's.
    team_id: UUID | None = None
    # A page of a later step, or of a later round: others were asked before.
    is_escalated: bool = False
    is_drill: bool = False


def told_of_test(notification: Notification) -> Told:
    """What a test says; it is about no alert."""
    return Told(
        kind=notification.kind,
        alert_id=notification.id,
        title="A test message from Tocsin",
        severity=Severity.LOW,
        service_name=None,
        source="tocsin",
        description="If you can read this, it works. No alert is open because of it.",
        started_at=notification.created_at,
        labels=(),
        why=notification.why,
    )


def subject_of(told: Sequence[Told]) -> str:
    """One line: the worst first. Never a line break, whatever a monitoring tool put into the title."""
    pages = [one for one in told if one.kind in CALLS]
    pages = pages or [one for one in told if one.kind is NotificationKind.FLAPPING] or list(told)
    worst = max(pages, key=lambda one: _RANK[one.severity])
    what = heading_of(worst)
    title = shortened(worst.title, MAX_TITLE_IN_SUBJECT)
    service = f" ({' '.join(worst.service_name.split())[:60]})" if worst.service_name else ""
    more = f" and {len(told) - 1} more" if len(told) > 1 else ""
    return printable(f"[{what}] {title}{service}{more}")[:MAX_SUBJECT]


def ordered(told: Sequence[Told]) -> list[Told]:
    """Pages before resolved ones, the worst first."""
    return sorted(told, key=lambda one: (one.kind in ENDS, -_RANK[one.severity]))


def text_of(told: Sequence[Told], say: Callable[[Told], str] | None = None) -> str:
    """The body, in plain text; `say` says each part of it where that is not the built-in one."""
    say, worst_first = say or part_of, ordered(told)
    parts = [say(one) for one in worst_first[:MAX_SHOWN]]
    if len(worst_first) > MAX_SHOWN:
        parts.append(f"… and {len(worst_first) - MAX_SHOWN} more")
    return "\n\n".join(parts) + "\n"


def heading_of(one: Told) -> str:
    """What a message about the alert begins with."""
    if one.kind in {NotificationKind.PAGE, NotificationKind.TEST}:
        return one.severity.value.upper()
    if one.kind is NotificationKind.WORSENED:
        return f"NOW {one.severity.value.upper()}"
    return one.kind.value.upper()


def part_of(one: Told) -> str:
    """What is said of one alert."""
    resolved = one.kind in ENDS
    lines = [f"{heading_of(one)}: {shortened(one.title)}"]
    lines.append(f"service: {one.service_name or '-'}   source: {one.source}")
    lines.append(f"since: {one.started_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC")
    if one.labels:
        lines.append("labels: " + ", ".join(f"{name}={value}" for name, value in one.labels[:MAX_LABELS]))
    if one.description and not resolved:
        lines += ["", one.description[:MAX_DESCRIPTION]]
    lines.append("")
    if one.answer_url is not None:
        lines.append(f"Acknowledge: {one.answer_url}")
    lines += [f"Why you: {one.why}", f"Alert: {one.alert_id}" if one.group_id is None else f"Group: {one.group_id}"]
    return "\n".join(lines)


def shortened(title: str, most: int = MAX_TITLE) -> str:
    """A title on one line, as long as anybody reads."""
    whole = " ".join(title.split())
    return whole if len(whole) <= most else whole[: most - 1].rstrip() + "…"


_RANK = {Severity.CRITICAL: 4, Severity.HIGH: 3, Severity.MEDIUM: 2, Severity.LOW: 1}
