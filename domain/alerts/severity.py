"""Which severity does a source's own word mean? One table for all sources; an integration's own map goes first."""

from collections.abc import Mapping

from domain.alerts.model import Severity

_WORDS: dict[Severity, str] = {
    Severity.CRITICAL: "critical crit fatal emergency emerg disaster alert page blocker sev0 sev1 p0 p1",
    Severity.HIGH: "high error err major severe alarm sev2 p2",
    Severity.MEDIUM: "medium warning warn minor moderate average sev3 p3",
    Severity.LOW: "low info information informational notice debug trivial none ok insufficient_data sev4 sev5 p4 p5",
}
_BY_WORD: dict[str, Severity] = {word: severity for severity, words in _WORDS.items() for word in words.split()}

# A source that says nothing, or a word nobody knows, gets the middle: never silently LOW (missed), never CRITICAL (a
# needless page).
DEFAULT_SEVERITY = Severity.MEDIUM


def severity_named(word: str) -> Severity | None:
    """The severity that a word means for all sources; None for one nobody knows. Case does not matter."""
    return _BY_WORD.get(word.strip().lower())


def severity_of(word: str | None, severity_map: Mapping[str, Severity]) -> tuple[Severity, str]:
    """The severity a source's word means, and the reason in words a person can read. Case does not matter."""
    if not word:
        return DEFAULT_SEVERITY, "the source gave no severity"
    lowered = word.strip().lower()
    mapped = severity_map.get(lowered)
    if mapped is not None:
        return mapped, f"the integration maps {word!r} to {mapped.value}"
    known = _BY_WORD.get(lowered)
    if known is not None:
        return known, f"{word!r} means {known.value}"
    return DEFAULT_SEVERITY, f"{word!r} is not a known severity"
