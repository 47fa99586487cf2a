"""Which commands look after what is sealed and who was erased? docs/privacy.md says when to use them."""

import typer

from tocsin.command_frame import log_warnings, reachable, read_settings, say
from tocsin.errors import EXIT_REFUSED

keys_app = typer.Typer(help="The key that everything sealed is under, and changing it.", no_args_is_help=True)


@keys_app.command("status")
def keys_status() -> None:
    """Say how many sealed values are under which key.

    Exit code 0: all of them are under the present one. 1: some are under a former key, or one that is not here.
    """
    from tocsin.keys import status  # noqa: PLC0415

    settings = reachable(read_settings())
    log_warnings(settings)
    lines, is_done = status(settings)
    for line in lines:
        typer.echo(line)
    raise typer.Exit(0 if is_done else EXIT_REFUSED)


@keys_app.command("rotate")
def keys_rotate() -> None:
    """Move everything that is sealed to the present key, while the server runs (docs/privacy.md says in which order).

    Safe to stop and to repeat. Exit code 1: some values could not be opened and were left.
    """
    from tocsin.keys import rotate_keys  # noqa: PLC0415

    settings = reachable(read_settings())
    log_warnings(settings)
    lines, is_done = rotate_keys(settings, say)
    for line in lines:
        typer.echo(line)
    raise typer.Exit(0 if is_done else EXIT_REFUSED)


erasures_app = typer.Typer(help="People who were erased, and stay so.", no_args_is_help=True)


@erasures_app.command("reapply")
def reapply_erasures() -> None:
    """Erase again whom a restore brought back: those on the ledger. Every start does it by itself, too."""
    from tocsin.erasures import reapply  # noqa: PLC0415

    settings = reachable(read_settings())
    log_warnings(settings)
    typer.echo(f"{reapply(settings)} people were erased again")
