"""What would be right, where the engine says that a condition is wrong? In the words of who writes one.

The engine tells what it met and which types differ. People write `=` for `==`, `and` for `&&`, a pattern with `=~`, or
ask for a length of "1d"; they are told what to write instead.
"""

import re
from difflib import get_close_matches

from domain.rules.condition import FACTS, RANK_NAMES
from domain.rules.words import severity_hint

UNDECLARED = re.compile(r"undeclared reference to '([^']*)'")
# The severity compared with a word in quotes, of which the engine says no more than that types differ.
_SEVERITY_WORD = re.compile(
    r"""alert\.severity\s*(?:[=!<>]=?|in\b)\s*\[?\s*["']([^"']*)["']|["']([^"']*)["']\s*[=!<>]=?\s*alert\.severity"""
)
_BUILDS_A_LIST = re.compile(r"\.(map|filter)\([^()]*$")
_FUNCTIONS = "contains, startsWith, endsWith, matches, size, lowerAscii, exists, all, exists_one"
# What stands where the text cannot be read on, and what is written instead; the first that fits.
_WRITTEN = (
    (re.compile(r"[=!]~"), 'a pattern is asked for by matches: alert.title.matches("^db-")'),
    (re.compile(r"=(?!=)"), "things are compared by =="),
    (re.compile(r"(?i)and\b"), "write && for and"),
    (re.compile(r"(?i)or\b"), "write || for or"),
    (re.compile(r"(?i)not\b"), "write ! for not"),
    (re.compile(r"(?i)(contains|startsWith|endsWith|matches|like)\b"), 'write it as alert.title.contains("disk")'),
    (re.compile("[\"']"), "a text that begins with a quote ends with one, on the same line"),
    (re.compile(r"\s*$"), "it ends here, and something is missing"),
)


def helped(text: str, condition: str, *, before: str, after: str) -> str:
    """What the engine said, and what would be right; `before` and `after` is the condition around the place."""
    missing = UNDECLARED.search(text)
    if missing is not None:
        return _missing(missing[1], before=before, after=after)
    if text.startswith("Syntax error"):
        hint = next((hint for what, hint in _WRITTEN if what.match(after)), None)
        return text if hint is None else f"cannot be read on from here: {hint}"
    hint = _about_types(text, condition) if "no matching overload" in text else None
    return text if hint is None else f"{text}; {hint}"


def _about_types(text: str, condition: str) -> str | None:
    word = _SEVERITY_WORD.search(condition)
    if word is not None:
        return severity_hint(word[1] or word[2])
    if "null_type" in text:
        return "nothing is null: has(alert.labels.env) asks whether it is there, and an absent text is empty"
    if re.search(r"\((?:int, string|string, int)\)", text):
        return "texts are in quotes, numbers are not, and a severity is compared with LOW, MEDIUM, HIGH or CRITICAL"
    return "texts and lists cannot be added" if "'_+_'" in text else None


def _missing(name: str, *, before: str, after: str) -> str:
    builds = _BUILDS_A_LIST.search(before)
    if builds is not None:
        return f"{builds[1]} makes a list, and lists are run over alone: by exists, all or exists_one"
    if after.startswith("("):
        return f"there is no function {name}; there are {_FUNCTIONS}"
    known = [*FACTS, *RANK_NAMES]
    close = get_close_matches(name, known, n=1, cutoff=0.7)
    hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
    return f"there is no {name}; {hint}"
