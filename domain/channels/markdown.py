"""How is text of others put into Markdown, so that it stays text? For Microsoft Teams, whose cards read it.

Source: https://learn.microsoft.com/adaptive-cards/authoring-cards/text-features. A title must not become a link that
looks like ours, nor lose its asterisks.
"""

import re

_MEANS_SOMETHING = re.compile(r"([\\\[\]*`])")


def escaped(text: str) -> str:
    """Text that is shown as it is."""
    return _MEANS_SOMETHING.sub(r"\\\1", text)
