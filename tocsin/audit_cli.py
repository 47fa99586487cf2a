"""Which commands look after the audit log? One proves it, one hands it out, one changes the key that seals it."""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Annotated

import typer

from tocsin.command_frame import log_warnings, reachable, read_settings, say
from tocsin.errors import StartError
from tocsin.settings import Settings

EXIT_FOUND = 3

app = typer.Typer(help="Prove, export and seal the audit log.", no_args_is_help=True)

Since = Annotated[
    str | None,
    typer.Option("--since", metavar="TIME", help="Only what was sealed since: 2026-11-01, or RFC 3339."),
]
Keys = Annotated[
    list[str] | None,
    typer.Option("--key", metavar="HEX", help="A public key that counts besides this installation's; may be repeated."),
]


@app.command()
def verify(
    since: Since = None,
    heads: Annotated[
        Path | None, typer.Option("--heads", help="A file of heads that left the database, as you keep it.")
    ] = None,
    key: Keys = None,
    export_file: Annotated[
        Path | None, typer.Option("--export", help="Check this exported file instead; no database is needed.")
    ] = None,
    *,
    accept_era: Annotated[
        int, typer.Option("--accept-era", metavar="N", help="You know of the restores up to the one that began era N.")
    ] = 0,
) -> None:
    """Prove that no entry was changed, removed, put in or moved since it was sealed, and no seal taken away.

    Names every row and seal that is wrong. Exit code 0: all is as it was sealed. 1: it could not be looked at.
    3: something is wrong.
    """
    from persistence.audit_keys import trust_of  # noqa: PLC0415 - loads only what the command needs
    from tocsin.audit_export import verify_export  # noqa: PLC0415
    from tocsin.audit_verify import Wanted  # noqa: PLC0415
    from tocsin.audit_verify import verify as run  # noqa: PLC0415

    keys = _keys(key)
    settings = read_settings()
    log_warnings(settings)
    if export_file is not None:
        # Named keys are another installation's: ours is asked for (and made) only where none is named.
        verdict = verify_export(export_file, trust_of(settings, keys, own=not keys), say)
    else:
        wanted = Wanted(since=_time(since), heads_file=heads, keys=keys, accepted_era=accept_era)
        verdict = asyncio.run(run(reachable(settings), wanted, say))
    for finding in verdict.findings:
        typer.echo(str(finding))
    if verdict.untold:
        typer.echo(f"… and {verdict.untold} more")
    for note in verdict.notes:
        typer.echo(f"note: {note}")
    newest = verdict.newest
    typer.echo(
        f"{verdict.rows} rows in {verdict.seals} seals, {verdict.heads} heads outside: "
        + ("as they were sealed" if verdict.is_intact else f"{len(verdict.findings) + verdict.untold} findings")
        + (f"; the newest seal is {newest.number}, {newest.hash.hex()}" if newest else "")
    )
    raise typer.Exit(0 if verdict.is_intact else EXIT_FOUND)


@app.command()
def export(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file that is not there yet (else standard output).")
    ] = None,
    since: Since = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="Up to the first seal made then or later.")
    ] = None,
    form: Annotated[
        str, typer.Option("--format", help="`jsonl`, which can be verified far from here, or `csv` for spreadsheets.")
    ] = "jsonl",
    *,
    proofs: Annotated[
        bool, typer.Option("--proofs", help="With each row its inclusion proof, so that it can be shown alone.")
    ] = False,
) -> None:
    """Write whole seals with their rows, for auditors. `verify --export` checks the file, without this installation.

    What is not sealed yet is not in it. That the log was exported is on it.
    """
    from tocsin.audit_export import ExportFormat, Part, open_new  # noqa: PLC0415
    from tocsin.audit_export import export as run  # noqa: PLC0415

    try:
        chosen = ExportFormat(form)
    except ValueError:
        raise StartError(f"--format: {form!r} is neither jsonl nor csv") from None
    settings = reachable(read_settings())
    log_warnings(settings)
    part = Part(since=_time(since), until=_time(until), format=chosen, proofs=proofs)
    out: IO[bytes] = sys.stdout.buffer if output is None else open_new(output)
    with out:
        exported = asyncio.run(run(settings, part, out, say))
    say(f"{exported.rows} rows in {exported.seals} seals")


@app.command("rotate-key")
def rotate_key() -> None:
    """Seal with a new key from now on; the old public key is kept, so that older seals still count."""
    from persistence.audit_keys import KeyIsGiven, rotate  # noqa: PLC0415
    from tocsin.audit_entries import record  # noqa: PLC0415

    settings = reachable(read_settings())
    log_warnings(settings)
    public = _public_key(settings).hex()
    try:
        old, new = rotate(settings)
    except KeyIsGiven:
        raise StartError(
            f"the key comes from TOCSIN_AUDIT_KEY: add {public} to TOCSIN_AUDIT_RETIRED_KEYS, then change it there"
        ) from None
    told = {"oldKey": old.hex(), "newKey": new.hex()}
    asyncio.run(record(settings, "rotateAuditKey", target_kind="audit_key", after=told))
    typer.echo(f"sealed by {new.hex()} from now on; {old.hex()} counts for older seals")


@app.command("key")
def show_key() -> None:
    """Print the public key that seals the audit log: give it to your auditor, who names it with --key."""
    typer.echo(_public_key(read_settings()).hex())


def _public_key(settings: Settings) -> bytes:
    from persistence.audit_keys import AuditKey  # noqa: PLC0415

    key = AuditKey.existing(settings)
    if key is None:
        raise StartError(f"there is no key at {settings.audit_key_file}: the scheduler makes it with the first seal")
    return key.public


def _keys(given: list[str] | None) -> frozenset[bytes]:
    from persistence.audit_keys import public_key_of  # noqa: PLC0415

    try:
        return frozenset(public_key_of(text) for text in given or ())
    except ValueError as error:
        raise StartError(f"--key: {error}") from None


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise StartError(f"{text!r} is no time: give 2026-11-01 or 2026-11-01T09:00:00Z") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
