"""What is a kind of channel? What it is called, what values it needs, what it can do: data, so a client draws its form.

A kind is one file in domain/channels/kinds, which describes it, one in jobs/channels, which sends by it, and a line in
each place that registers it. Everything else is made of that: the enum of the schema, what is checked, the form.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class FieldForm(StrEnum):
    """What a field's value must look like."""

    HTTPS_URL = "https_url"
    TEXT = "text"
    GRAPHQL_SELECTION = "graphql_selection"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelField:
    """One value a kind of channel needs."""

    name: str
    label: str
    description: str
    form: FieldForm
    is_secret: bool = True
    is_required: bool = True
    least: int = 1
    most: int = 2_000
    # The whole value, as a regular expression that browsers understand as well; None for any text.
    pattern: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelKind:
    """One kind. `name` is what the database keeps and, in capitals, the schema says; it never changes."""

    name: str
    title: str
    description: str
    # Where it is explained how to get the values.
    help: str
    fields: tuple[ChannelField, ...]
    takes_templates: bool = True
    # Its messages change as the alert does.
    follows: bool = False
    has_buttons: bool = False
    # What happens there can come back and answer the alert.
    answers_back: bool = False
    # It is told that somebody has answered, which people see by what does not come.
    hears_of_answers: bool = False
    # What it did not hear the beginning of has no end for it either: a machine, which reads no sense into it.
    is_machine: bool = False
    # What is done to texts of others, that they become no link, mention or formatting where they are shown.
    escape: Callable[[str], str] = str

    def __post_init__(self) -> None:
        """A kind whose name could be no value of an enum, or that has two fields of a name, is a mistake of ours."""
        if not self.name.isidentifier() or self.name != self.name.lower():
            message = f"{self.name!r} is no name of a kind of channel"
            raise ValueError(message)
        if len({field.name for field in self.fields}) < len(self.fields):
            message = f"{self.name} has two fields of one name"
            raise ValueError(message)
