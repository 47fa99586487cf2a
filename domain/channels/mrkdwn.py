"""How is text of others put into Slack's mrkdwn, so that it stays text?

Source: https://docs.slack.dev/messaging/formatting-message-text#escaping: three characters mean something.
"""

from datetime import UTC, datetime


def escaped(text: str) -> str:
    """Text that Slack takes for no link, no mention and no formatting of its own."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def at_their_time(moment: datetime) -> str:
    """A time as each reader's clock shows it; as UTC where nothing does it."""
    said = f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return f"<!date^{int(moment.timestamp())}^{{date_short_pretty}} {{time}}|{said}>"
