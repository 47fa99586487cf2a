"""How is text of others put into Slack's mrkdwn, so that it stays text?

Source: https://docs.slack.dev/messaging/formatting-message-text#escaping: three characters mean something.
"""

from datetime import UTC, datetime

# What a mention, a group or a channel begins with between angle brackets, and what is seen by nobody.
_MENTIONS, _JOINER = ("!", "@", "#"), "\u2060"


def escaped(text: str) -> str:
    """Text that Slack takes for no link, no mention and no formatting of its own."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def as_fact(text: str) -> str:
    """The same for a template, which may write `<{{ alert.labels.runbook }}|Runbook>`: a link, and never a mention."""
    said = escaped(text)
    bare = said.lstrip()
    return f"{said[: len(said) - len(bare)]}{_JOINER}{bare}" if bare.startswith(_MENTIONS) else said


def at_their_time(moment: datetime) -> str:
    """A time as each reader's clock shows it; as UTC where nothing does it."""
    said = f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return f"<!date^{int(moment.timestamp())}^{{date_short_pretty}} {{time}}|{said}>"
