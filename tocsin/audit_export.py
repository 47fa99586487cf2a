"""How does the audit log leave for an auditor, so that it can be checked far from here? As whole seals with their rows.

JSON lines: a header, then for each seal a line of its own and one for each of its rows, exactly as it was hashed. CSV
is for spreadsheets: the rows alone, each with its seal, its place and its leaf hash. docs/audit.md says how a file is
checked by hand. That a part of the log was exported is on the log before the first line is written.
"""

import csv
import io
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import IO

import orjson

from domain.audit.canonical import COLUMNS, ROW_FORM
from domain.audit.sealing import START, Kept, Seal, StoredRow, seal_of
from domain.audit.verification import ChainCheck, Trust
from persistence.audit_seals import last_seal, seal_before, sealed_rows, seals_after
from persistence.direct import DirectConnection
from tocsin.audit_entries import record
from tocsin.audit_verify import Progress, Rows, Say, Verdict, connect
from tocsin.errors import StartError
from tocsin.settings import Settings

EXPORT_FORM = "tocsin-audit-export-1"


class ExportFormat(StrEnum):
    """What an export looks like."""

    JSONL = "jsonl"
    CSV = "csv"


@dataclass(frozen=True, kw_only=True)
class Part:
    """Which part of the log: the seals that were made from `since` on, up to the first one at `until` or later."""

    since: datetime | None = None
    until: datetime | None = None
    format: ExportFormat = ExportFormat.JSONL
    proofs: bool = False

    @property
    def told(self) -> dict[str, object]:
        """For the log."""
        times = {"since": self.since, "until": self.until}
        return {**{name: value and value.isoformat() for name, value in times.items()}, "format": self.format.value}


@dataclass(kw_only=True)
class Exported:
    """What was written."""

    seals: int = 0
    rows: int = 0


async def export(settings: Settings, part: Part, out: IO[bytes], say: Say) -> Exported:
    """Write the part. StartError when the database cannot be reached."""
    connection = await connect(settings)
    try:
        before = await seal_before(connection, part.since) if part.since else None
        await record(settings, "exportAuditLog", target_kind="audit_entry", after=part.told)
        writer = _JsonLines(out, part) if part.format is ExportFormat.JSONL else _Csv(out)
        writer.head(before)
        exported = Exported()
        async for seal, rows, kept in _runs(connection, part, before):
            writer.run(seal, rows, kept)
            exported.seals += 1
            exported.rows += len(rows)
            if exported.seals % 100 == 0:
                say(f"seal {seal.number}, {exported.rows} rows")
        out.flush()
    finally:
        await connection.close()
    return exported


async def _runs(
    connection: DirectConnection, part: Part, before: Seal | None
) -> AsyncIterator[tuple[Seal, list[StoredRow], Kept]]:
    last = await last_seal(connection)
    if last is None:
        return
    rows = Rows(sealed_rows(connection, after=before.last if before else START, until=last.last))
    async for seal, kept in seals_after(connection, before.number if before else 0):
        if seal.number > last.number:
            return
        yield seal, await rows.until(seal.last), kept
        if part.until is not None and seal.sealed_at >= part.until:
            return


class _JsonLines:
    def __init__(self, out: IO[bytes], part: Part) -> None:
        self._out, self._part = out, part

    def head(self, before: Seal | None) -> None:
        self._line(
            {
                "format": EXPORT_FORM,
                "exportedAt": datetime.now(tz=UTC).isoformat(),
                "columns": [ROW_FORM, *COLUMNS],
                "before": None if before is None else _head(before),
            }
        )

    def run(self, seal: Seal, rows: list[StoredRow], kept: Kept) -> None:
        ids, leaves = [entry.bytes.hex() for entry in kept.ids], [leaf.hex() for leaf in kept.leaves]
        self._line({**_head(seal), "ids": "".join(ids), "leaves": "".join(leaves)})
        for place, row in enumerate(rows):
            line: dict[str, object] = {"row": [ROW_FORM, *row.columns]}
            if self._part.proofs and place < len(kept.leaves):
                line |= {"place": place, "proof": [one.hex() for one in kept.proof(place)]}
            self._line(line)

    def _line(self, line: dict[str, object]) -> None:
        self._out.write(orjson.dumps(line) + b"\n")


class _Csv:
    def __init__(self, out: IO[bytes]) -> None:
        self._out = out

    def head(self, _before: Seal | None) -> None:
        self._row(["seal", "place", "leaf", *COLUMNS])

    def run(self, seal: Seal, rows: list[StoredRow], _kept: Kept) -> None:
        for place, row in enumerate(rows):
            self._row([str(seal.number), str(place), row.leaf.hex(), *(_cell(value) for value in row.columns)])

    def _row(self, cells: list[str]) -> None:
        text = io.StringIO()
        csv.writer(text).writerow(cells)
        self._out.write(text.getvalue().encode())


def _cell(value: str | None) -> str:
    """What a spreadsheet shows and does not run: text that begins like a formula is set behind an apostrophe."""
    text = value or ""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _head(seal: Seal) -> dict[str, object]:
    return {"seal": seal.fields, "signature": seal.signature.hex()}


def open_new(path: Path) -> IO[bytes]:
    """A new file that only its owner reads; StartError where there is one already."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise StartError(f"{path}: {error.strerror}") from error
    return os.fdopen(descriptor, "wb")


def verify_export(path: Path, trust: Trust, say: Say) -> Verdict:
    """Hold an exported file against itself, without any database: rows, seals, chain, signatures.

    That its end was left out is seen by its newest seal alone: compare it with a head you have.
    """
    verdict = Verdict()
    try:
        with path.open("rb") as file:
            before = _read_header(file.readline())
            check = ChainCheck(trust, before=before)
            progress = Progress(say)
            for seal, rows, kept in _read_runs(file):
                verdict.add(check.check(seal, rows, kept))
                verdict.newest = seal
                progress.tell(check)
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise StartError(f"{path} is no export of an audit log, or is cut off: {error!r}") from error
    verdict.seals, verdict.rows = check.seals, check.rows
    return verdict


def _read_header(line: bytes) -> Seal | None:
    header = orjson.loads(line)
    if header["format"] != EXPORT_FORM:
        raise ValueError(header["format"])
    before = header["before"]
    return None if before is None else seal_of(before["seal"], bytes.fromhex(before["signature"]))


def _read_runs(lines: IO[bytes]) -> Iterator[tuple[Seal, list[StoredRow], Kept]]:
    seal: Seal | None = None
    kept = Kept((), ())
    rows: list[StoredRow] = []
    for line in lines:
        found = orjson.loads(line)
        if "seal" in found:
            if seal is not None:
                yield seal, rows, kept
            seal, rows = seal_of(found["seal"], bytes.fromhex(found["signature"])), []
            kept = Kept.of(bytes.fromhex(found["ids"]), bytes.fromhex(found["leaves"]))
        elif seal is None:
            message = "a row comes before any seal"
            raise ValueError(message)
        else:
            form, *columns = found["row"]
            if form != ROW_FORM:
                raise ValueError(form)
            rows.append(StoredRow(seal.last, columns))
    if seal is not None:
        yield seal, rows, kept
