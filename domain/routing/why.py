"""Why did a rule that was asked not tell somebody? One sentence for each decision. Pure."""

from domain.routing.model import Routing

HIDDEN = "a notification rule that you may not see"


def reason_not_told(routing: Routing, name: str | None) -> str:
    """`name` is None for a rule that may not be seen."""
    if name is None:
        return f"{HIDDEN} did not reach this person"
    rule = f"notification rule {name} (version {routing.rule_version})"
    if routing.failure is not None:
        return f"{rule} could not be worked out when the alert was {routing.event.value}: {routing.failure}"
    note = "" if routing.note is None else f"; {routing.note}"
    return f"{rule} held when the alert was {routing.event.value}, and did not reach this person{note}"
