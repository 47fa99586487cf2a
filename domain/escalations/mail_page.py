"""What does a mail to a person look like where HTML is shown? A card for each alert, and a button to acknowledge it.

All text of others is escaped, there are no pictures, no scripts and no links but our own: a mail program blocks nothing
of it, and no title can forge a button. It reads on a phone, in the dark too; the plain text beside it says the same.
"""

from collections.abc import Callable, Sequence
from datetime import UTC
from html import escape

from domain.alerts.model import Severity
from domain.escalations.message import (
    ENDS,
    MAX_DESCRIPTION,
    MAX_LABELS,
    MAX_SHOWN,
    Told,
    heading_of,
    ordered,
    shortened,
    subject_of,
)

_GOOD = "#1a7f37"
_COLORS = {
    Severity.CRITICAL: "#b3261e",
    Severity.HIGH: "#b35900",
    Severity.MEDIUM: "#7a6400",
    Severity.LOW: "#3d5a80",
}
_STYLE = """
:root { color-scheme: light dark; supported-color-schemes: light dark; }
body { margin: 0; padding: 0; background: #f2f4f7; color: #1c2430; }
body, td, th, p, div { font-family: -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; }
.page { max-width: 600px; margin: 0 auto; padding: 16px 12px; }
.card { background: #ffffff; border: 1px solid #d8dee6; border-radius: 8px; margin: 0 0 16px; overflow: hidden; }
.head { color: #ffffff; font-size: 14px; font-weight: 700; letter-spacing: .03em; padding: 8px 16px; }
.body { padding: 14px 16px 16px; font-size: 15px; line-height: 1.45; }
.title { font-size: 19px; font-weight: 700; line-height: 1.3; margin: 0 0 10px; overflow-wrap: anywhere; }
.text { white-space: pre-wrap; overflow-wrap: anywhere; margin: 10px 0; }
.facts { border-collapse: collapse; width: 100%; }
.facts th { text-align: left; font-weight: 400; color: #5b6675; vertical-align: top; width: 64px; }
.facts th { padding: 2px 12px 2px 0; }
.facts td { padding: 2px 0; vertical-align: top; overflow-wrap: anywhere; }
.button { display: inline-block; background: #1f5fbf; color: #ffffff !important; font-size: 16px; font-weight: 700;
  text-decoration: none; border-radius: 6px; padding: 12px 22px; margin: 12px 0 4px; }
.all { font-size: 16px; font-weight: 700; margin: 4px 4px 14px; overflow-wrap: anywhere; }
.why { color: #5b6675; font-size: 13px; margin: 10px 0 0; overflow-wrap: anywhere; }
@media (prefers-color-scheme: dark) {
  body { background: #14181f; color: #e6eaf0; }
  .card { background: #1f252e; border-color: #37404d; }
  .facts th, .why { color: #9fabba; }
  .button { background: #3f7fe0; }
}
"""


def page_of(told: Sequence[Told], say: Callable[[Told], str | None] | None = None, *, whole: str | None = None) -> str:
    """The mail. `say` gives a part's own words, None for the built-in ones; `whole` is said instead of all parts."""
    shown = ordered(told)[:MAX_SHOWN]
    if whole is not None:
        buttons = "".join(_button(one, names=len(told) > 1) for one in shown)
        cards = [f'<div class="card"><div class="body">{_said(whole)}{buttons}</div></div>']
    else:
        cards = [_card(one, None if say is None else say(one)) for one in shown]
        if len(told) > 1:
            cards.insert(0, f'<p class="all">{escape(subject_of(told))}</p>')
        if len(told) > MAX_SHOWN:
            cards.append(f'<p class="why">… and {len(told) - MAX_SHOWN} more</p>')
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">'
        f"<title>Tocsin</title><style>{_STYLE}</style></head>\n"
        f'<body><div class="page">{"".join(cards)}</div></body></html>\n'
    )


def _card(one: Told, own: str | None) -> str:
    color = _GOOD if one.kind in ENDS else _COLORS[one.severity]
    inner = _built_in(one) if own is None else _said(own)
    about = f"Alert {one.alert_id}" if one.group_id is None else f"Group {one.group_id}"
    return (
        f'<div class="card"><div class="head" style="background: {color}">{escape(heading_of(one))}</div>'
        f'<div class="body">{inner}{_button(one)}'
        f'<p class="why">Why you: {escape(one.why)}<br>{escape(about)}</p></div></div>'
    )


def _built_in(one: Told) -> str:
    facts = [("Service", one.service_name or ""), ("Source", one.source)]
    facts.append(("Since", f"{one.started_at.astimezone(UTC):%A %-d %B %Y, %H:%M} UTC"))
    facts.append(("Labels", ", ".join(f"{name}={value}" for name, value in one.labels[:MAX_LABELS])))
    rows = "".join(f"<tr><th>{name}</th><td>{escape(value)}</td></tr>" for name, value in facts if value)
    description = "" if not one.description or one.kind in ENDS else _said(one.description[:MAX_DESCRIPTION])
    title = escape(shortened(one.title))
    return f'<p class="title">{title}</p>{description}<table class="facts" role="presentation">{rows}</table>'


def _said(text: str) -> str:
    return f'<div class="text">{escape(text.strip())}</div>'


def _button(one: Told, *, names: bool = False) -> str:
    if one.answer_url is None:
        return ""
    what = f": {shortened(one.title, 60)}" if names else ""
    return f'<a class="button" href="{escape(one.answer_url)}">Acknowledge{escape(what)}</a> '
