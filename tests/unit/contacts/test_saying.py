"""Is a message that a template makes still one that can be answered, as short as it may be, and safe to look at?"""

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.channels.templates import sample
from domain.contacts.message import tidy
from domain.contacts.saying import MAX_SEGMENTS, answered_by_code, reply_line
from domain.contacts.segments import Encoding, segments_of
from domain.contacts.templates import Medium, PersonTemplate, Saying
from domain.escalations.mail_page import page_of
from domain.escalations.message import Told
from domain.escalations.model import NotificationKind
from domain.ids import new_id
from persistence.person_wording import PersonWording

NOW = datetime(2026, 11, 26, 3, 4, tzinfo=UTC)
URL = "https://tocsin.test/answer?token=abc&x=1"
TEAM = UUID("01998a50-0000-7000-8000-00000000000a")


def told(kind: NotificationKind = NotificationKind.PAGE, **more: object) -> Told:
    url = URL if kind is NotificationKind.PAGE else None
    return replace(sample(kind, NOW), **{"answer_url": url, **more})  # type: ignore[arg-type] # of any field


def template(source: str, kind: Saying = Saying.PAGE, **more: object) -> PersonTemplate:
    made = PersonTemplate(id=new_id(), medium=Medium.MAIL, kind=kind, source=source, updated_at=NOW)
    return replace(made, **more)  # type: ignore[arg-type] # of any field


@pytest.mark.parametrize(
    ("text", "encoding", "count", "places"),
    [
        ("a" * 160, Encoding.GSM_7, 1, 160),
        ("a" * 161, Encoding.GSM_7, 2, 161),
        ("a" * 306, Encoding.GSM_7, 2, 306),
        ("a" * 307, Encoding.GSM_7, 3, 307),
        # A character of two places is not split: the 153rd place of the first piece stays empty.
        ("a" * 152 + "€" + "a" * 152, Encoding.GSM_7, 3, 306),
        ("ж" * 70, Encoding.UCS_2, 1, 70),
        ("ж" * 71, Encoding.UCS_2, 2, 71),
        ("ж" * 66 + "😀" + "ж" * 66, Encoding.UCS_2, 3, 134),
        ("", Encoding.GSM_7, 1, 0),
    ],
    ids=range(9),
)
def test_segments_are_counted_as_the_network_cuts_them(text: str, encoding: Encoding, count: int, places: int) -> None:
    found = segments_of(text)
    assert (found.encoding, found.count, found.places) == (encoding, count, places)


@settings(deadline=None)
@given(text=st.text(max_size=900), code=st.none() | st.just("0417"))
def test_a_text_message_fits_and_can_be_answered(text: str, code: str | None) -> None:
    said, was_cut = answered_by_code(text, code)
    assert segments_of(said).count <= MAX_SEGMENTS
    assert code is None or f"A {code}" in said
    room = segments_of(f"{tidy(text)}\n{reply_line('0417')}").count <= MAX_SEGMENTS
    assert not (room and was_cut), "nothing is cut that has room"


def test_a_code_that_a_template_has_is_not_said_twice() -> None:
    own, _ = answered_by_code("Pumpe kaputt. Antworte A 0417", "0417")
    assert own == "Pumpe kaputt. Antworte A 0417"
    said, was_cut = answered_by_code("x" * 900 + " A 0417", "0417")
    assert was_cut
    assert said.endswith(f"...\n{reply_line('0417')}"), "what was cut off is put where it belongs"
    assert answered_by_code("disk 0417 is full", "0417")[0].endswith(reply_line("0417")), "a number is no answer"


def test_the_teams_template_wins_and_an_escalated_page_is_said_as_a_page_where_there_is_no_other() -> None:
    everybody, mine = template("all {{ alert.title }}"), template("mine {{ alert.title }}", team_id=TEAM)
    wording = PersonWording([everybody, mine])
    assert wording.mail([told(team_id=TEAM)]).text.startswith("mine Checkout")
    assert wording.mail([told()]).text.startswith("all Checkout")
    assert wording.mail([told(team_id=TEAM, is_escalated=True)]).text.startswith("mine ")
    again = PersonWording([mine, template("again", Saying.ESCALATED)])
    assert again.mail([told(team_id=TEAM, is_escalated=True)]).text.startswith("mine "), "the team's own word first"
    assert again.mail([told(is_escalated=True)]).text.startswith("again")
    assert wording.mail([told(NotificationKind.RESOLVED)]).text.startswith("RESOLVED: ")
    assert wording.mail([told(NotificationKind.TEST)]).text.startswith("CRITICAL: "), "a test has no template"


def test_a_mail_can_be_answered_and_says_why_whatever_its_template_leaves_out() -> None:
    said = PersonWording([template("It is down.", subject="  down\n\x00 {{ alert.title }} ")]).mail([told()])
    assert said.subject == "down Checkout answers slowly"
    assert said.text.startswith(f"It is down.\n\nAcknowledge: {URL}\nWhy you: step 1 of Web on call\nAlert: ")
    own = PersonWording([template("Press {{ answerUrl }} now")]).mail([told()])
    assert own.text.count(URL) == 1
    assert PersonWording([template("x", subject="s")]).mail([told(is_drill=True)]).subject == "DRILL: s"


