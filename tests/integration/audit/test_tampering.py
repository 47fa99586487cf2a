"""Whatever the database's owner does to a sealed log, with every trigger off: does `verify` name it?"""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from domain.audit.verification import FindingKind
from persistence.audit_keys import AuditKey, is_signed
from persistence.audit_seals import seal_next
from tests.integration.audit.conftest import SealedLog, write
from tocsin.audit_verify import MOST_TOLD

FORGER = AuditKey(bytes(32))


@pytest.fixture
async def sealed(log: SealedLog) -> list[UUID]:
    """Fifteen entries in three seals, the second of which is tampered with."""
    ids: list[UUID] = []
    for _ in range(3):
        ids += await log.write(5)
        await log.seal()
    assert (await log.verify()).findings == []
    return ids


@pytest.mark.parametrize(
    "change",
    [
        "occurred_at = occurred_at - interval '1 microsecond'",
        "actor_kind = 'system'",
        "actor_id = gen_random_uuid()",
        "actor_id = NULL",
        "session_id = gen_random_uuid()",
        "ip_address = '192.0.2.1'",
        "action = 'resolveAlert'",
        "outcome = 'refused'",
        "target_kind = 'user'",
        "target_id = gen_random_uuid()",
        "before = '{}'",
        "before = 'null'",
        """after = '{"number": 2.0}'""",
        "after = NULL",
        "request_id = ''",
    ],
)
async def test_a_change_of_any_column_names_the_row(
    log: SealedLog, sealed: list[UUID], superuser: asyncpg.Connection, change: str
) -> None:
    await superuser.execute(f"UPDATE audit_log SET {change} WHERE id = $1", sealed[7])
    (finding,) = (await log.verify()).findings
    assert (finding.kind, finding.seal, finding.row) == (FindingKind.CHANGED, 2, sealed[7])


async def test_a_row_that_is_removed_is_named(
    log: SealedLog, sealed: list[UUID], superuser: asyncpg.Connection
) -> None:
    await superuser.execute("DELETE FROM audit_log WHERE id = $1", sealed[5])
    (finding,) = (await log.verify()).findings
    assert (finding.kind, finding.seal, finding.row) == (FindingKind.REMOVED, 2, sealed[5])


async def test_a_row_that_is_put_in_is_named(log: SealedLog, sealed: list[UUID], superuser: asyncpg.Connection) -> None:
    """It takes a place between two that are sealed."""
    (forged,) = await log.write()
    await superuser.execute(
        "UPDATE audit_log SET xid = there.xid, seq = there.seq FROM audit_log AS there"
        " WHERE audit_log.id = $1 AND there.id = $2",
        forged,
        sealed[6],
    )
    (finding,) = (await log.verify()).findings
    assert (finding.kind, finding.seal, finding.row) == (FindingKind.INSERTED, 2, forged)


async def test_a_row_put_in_before_all_others_is_named(
    log: SealedLog, sealed: list[UUID], superuser: asyncpg.Connection
) -> None:
    (forged,) = await log.write()
    await superuser.execute("UPDATE audit_log SET xid = '3' WHERE id = $1", forged)
    (finding,) = (await log.verify()).findings
    assert (finding.kind, finding.seal, finding.row) == (FindingKind.INSERTED, 1, forged)


async def test_rows_that_change_places_are_found(
    log: SealedLog, sealed: list[UUID], superuser: asyncpg.Connection
) -> None:
    for entry, step in ((sealed[6], 1000), (sealed[7], -1), (sealed[6], -999)):
        await superuser.execute("UPDATE audit_log SET seq = seq + $2 WHERE id = $1", entry, step)
    (finding,) = (await log.verify()).findings
    assert (finding.kind, finding.seal) == (FindingKind.MOVED, 2)
    assert finding.row in {sealed[6], sealed[7]}


async def test_a_row_that_moves_to_another_seal_is_missed_here_and_too_much_there(
    log: SealedLog, sealed: list[UUID], superuser: asyncpg.Connection
) -> None:
    await superuser.execute(
        "UPDATE audit_log SET xid = there.xid FROM audit_log AS there WHERE audit_log.id = $1 AND there.id = $2",
        sealed[2],
        sealed[12],
    )
    found = {(one.kind, one.seal, one.row) for one in (await log.verify()).findings}
    assert found == {(FindingKind.REMOVED, 1, sealed[2]), (FindingKind.INSERTED, 3, sealed[2])}


