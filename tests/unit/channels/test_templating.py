"""Can a template do anything but show what it is given, or take longer or more than it may? Whoever wrote it."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.channels.kinds import slack
from domain.channels.templates import MAX_SOURCE, TemplateFails, facts_of, sample
from domain.escalations.model import NotificationKind
from persistence.template_filters import FILTERS, MAX_OUTPUT
from persistence.templating import SECONDS, SECONDS_IN_ALL, Patience, check, render

NOW = datetime(2026, 11, 26, 3, 4, tzinfo=UTC)
TOLD = sample(NotificationKind.PAGE, NOW)


def facts(**more: Any) -> dict[str, Any]:  # noqa: ANN401 - of any field
    return facts_of(replace(TOLD, **more), is_over=False)


def problem(source: str) -> tuple[str, int | None]:
    with pytest.raises(TemplateFails) as refusal:
        check(source)
    return refusal.value.problem.message, refusal.value.problem.line


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ heading }}: {{ alert.title }}", "CRITICAL: Checkout answers slowly"),
        ("{{ alert['service'] | upper }} {{ alert.labels.instance }}", "CHECKOUT web-3"),
        ("{{ alert.labels.none }}{{ alert.labels.none.deeper }}x", "x"),
        ("{% if isOver %}over{% elif alert.severity == 'critical' %}bad{% else %}fine{% endif %}", "bad"),
        ("{% for name, value in alert.labels %}{{ name }}={{ value }}{% if not loop.last %};{% endif %}{% endfor %}",
         "alertname=CheckoutSlow;instance=web-3;team=shop"),
        ("{{ alert.labels | join(' ') }}", "alertname=CheckoutSlow instance=web-3 team=shop"),
        ("{{ alert.startedAt | date('%H:%M', 'Europe/Berlin') }}", "04:04"),
        ("{{ alert.title | truncate(9) }}", "Checkout…"),
        ("{{ alert.labels.runbook | default('none') }}", "none"),
        ("{{ 'yes' if alert.severity in ['critical', 'high'] else 'no' }}", "yes"),
        ("{{ alert.title ~ '!' }}{# nothing #}", "Checkout answers slowly!"),
        ("{{ alert.description | length }}", "32"),
    ],
    ids=range(12),
)  # fmt: skip
def test_what_a_template_can_say(source: str, text: str) -> None:
    assert render(source, facts()) == text


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("a\n{{ alert.title", 2),
        ("{{ alert.titel }}", 1),
        ("\n\n{{ alarm }}", 3),
        ("{% if x %}", 1),
        ("{{ alert.title | shout }}", 1),
        ("{{ alert.title | truncate(alert.title) }}", 1),
        ("{{ alert.title | truncate('9') }}", 1),
        ("{{ alert.title is callable }}", 1),
        ("one\ntwo {{ alert.title.upper() }}", 2),
        ("{{ range(10) }}", 1),
        ("{{ 'a' * 1000000000 }}", 1),
        ("{{ 2 ** 100000 }}", 1),
        ("{% set x = 1 %}", 1),
        ("{% macro m() %}{% endmacro %}", 1),
        ("{% include 'x' %}", 1),
        ("{% import 'os' as os %}", 1),
        ("{% extends 'x' %}", 1),
        ("{% for a in alert.labels %}" * 3 + "x" + "{% endfor %}" * 3, 1),
        ("{% for a in alert.labels recursive %}{{ loop(a) }}{% endfor %}", 1),
        ("{{ alert[alert.title] }}", 1),
        ("", None),
        ("   ", None),
        ("x" * (MAX_SOURCE + 1), None),
    ],
    ids=range(23),
)  # fmt: skip
def test_what_cannot_be_used_is_refused_with_its_line(source: str, line: int | None) -> None:
    message, found = problem(source)
    assert message
    assert found == line


@pytest.mark.parametrize(
    "path",
    [
        "alert.title.__class__",
        "alert.title['__class__']",
        "alert.labels.__class__.__mro__",
        "alert.labels.items",
        "alert.labels['keys']",
        "why.format",
        "heading.__init__.__globals__",
        "kind.join",
    ],
)
def test_nothing_is_reached_beyond_the_data(path: str) -> None:
    """Server side template injection. ASVS 5 V1.3.7, API10:2023."""
    assert render("x{{ " + path + " }}", facts()) == "x"


def test_nesting_that_would_exhaust_the_reader_is_refused() -> None:
    for source in (
        "{{ " + "(" * 1_900 + "1" + ")" * 1_900 + " }}",
        "{% if why %}" * 330,
        "{{ " + "not " * 900 + "why }}",
    ):
        check_fails(source)


def check_fails(source: str) -> None:
    with pytest.raises(TemplateFails):
        check(source)


def test_the_text_is_bounded_and_so_is_what_is_gone_over() -> None:
    labels = tuple((f"name{number}", "v" * 2_000) for number in range(200))
    wide = facts(labels=labels, description="d" * 100_000, title="t" * 100_000)
    loop = "{% for a, b in alert.labels %}{% for c, d in alert.labels %}{{ b }}{{ d }}{% endfor %}{% endfor %}"
    assert len(render(loop, wide)) == MAX_OUTPUT
    assert len(render("{{ alert.description ~ alert.title }}" * 50, wide)) == MAX_OUTPUT
    assert render("x{% for one in alert.title %}{{ one }}{% endfor %}", wide) == "x", "a text is no list"
    quiet = "{% for a, b in alert.labels %}{% for c, d in alert.labels %}{% if b == 'no' %}{{ b }}{% endif %}"
    assert render("x" + quiet + "{% endfor %}{% endfor %}", wide) == "x"
    chain = "{{ alert.description" + (" | join('" + "j" * 90 + "')") * 20 + " }}x"
    assert render(chain, wide) == "x"


def test_a_template_that_writes_nothing_is_stopped_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """OWASP API4:2023, ASVS 5 V15.2.2: four hundred characters must not hold a process for seconds."""
    ticks = count()
    # A processor on which each look at the clock is a hundredth of what a template may take.
    monkeypatch.setattr(time, "thread_time", lambda: next(ticks) * SECONDS / 100)
    wide = facts(labels=tuple((f"name{number}", "v") for number in range(50)))
    labels = "{% for a in alert.labels %}{% for b in alert.labels %}"
    slow = "{% if alert.labels | join | oneline == '' %}{% endif %}{% endfor %}{% endfor %}x"
    with pytest.raises(TemplateFails, match="too long"):
        render(labels + slow, wide)
    assert next(ticks) < 110
    assert render("{% for a in alert.labels %}{% endfor %}x", wide) == "x"


def test_a_default_for_a_list_is_no_trouble() -> None:
    assert render("{{ alert.labels | default('none') | length }}", facts()) == "3"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ alert.startedAt | date('%H', 'Mars/Base') }}", "date: there is no time zone Mars/Base"),
        ("{{ alert.title | truncate('a') }}", "truncate is used as truncate"),
        ("{{ alert.labels | join(1) }}", "join is used as join"),
        ("{{ alert.title | upper(1) }}", "upper is used as upper"),
    ],
)
def test_a_filter_that_is_used_wrongly_is_refused_with_how_it_is_used(source: str, message: str) -> None:
    found, line = problem(f"fine\n{source}")
    assert found.startswith(message)
    assert line == 2


def test_a_template_that_fails_when_it_is_filled_says_where() -> None:
    with pytest.raises(TemplateFails) as failure:
        render("fine\n{{ alert.title | date }}", facts())
    assert failure.value.problem.message.startswith("date: ")
    assert failure.value.problem.line == 2
    # Why a template for everybody fails is read by who may not see the alert, and is in the log.
    assert TOLD.title not in failure.value.problem.told
    with pytest.raises(TemplateFails) as failure:
        render("{% if alert.labels.none > 3 %}x{% endif %}y", facts())
    assert failure.value.problem.line == 1
    with pytest.raises(TemplateFails, match="no text"):
        render("{{ alert.labels.none }}", facts())


def test_texts_of_others_become_no_mention_in_slack() -> None:
    shown = facts_of(replace(TOLD, title="<!channel> & co"), is_over=False, escape=slack.KIND.escape)
    assert (
        render("*{{ alert.title }}* <https://x.test|look>", shown)
        == "*&lt;!channel&gt; &amp; co* <https://x.test|look>"
    )


_WORDS = st.sampled_from(
    ["{{", "}}", "{%", "%}", " alert", ".title", ".labels", " if ", " for ", " in ", " endfor ", " endif ", "|", "(",
     ")", "[", "]", "'", "__class__", " x ", "1", "~", "*", "not ", "\n", "loop", ".index", *sorted(FILTERS)]
)  # fmt: skip


@given(st.lists(_WORDS, max_size=40))
def test_whatever_somebody_writes_gives_a_text_or_a_problem(words: list[str]) -> None:
    try:
        text = render("".join(words), facts())
    except TemplateFails as error:
        text = error.problem.message
    assert 0 < len(text) <= MAX_OUTPUT


@pytest.mark.parametrize(
    ("source", "line", "column"),
    [
        ("a\nbc {{ alert.titel }}", 2, 12),
        ("{{ alarm }}", 1, 4),
        ("x {{ $ }}", 1, 6),
        ("a\r\n\r\n  {{ alert.title | shout }}", 3, 20),
        ("{{ alert.title -}}\n\n {{ alarm }}", 3, 5),
        ("{# one #}{% raw %}{{ x }}{% endraw %}{{ alarm }}", 1, 41),
        ("ab {% set x = 1 %}", 1, 7),
        ("a\n{{ alert.title", 2, 10),
    ],
    ids=range(8),
)
def test_what_is_refused_is_found_in_its_column(source: str, line: int, column: int) -> None:
    with pytest.raises(TemplateFails) as refusal:
        check(source)
    found = refusal.value.problem
    assert (found.line, found.column) == (line, column)
    assert found.told.startswith(f"line {line}, column {column}: ")


def test_what_is_filled_together_takes_no_longer_than_it_may_in_all() -> None:
    """Hundreds of alerts may wait for one channel, and its template be as slow as one may be. ASVS 5 V15.2.2."""
    patience = Patience()
    render("{% for one in alert.labels %}{{ one }}{% endfor %}", facts(), patience=patience)
    assert 0 < patience.left < SECONDS_IN_ALL
    patience.left = 0.0
    with pytest.raises(TemplateFails) as failure:
        render("{{ alert.title | upper }}", facts(), patience=patience)
    assert failure.value.problem.message == "it takes too long"