def test_several_alerts_are_each_said_by_their_own_team_or_all_by_a_digest() -> None:
    page, over = told(team_id=TEAM, title="Disk"), told(NotificationKind.RESOLVED, title="Net")
    said = PersonWording([template("mine {{ alert.title }}", team_id=TEAM)]).mail([over, page])
    assert said.subject == "[CRITICAL] Disk (checkout) and 1 more"
    assert said.text.startswith(f"mine Disk\n\nAcknowledge: {URL}\n")
    assert "\n\nRESOLVED: Net\n" in said.text
    digest = template(
        "{{ count }}:{% for one in messages %} {{ one.heading }} {{ one.alert.title }}{% endfor %}",
        Saying.DIGEST,
        subject="{{ count }} alerts",
    )
    said = PersonWording([digest]).mail([over, page])
    assert said.subject == "2 alerts"
    assert said.text.startswith(f"2: CRITICAL Disk RESOLVED Net\n\nAcknowledge Disk: {URL}\n")
    assert "Acknowledge: Disk</a>" in said.html
    short = PersonWording([replace(digest, medium=Medium.SMS)]).text_message([over, page], "0417")
    assert short.text == f"2: CRITICAL Disk RESOLVED Net\n{reply_line('0417')}"


def test_a_template_that_fails_is_said_in_the_built_in_words_and_noted_by_its_field() -> None:
    broken = template("{{ alert.labels.alertname | date }}", subject="ok {{ alert.title }}")
    wording = PersonWording([broken])
    said = wording.mail([told()])
    assert said.subject == "ok Checkout answers slowly"
    assert said.text.startswith("CRITICAL: Checkout answers slowly\n")
    ((found, problem),) = wording.failed.values()
    assert found is broken
    assert (problem.field, problem.line) == ("source", 1)
    blank = PersonWording([template("x", subject="{{ alert.labels.none }}")])
    assert blank.mail([told()]).subject.startswith("[CRITICAL] ")
    assert [problem.field for _, problem in blank.failed.values()] == ["subject"]


ATTACKS = ("<script>alert(1)</script>", '"><a href="//evil">', "</style><img src=x>")
OURS = {"html", "head", "meta", "title", "style", "body", "div", "p", "br", "table", "tr", "th", "td", "a"}


def test_no_title_calls_everybody_in_slack() -> None:
    """A mention forged by an alert's words, by whichever name a template says them. ASVS 5 V1.2.1."""
    loud = told(title="<!channel> & co", labels=(("<!here>", "<!everyone>"),))
    every = "{{ alert.title }}{% for one in messages %}{{ one.alert.title }}{{ one.alert.labels | join }}{% endfor %}"
    said = PersonWording([template(every)]).slack(loud, is_over=False)
    assert said is not None
    assert "<" not in said
    assert said.count("&lt;!channel&gt; &amp; co") == 2


@pytest.mark.parametrize("before", ["x" * 600, "DRILLING PLATFORM"])
def test_a_drill_says_so_where_it_is_not_cut(before: str) -> None:
    drill = told(title="DRILL: Web", description=before, is_drill=True)
    source = "{{ alert.description }} {{ alert.title if alert.severity == 'low' }}" + ("y" * 100) + "{{ alert.title }}"
    wording = PersonWording([template(source, subject=source)])
    assert wording.text_message([drill], "0417").text.startswith("DRILL: ")
    assert wording.mail([drill]).subject.startswith("DRILL: ")


@pytest.mark.parametrize("word", ["!channel", " !here", "@U0123", "#C0123", "!subteam^S012"])
def test_a_link_that_a_template_makes_of_a_label_calls_nobody(word: str) -> None:
    """A mention forged by a label where a template links to it, as docs/channels.md shows. ASVS 5 V1.2.1."""
    link = "<{{ alert.labels.runbook | trim }}|Runbook> <{{ alert.labels.none }}{{ alert.title | oneline }}>"
    said = PersonWording([template(link)]).slack(told(title=word, labels=(("runbook", word),)), is_over=False)
    assert said is not None
    assert not re.search(r"<[!@#]", said)
    fine = told(title="#3", labels=(("runbook", "https://wiki.test/a"),))
    shown = PersonWording([template(link)]).slack(fine, is_over=False)
    assert shown is not None
    assert shown.startswith("<https://wiki.test/a|Runbook>")


def test_a_slow_template_costs_a_digest_its_words_and_nobody_their_time() -> None:
    wording = PersonWording([template("said {{ alert.title | upper }}")])
    wording.patience.left = 0.0
    said = wording.mail([told(title="Disk full"), told(title="Payments down")])
    assert "Payments down" in said.text
    assert "said" not in said.text
    ((_, problem),) = wording.failed.values()
    assert problem.message == "it takes too long"


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.links: list[str | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(tag)
        self.links += [value for name, value in attrs if name in {"href", "src"} or name.startswith("on")]


@settings(deadline=None)
@given(text=st.text(max_size=200) | st.sampled_from(ATTACKS))
def test_no_text_of_others_becomes_html(text: str) -> None:
    """Cross-site scripting by an alert's words, and by a template's. ASVS 5 V1.3.1."""
    one = told(title=text or "-", description=text, why=text, source=text, service_name=text, labels=((text, text),))
    for html in (page_of([one]), page_of([one], lambda _: text), page_of([one, one], whole=text)):
        tags = _Tags()
        tags.feed(html)
        assert set(tags.found) <= OURS
        assert set(tags.links) == {URL}
