"""Do `tocsin audit verify`, `export`, `rotate-key` and `key` say what they found, with the right exit code?"""

import csv
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from domain.audit.merkle import proves_inclusion
from domain.audit.verification import Trust
from persistence.audit_keys import AuditKey, is_signed
from tests.integration.audit.conftest import SealedLog
from tests.services import programs
from tests.services.databases import run as run_apart
from tests.services.environment import inherited
from tocsin.audit_export import verify_export
from tocsin.errors import StartError

if TYPE_CHECKING:
    import subprocess

ROOT = Path(__file__).resolve().parent.parent.parent.parent
INTACT, CANNOT_LOOK, FOUND = 0, 1, 3


@dataclass
class Program:
    """The command, as a person runs it."""

    folder: Path
    traced: bool = False

    def run(self, *arguments: str, environment: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
        return programs.run(*arguments, environment={**inherited(traced=self.traced), **environment}, seconds=60)


@pytest.fixture
def program(request: pytest.FixtureRequest, tmp_path: Path) -> Program:
    return Program(tmp_path, traced=request.node.get_closest_marker("traced") is not None)


@pytest.fixture
async def house(log: SealedLog, application_url: str) -> dict[str, str]:
    """The environment of an installation whose log has three seals, of 4, 3 and 2 entries."""
    for count in (4, 3, 2):
        await log.write(count)
        await log.seal()
    return {"TOCSIN_DATABASE_URL": application_url, "TOCSIN_DATA_DIR": str(log.settings.data_dir)}


def test_a_log_that_is_well_ends_with_0_and_the_newest_seal(program: Program, house: dict[str, str]) -> None:
    done = program.run("audit", "verify", environment=house)
    assert (done.returncode, done.stderr) == (INTACT, "")
    assert "9 rows in 3 seals, 3 heads outside: as they were sealed; the newest seal is 3, " in done.stdout


async def test_a_tampered_log_ends_with_3_and_the_rows_name(
    program: Program, house: dict[str, str], superuser: asyncpg.Connection
) -> None:
    row = await superuser.fetchval("UPDATE audit_log SET action = 'x' WHERE seq = 6 RETURNING id")
    done = program.run("audit", "verify", environment=house)
    assert done.returncode == FOUND
    assert f"row changed: seal 2, row {row}: it is not what was sealed" in done.stdout
    assert "1 findings" in done.stdout


@pytest.mark.traced
def test_what_cannot_be_looked_at_ends_with_1(program: Program, house: dict[str, str]) -> None:
    away = program.run("audit", "verify", environment=house | {"TOCSIN_DATABASE_URL": "postgresql://127.0.0.1:1/none"})
    assert (away.returncode, len(away.stderr.splitlines())) == (CANNOT_LOOK, 1)
    wrong = program.run("audit", "verify", "--since", "yesterday", environment=house)
    assert (wrong.returncode, "is no time" in wrong.stderr) == (CANNOT_LOOK, True)
    key = program.run("audit", "verify", "--key", "abc", environment=house)
    assert (key.returncode, key.stderr.startswith("tocsin: --key: ")) == (CANNOT_LOOK, True)
    absent = program.run("audit", "verify", "--heads", "/nowhere/heads", environment=house)
    assert (absent.returncode, "/nowhere/heads is not there" in absent.stdout) == (FOUND, True)


def exported(program: Program, house: dict[str, str], *options: str) -> Path:
    target: Path = program.folder / "audit.jsonl"
    done = program.run("audit", "export", "--output", str(target), *options, environment=house)
    assert done.returncode == INTACT, done.stderr
    return target


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.traced
def test_an_export_is_verified_far_from_here_by_the_key_alone(
    program: Program, house: dict[str, str], log: SealedLog
) -> None:
    target = exported(program, house)
    assert target.stat().st_mode & 0o777 == 0o600
    key = program.run("audit", "key", environment=house).stdout.strip()
    assert key == AuditKey.of(log.settings).public.hex()
    nowhere = {"TOCSIN_DATABASE_URL": "", "TOCSIN_DATA_DIR": str(program.folder / "empty")}
    done = program.run("audit", "verify", "--export", str(target), "--key", key, environment=nowhere)
    assert (done.returncode, done.stderr) == (INTACT, "")
    assert done.stdout.startswith("9 rows in 3 seals")
    other = program.run("audit", "verify", "--export", str(target), "--key", "00" * 32, environment=nowhere)
    assert (other.returncode, "key unknown" in other.stdout) == (FOUND, True)
    again = program.run("audit", "export", "--output", str(target), environment=house)
    assert (again.returncode, "File exists" in again.stderr) == (CANNOT_LOOK, True)


def test_no_line_of_an_export_can_be_changed_or_left_out(
    program: Program, house: dict[str, str], log: SealedLog
) -> None:
    lines = exported(program, house).read_text().splitlines(keepends=True)
    trust = Trust(frozenset({AuditKey.of(log.settings).public}), is_signed)
    bad = program.folder / "bad.jsonl"

    def is_intact(changed: list[str]) -> bool:
        bad.write_text("".join(changed))
        try:
            return verify_export(bad, trust, lambda _line: None).is_intact
        except StartError:
            return False

    assert is_intact(lines)
    assert len(lines) == 1 + 3 + 9
    for place in range(1, len(lines)):
        line = json.loads(lines[place])
        if "row" in line:
            line["row"][8] = "refused"
        else:
            line["seal"][6] = str(int(line["seal"][6]) + 1)
        assert not is_intact([*lines[:place], json.dumps(line) + "\n", *lines[place + 1 :]]), place
        assert not is_intact([*lines[:place], *lines[place + 1 :]]), place
        assert not is_intact([*lines[:place], lines[place], lines[place], *lines[place + 1 :]]), place
    assert not is_intact(["{}\n", *lines[1:]])


@pytest.mark.traced
def test_who_only_looks_makes_no_key(program: Program, house: dict[str, str]) -> None:
    elsewhere = house | {"TOCSIN_DATA_DIR": str(program.folder / "another host")}
    done = program.run("audit", "verify", environment=elsewhere)
    assert (done.returncode, "key unknown: seal 1" in done.stdout) == (FOUND, True)
    asked = program.run("audit", "key", environment=elsewhere)
    assert (asked.returncode, "the scheduler makes it" in asked.stderr) == (CANNOT_LOOK, True)
    assert not (program.folder / "another host").exists()


def test_a_part_of_an_export_is_whole_seals_and_hangs_on_the_one_before(
    program: Program, house: dict[str, str], log: SealedLog
) -> None:
    seals = run_apart(_sealed_at(house["TOCSIN_DATABASE_URL"]))
    target = exported(program, house, "--since", seals[1], "--until", seals[1])
    header, *lines = lines_of(target)
    assert header["before"]["seal"][1] == "1"
    assert [line["seal"][1] for line in lines if "seal" in line] == ["2"]
    assert sum("row" in line for line in lines) == 3
    key = AuditKey.of(log.settings).public.hex()
    done = program.run("audit", "verify", "--export", str(target), "--key", key, environment=house)
    assert done.returncode == INTACT


async def _sealed_at(url: str) -> list[str]:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch("SELECT sealed_at FROM audit_seals ORDER BY number")
        return [row["sealed_at"].isoformat() for row in rows]
    finally:
        await connection.close()


def test_one_row_is_proved_by_hand_as_the_documentation_says(program: Program, house: dict[str, str]) -> None:
    """docs/audit.md, "By hand": nothing of this program, but SHA-256 and Ed25519."""
    _, *lines = lines_of(exported(program, house, "--proofs"))
    seal: dict[str, Any] = {}
    proved = 0
    for line in lines:
        if "seal" in line:
            seal = line
            content = json.dumps(seal["seal"], separators=(",", ":"), ensure_ascii=False).encode()
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(seal["seal"][10])).verify(
                bytes.fromhex(seal["signature"]), content
            )
            continue
        row = json.dumps(line["row"], separators=(",", ":"), ensure_ascii=False).encode()
        leaf = hashlib.sha256(b"\x00" + row).digest()
        proof = [bytes.fromhex(one) for one in line["proof"]]
        count, root = int(seal["seal"][6]), bytes.fromhex(seal["seal"][7])
        assert proves_inclusion(leaf, place=line["place"], count=count, proof=proof, root=root)
        proved += 1
    assert proved == 9