async def test_a_row_exchanged_under_its_id_is_named(
    log: SealedLog, sealed: list[UUID], superuser: asyncpg.Connection
) -> None:
    await superuser.execute("UPDATE audit_log SET id = gen_random_uuid() WHERE id = $1", sealed[7])
    found = {(one.kind, one.row == sealed[7]) for one in (await log.verify()).findings}
    assert found == {(FindingKind.REMOVED, True), (FindingKind.INSERTED, False)}


async def test_a_row_changed_with_its_leaf_hash_is_found(
    log: SealedLog, sealed: list[UUID], superuser: asyncpg.Connection
) -> None:
    await superuser.execute("UPDATE audit_log SET outcome = 'failed' WHERE id = $1", sealed[7])
    await superuser.execute(
        "UPDATE audit_seals SET leaves = overlay(leaves placing $1 from 65) WHERE number = 2", bytes(32)
    )
    kinds = {(one.kind, one.seal) for one in (await log.verify()).findings}
    assert (FindingKind.LEAVES, 2) in kinds
    assert {seal for _, seal in kinds} == {2}


async def test_a_whole_seal_forged_without_the_key_is_found(
    log: SealedLog, sealed: list[UUID], superuser: asyncpg.Connection
) -> None:
    """Row, leaf, root and everything after made anew, signed by a key of the forger's."""
    await superuser.execute("UPDATE audit_log SET outcome = 'failed' WHERE id = $1", sealed[7])
    await superuser.execute("DELETE FROM audit_seals WHERE number > 1")
    for _ in range(2):
        await seal_next(superuser, key=FORGER, now=log.clock.now(), most=5)
    verdict = await log.verify()
    assert {finding.kind for finding in verdict.findings} == {FindingKind.UNKNOWN_KEY, FindingKind.OTHER_HEAD}
    assert "--key" not in str(verdict.findings[0])


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("UPDATE audit_seals SET signature = '\\x00' WHERE number = 2", FindingKind.SIGNATURE),
        ("UPDATE audit_seals SET sealed_at = sealed_at - interval '1 day' WHERE number = 2", FindingKind.SIGNATURE),
        ("UPDATE audit_seals SET previous = root WHERE number = 2", FindingKind.CHAIN),
        ("UPDATE audit_seals SET row_count = 4 WHERE number = 2", FindingKind.CHAIN),
        ("UPDATE audit_seals SET key = root WHERE number = 2", FindingKind.SIGNATURE),
        ("UPDATE audit_seals SET entry_ids = '' WHERE number = 2", FindingKind.LEAVES),
        ("UPDATE audit_seals SET leaves = '' WHERE number = 2", FindingKind.LEAVES),
        ("UPDATE audit_seals SET last_seq = 1, last_xid = '3' WHERE number = 2", FindingKind.REMOVED),
        ("DELETE FROM audit_seals WHERE number = 2", FindingKind.MISSING_SEAL),
        ("DELETE FROM audit_seals WHERE number = 1", FindingKind.MISSING_SEAL),
        ("DELETE FROM audit_seals", FindingKind.CUT_TAIL),
    ],
)
async def test_seals_cannot_be_tampered_with_either(
    log: SealedLog, sealed: list[UUID], superuser: asyncpg.Connection, statement: str, kind: FindingKind
) -> None:
    await superuser.execute(statement)
    assert kind in {finding.kind for finding in (await log.verify()).findings}


async def test_a_cut_tail_is_seen_by_the_heads_outside_and_not_without(
    log: SealedLog, sealed: list[UUID], superuser: asyncpg.Connection, tmp_path: Path
) -> None:
    """The attack that the chain alone does not show: rows and their seals gone together, as if they never were."""
    mine = tmp_path / "kept-elsewhere"
    mine.write_bytes(log.settings.effective_audit_heads_file.read_bytes())
    await superuser.execute("DELETE FROM audit_log WHERE id = ANY($1)", sealed[10:])
    await superuser.execute("DELETE FROM audit_seals WHERE number = 3")
    (finding,) = (await log.verify()).findings
    assert (finding.kind, finding.seal) == (FindingKind.CUT_TAIL, 3)

    log.settings.effective_audit_heads_file.unlink()
    verdict = await log.verify()
    assert verdict.findings == []
    assert any("would not be seen" in note for note in verdict.notes)
    (finding,) = (await log.verify(heads_file=mine)).findings
    assert finding.kind is FindingKind.CUT_TAIL


