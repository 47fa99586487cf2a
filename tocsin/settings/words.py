"""Which kinds of values do settings have? Durations, counts, addresses; and the error for one that is missing."""

from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field


def _seconds(value: object) -> object:
    """Take a bare number for seconds, which pydantic does for numbers but not for their text."""
    return float(value) if isinstance(value, str) and value.strip().replace(".", "", 1).isdigit() else value


Seconds = Annotated[timedelta, BeforeValidator(_seconds), Field(ge=timedelta(0))]
Count = Annotated[int, Field(ge=1)]
Bytes = Annotated[int, Field(ge=1)]
# 0 for none.
Limit = Annotated[int, Field(ge=0)]


class MissingSettingError(ValueError):
    """A role was started without a value it cannot do without."""

    def __init__(self, variable: str, purpose: str) -> None:
        super().__init__(f"{variable} is not set: {purpose}")
        self.variable = variable


def checked_scheme(value: str | None, schemes: tuple[str, ...]) -> str | None:
    """The address, if it begins with one of these; ValueError for any other."""
    if value is None:
        return None
    scheme = urlsplit(value).scheme
    if scheme not in schemes:
        message = f"must begin with {' or '.join(f'{known}://' for known in schemes)}"
        raise ValueError(message)
    return value


def names_in(text: str) -> frozenset[str]:
    """The names of a comma separated list, in lower case."""
    return frozenset(role.strip().lower() for role in text.split(",") if role.strip())


def http_url(value: str | None) -> str | None:
    """The address of a web service, without a slash at its end; ValueError for any other."""
    checked = checked_scheme(value, ("http", "https"))
    return checked.rstrip("/") if checked else None


HttpUrl = Annotated[str, AfterValidator(http_url)]
