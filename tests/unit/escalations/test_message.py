"""Does a message say what matters, in one line and in full, whatever a tool put into its texts?"""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from domain.alerts.model import Severity
from domain.escalations.message import MAX_SHOWN, Told, subject_of, text_of
from domain.escalations.model import NotificationKind
from domain.ids import new_id
from domain.mail.model import Mail, MailKind

TOLD = Told(
    kind=NotificationKind.PAGE,
    alert_id=new_id(),
    title="Disk full",
    severity=Severity.HIGH,
    service_name="checkout",
    source="prometheus",
    description="97 %",
    started_at=datetime(2026, 11, 26, 3, tzinfo=UTC),
    labels=(("instance", "a"),),
    why="step 1: you are on call by the schedule Primary",
    answer_url="https://tocsin.test/answer?token=x",
)


def test_one_alert_is_its_own_subject() -> None:
    assert subject_of([TOLD]) == "[HIGH] Disk full (checkout)"
    text = text_of([TOLD])
    for part in ("Disk full", "97 %", "instance=a", "2026-11-26 03:00:00 UTC", TOLD.answer_url or "", TOLD.why):
        assert part in text


def test_of_several_the_worst_is_named_and_the_rest_counted() -> None:
    worse = replace(TOLD, severity=Severity.CRITICAL, title="Payments down", service_name=None)
    over = replace(TOLD, kind=NotificationKind.RESOLVED, severity=Severity.CRITICAL, title="Old", answer_url=None)
    assert subject_of([TOLD, over, worse]) == "[CRITICAL] Payments down and 2 more"
    text = text_of([over, TOLD, worse])
    assert text.index("Payments down") < text.index("Disk full") < text.index("RESOLVED: Old")


def test_a_storm_is_counted_not_listed() -> None:
    text = text_of([TOLD] * (MAX_SHOWN + 7))
    assert text.count("Disk full") == MAX_SHOWN
    assert "… and 7 more" in text


@given(st.text(max_size=400), st.text(max_size=100))
def test_whatever_a_tool_says_the_mail_can_be_made(title: str, service: str) -> None:
    """No header is injected by an alert's title. ASVS 5 V1.3.11."""
    told = replace(TOLD, title=title, service_name=service)
    mail = Mail(to="ann@example.com", subject=subject_of([told]), text=text_of([told]), kind=MailKind.NOTIFICATION)
    assert "\n" not in mail.subject


def test_flapping_goes_before_what_is_over_and_says_what_it_is() -> None:
    flaps = replace(TOLD, kind=NotificationKind.FLAPPING, severity=Severity.LOW, title="Up and down", answer_url=None)
    settled = replace(TOLD, kind=NotificationKind.SETTLED, severity=Severity.CRITICAL, title="Calm", answer_url=None)
    assert subject_of([settled, flaps]) == "[FLAPPING] Up and down (checkout) and 1 more"
    text = text_of([settled, flaps])
    assert text.index("FLAPPING: Up and down") < text.index("SETTLED: Calm")
    assert text.count("97 %") == 1, "what is over needs no description"
