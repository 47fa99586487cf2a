"""What does every command of `tocsin` begin with? The settings, the addresses of embedded servers, a quiet log."""

import sys

import typer

from tocsin.settings import LogFormat, LogLevel, Settings


def read_settings(**options: object) -> Settings:
    """The environment's settings; an option given on the command line wins."""
    given = {name: value for name, value in options.items() if value is not None}
    return Settings().model_copy(update=given)  # the options' own types have been checked


def reachable(settings: Settings) -> Settings:
    """The settings with the addresses of servers embedded in the data directory, where no URL is given."""
    from tocsin.embedded.services import discover  # noqa: PLC0415 - loads only what the command needs

    return discover(settings)


def log_warnings(settings: Settings) -> None:
    """A command that talks to a person logs what is wrong, not what goes well."""
    from graphql_api.observability.logs import configure_logging  # noqa: PLC0415

    form = LogFormat.CONSOLE if sys.stderr.isatty() else settings.log_format
    configure_logging(settings.model_copy(update={"log_level": LogLevel.WARNING, "log_format": form}))


def say(line: str) -> None:
    """A line for the person, apart from what the command prints."""
    typer.echo(line, err=True)
