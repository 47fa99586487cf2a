"""Which commands look after the documents that clients run by their hash? One registers, one checks them."""

from pathlib import Path
from typing import Annotated

import typer

from tocsin.command_frame import log_warnings, reachable, read_settings
from tocsin.errors import EXIT_REFUSED

app = typer.Typer(help="Register GraphQL documents that clients run by their hash.", no_args_is_help=True)


@app.command("register")
def register_documents(
    files: Annotated[
        list[Path], typer.Argument(help="Files of one document each, or `.json` manifests of hash and text.")
    ],
    client: Annotated[str | None, typer.Option("--client", help="The program they belong to, for people.")] = None,
) -> None:
    """Trust the documents in files: checked against the schema and the limits; of a bad one none is registered."""
    from tocsin.documents import register_files  # noqa: PLC0415

    settings = reachable(read_settings())
    log_warnings(settings)
    for one in register_files(settings, files, client):
        state = "registered" if one.is_new else "known     "
        typer.echo(f"{state} sha256:{one.document.hash} {one.document.name or ''}".rstrip())


@app.command("check")
def check_documents() -> None:
    """Say which registered documents this version would refuse: before an upgrade, run the new version's check.

    Exit code 0: all of them run. 1: some do not, and are listed.
    """
    from tocsin.documents import broken_documents  # noqa: PLC0415

    settings = reachable(read_settings())
    log_warnings(settings)
    count, broken = broken_documents(settings)
    for document, reason in broken:
        whose = " ".join(part for part in (document.name, document.client_name) if part)
        typer.echo(f"sha256:{document.hash} {whose}: {reason}")
    typer.echo(f"{count} registered, {len(broken)} would be refused")
    raise typer.Exit(EXIT_REFUSED if broken else 0)