@pytest.mark.traced
async def test_a_spreadsheet_gets_rows_that_it_does_not_run(
    program: Program, house: dict[str, str], log: SealedLog
) -> None:
    await log.write(1, action='=HYPERLINK("x")')
    await log.seal()
    done = program.run("audit", "export", "--format", "csv", environment=house)
    assert done.returncode == INTACT
    header, *rows = list(csv.reader(done.stdout.splitlines()))
    assert header[:4] == ["seal", "place", "leaf", "id"]
    assert len(rows) == 10
    assert rows[-1][header.index("action")] == '\'=HYPERLINK("x")'
    wrong = program.run("audit", "export", "--format", "pdf", environment=house)
    assert (wrong.returncode, "neither jsonl nor csv" in wrong.stderr) == (CANNOT_LOOK, True)


async def test_an_export_is_on_the_log(program: Program, house: dict[str, str], database_url: str) -> None:
    exported(program, house, "--since", "2026-01-01")
    connection = await asyncpg.connect(database_url)
    try:
        entry = await connection.fetchrow("SELECT * FROM audit_log WHERE action = 'exportAuditLog'")
    finally:
        await connection.close()
    assert entry is not None
    assert json.loads(entry["after"]) == {"since": "2026-01-01T00:00:00+00:00", "until": None, "format": "jsonl"}


@pytest.mark.traced
async def test_the_key_is_changed_by_one_command(
    program: Program, house: dict[str, str], log: SealedLog, database_url: str
) -> None:
    old = AuditKey.of(log.settings).public.hex()
    done = program.run("audit", "rotate-key", environment=house)
    new = AuditKey.of(log.settings).public.hex()
    assert (done.returncode, old != new) == (INTACT, True)
    assert done.stdout == f"sealed by {new} from now on; {old} counts for older seals\n"
    await log.seal()
    assert program.run("audit", "verify", environment=house).returncode == INTACT
    given = house | {"TOCSIN_AUDIT_KEY": "a key of the environment, long enough"}
    refused = program.run("audit", "rotate-key", environment=given)
    assert (refused.returncode, "TOCSIN_AUDIT_RETIRED_KEYS" in refused.stderr) == (CANNOT_LOOK, True)