async def test_a_rewound_head_is_seen_after_the_log_has_gone_on(
    log: SealedLog, sealed: list[UUID], superuser: asyncpg.Connection
) -> None:
    """Cut, and sealed on by the genuine key: the numbers are there again, with other content."""
    await superuser.execute("DELETE FROM audit_log WHERE id = ANY($1)", sealed[10:])
    await superuser.execute("DELETE FROM audit_seals WHERE number = 3")
    await log.write(2)
    await log.seal()
    await log.write(2)
    await log.seal()
    assert {(one.kind, one.seal) for one in (await log.verify()).findings} == {(FindingKind.OTHER_HEAD, 3)}


async def test_a_gap_or_a_forged_line_among_the_heads_is_found(log: SealedLog, sealed: list[UUID]) -> None:
    heads = log.settings.effective_audit_heads_file
    first, second, third = heads.read_bytes().splitlines(keepends=True)
    heads.write_bytes(first + third)
    (finding,) = (await log.verify()).findings
    assert (finding.kind, "seal 2 to 2 are missing" in finding.detail) == (FindingKind.NO_HEAD, True)
    heads.write_bytes(first + second.replace(b"-seal-1", b"-seal-2") + third)
    assert {one.kind for one in (await log.verify()).findings} == {FindingKind.UNREADABLE, FindingKind.NO_HEAD}
    heads.write_bytes(first + second.replace(b'"5"', b'"6"', 1) + third)
    assert {one.kind for one in (await log.verify()).findings} == {FindingKind.SIGNATURE}


async def test_only_a_part_is_verified_when_that_is_asked_for(
    log: SealedLog, sealed: list[UUID], superuser: asyncpg.Connection
) -> None:
    since = await superuser.fetchval("SELECT sealed_at FROM audit_seals WHERE number = 3")
    await superuser.execute("UPDATE audit_log SET outcome = 'failed' WHERE id = $1", sealed[7])
    part = await log.verify(since=since)
    assert (part.findings, part.seals, part.rows) == ([], 1, 5)
    await superuser.execute("UPDATE audit_log SET outcome = 'failed' WHERE id = $1", sealed[12])
    assert [one.row for one in (await log.verify(since=since)).findings] == [sealed[12]]
    nothing = await log.verify(since=since + timedelta(days=1))
    assert (nothing.findings, nothing.seals) == ([], 0)


async def test_a_month_that_is_gone_is_counted_and_not_listed_to_the_end(
    log: SealedLog, superuser: asyncpg.Connection
) -> None:
    await log.write(MOST_TOLD + 50)
    await log.seal()
    await superuser.execute("DROP TABLE audit_log_default")
    verdict = await log.verify()
    assert (len(verdict.findings), verdict.untold) == (MOST_TOLD, 50)
    assert {one.kind for one in verdict.findings} == {FindingKind.REMOVED}


async def test_rows_that_wait_for_a_seal_are_said_to(log: SealedLog, superuser: asyncpg.Connection) -> None:
    await log.write(3)
    (note,) = [note for note in (await log.verify()).notes if "wait for their seal" in note]
    assert note.startswith("3 rows")
    await superuser.execute("UPDATE audit_log SET occurred_at = occurred_at - interval '2 hours'")
    assert any(note.endswith("does a scheduler run?") for note in (await log.verify()).notes)


async def test_the_application_role_can_neither_change_nor_remove(
    application_url: str, log: SealedLog, sealed: list[UUID]
) -> None:
    application = await asyncpg.connect(application_url)
    try:
        await write(application)
        for table in ("audit_log", "audit_seals"):
            for statement in (f"UPDATE {table} SET era = 9", f"DELETE FROM {table}", f"TRUNCATE {table}"):
                with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
                    await application.execute(statement)
        seal = await seal_next(application, key=AuditKey.of(log.settings), now=log.clock.now())
        assert seal is not None
        assert is_signed(seal.key, seal.signature, seal.content)
    finally:
        await application.close()


async def test_the_owner_is_stopped_by_the_triggers(log: SealedLog, sealed: list[UUID], database_url: str) -> None:
    owner = await asyncpg.connect(database_url)
    try:
        for table in ("audit_log", "audit_seals"):
            for statement in (f"UPDATE {table} SET era = 9", f"DELETE FROM {table}", f"TRUNCATE {table}"):
                with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
                    await owner.execute(statement)
    finally:
        await owner.close()
