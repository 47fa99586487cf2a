"""Is every entry sealed once, in an order that no late commit upsets, through kills, rotations and restores?"""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import asyncpg
import httpx2
import pytest
from moto.server import ThreadedMotoServer

from domain.audit.heads import read_head
from domain.audit.sealing import MAX_ROWS, Seal
from domain.audit.verification import FindingKind
from jobs.sealing import AuditSealing
from persistence import audit_keys
from persistence.audit_heads import HeadsFile, HeadsStore
from persistence.audit_keys import AuditKey
from persistence.audit_seals import EraNotBegun, last_seal, seal_next
from persistence.tasks import end_tasks
from tests.api import api_settings
from tests.integration.audit.conftest import SealedLog, write
from tests.services.environment import inherited
from tocsin.doctor.audit import check_audit_log
from tocsin.doctor.report import State

ROOT = Path(__file__).resolve().parent.parent.parent.parent


async def test_entries_are_sealed_in_runs_that_follow_one_another(log: SealedLog) -> None:
    assert await log.seal() == []
    await log.write(3)
    (first,) = await log.seal()
    assert (first.number, first.first_row, first.row_count, first.previous) == (1, 0, 3, b"")
    assert await log.seal() == []
    await log.write(2)
    (second,) = await log.seal()
    assert (second.number, second.first_row, second.row_count, second.previous) == (2, 3, 2, first.hash)
    verdict = await log.verify()
    assert (verdict.findings, verdict.rows, verdict.seals, verdict.heads) == ([], 5, 2, 2)


async def test_an_interval_gathers_entries_and_a_backlog_is_worked_off(log: SealedLog) -> None:
    patient = log.settings.model_copy(update={"audit_seal_interval": log.settings.audit_seal_interval.max})
    await log.write()
    await log.seal()
    await log.write()
    assert await SealedLog(patient, log.pool, log.clock).seal() == []
    async with log.pool.acquire() as connection:
        sealed = []
        await write(connection, 7)
        while (seal := await seal_next(connection, key=AuditKey(bytes(32)), now=log.clock.now(), most=3)) is not None:
            sealed.append(seal.row_count)
    assert sealed == [3, 3, 2]
    assert MAX_ROWS == 10_000


@pytest.mark.parametrize("late_begins_first", [True, False])
async def test_an_entry_that_commits_late_comes_into_a_later_seal(log: SealedLog, late_begins_first: bool) -> None:
    """The later number commits first: a sealer that went by numbers, or by time, would never see the other."""
    async with log.pool.acquire() as late, log.pool.acquire() as soon:
        open_transaction = late.transaction()
        await open_transaction.start()
        if late_begins_first:
            (missing,) = await write(late)
            await write(soon, 2)
        else:
            await write(soon, 2)
            (missing,) = await write(late)
            await write(soon, 1)
        sealed = await log.seal()
        assert sum(seal.row_count for seal in sealed) == (0 if late_begins_first else 2)
        await open_transaction.commit()
        await log.seal()
        verdict = await log.verify()
        assert (verdict.findings, verdict.rows) == ([], 3 if late_begins_first else 4)
        kept = await soon.fetchval("SELECT string_agg(entry_ids, ''::bytea ORDER BY number) FROM audit_seals")
        assert missing.bytes in kept


async def test_many_writers_with_late_commits_and_rollbacks_lose_and_double_nothing(log: SealedLog) -> None:
    written: list[object] = []

    async def writer(number: int) -> None:
        async with log.pool.acquire() as connection:
            for turn in range(12):
                transaction = connection.transaction()
                await transaction.start()
                ids = await write(connection, 1 + turn % 3)
                await asyncio.sleep(0.001 * ((number * 7 + turn * 3) % 11))
                if turn % 5 == 4:
                    await transaction.rollback()
                else:
                    await transaction.commit()
                    written.extend(ids)

    async def sealer(done: asyncio.Event) -> None:
        while not done.is_set():
            await log.seal()
            await asyncio.sleep(0.003)

    done = asyncio.Event()
    sealing = asyncio.create_task(sealer(done))
    # Two connections are left to the sealer.
    await asyncio.gather(writer(1), writer(2))
    done.set()
    await sealing
    await log.seal()
    verdict = await log.verify()
    assert (verdict.findings, verdict.rows) == ([], len(written))
    assert verdict.seals > 3


async def test_two_sealers_at_once_make_one_chain(log: SealedLog) -> None:
    for _ in range(5):
        await log.write(3)
        await asyncio.gather(log.seal(), log.seal(), log.seal())
    await log.seal()
    verdict = await log.verify()
    assert (verdict.findings, verdict.rows) == ([], 15)
    # Without the lease that keeps them apart, each may have let a head out; all are the same.
    assert verdict.heads >= verdict.seals
    lines = log.settings.effective_audit_heads_file.read_bytes().splitlines()
    assert len(set(lines)) == verdict.seals


async def test_a_sealer_that_is_killed_leaves_whole_seals_and_another_goes_on(
    log: SealedLog, database_url: str, tmp_path: Path
) -> None:
    code = (
        "import asyncio, sys; from tests.integration.audit.conftest import *\n"
        "async def main():\n"
        "    settings = api_settings(sys.argv[1], sys.argv[2], audit_seal_interval=0)\n"
        "    pool = await open_log_pool(settings, size=2, name='killed')\n"
        "    while True:\n"
        "        await AuditSealing(settings, pool, clock=MovableClock()).round()\n"
        "asyncio.run(main())\n"
    )
    for _ in range(3):
        process = await asyncio.to_thread(
            lambda: subprocess.Popen(
                [sys.executable, "-c", code, database_url, str(tmp_path)],
                cwd=ROOT, env=inherited() | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.DEVNULL,
            )
        )  # fmt: skip
        try:
            began, sealed = time.monotonic(), await _count_seals(log)
            await log.write(20)
            while (more := await _count_seals(log) - sealed) < 3:
                if more:  # it has begun: from now on there is always something to seal
                    await log.write(20)
                else:
                    await asyncio.sleep(0.05)
                assert process.poll() is None, "the sealer ended by itself"
                assert time.monotonic() - began < 120
        finally:
            process.send_signal(signal.SIGKILL)
            await asyncio.to_thread(process.wait)
    await log.seal()
    verdict = await log.verify()
    async with log.pool.acquire() as connection:
        rows = await connection.fetchval("SELECT count(*) FROM audit_log")
    assert (verdict.findings, verdict.rows, verdict.heads) == ([], rows, verdict.seals)


async def _count_seals(log: SealedLog) -> int:
    async with log.pool.acquire() as connection:
        count: int = await connection.fetchval("SELECT count(*) FROM audit_seals")
        return count


async def test_a_head_that_could_not_leave_leaves_with_the_next(log: SealedLog, tmp_path: Path) -> None:
    heads = log.settings.effective_audit_heads_file
    await log.write()
    await log.seal()
    heads.chmod(0o400)
    heads.rename(tmp_path / "away")
    heads.mkdir()
    await log.write()
    (second,) = await log.seal()
    heads.rmdir()
    (tmp_path / "away").rename(heads)
    heads.chmod(0o600)
    assert (await HeadsFile(heads).newest() or second).number == 1
    await log.seal()
    assert await HeadsFile(heads).newest() == second
    # A line that a full disk or a kill cut off is written again, whole.
    heads.write_bytes(heads.read_bytes()[:-40])
    await log.seal()
    lines = heads.read_bytes().splitlines()
    assert read_head(lines[0]).number == 1
    assert read_head(lines[-1]) == second


async def test_heads_go_to_an_object_store_as_well_and_are_never_replaced(log: SealedLog, tmp_path: Path) -> None:
    store = (tmp_path / "locked").as_uri()
    both = SealedLog(log.settings.model_copy(update={"audit_heads_url": store}), log.pool, log.clock)
    await both.write()
    (first,) = await both.seal()
    for _ in range(4):
        await both.write()
        await both.seal()
    found = [head async for head in HeadsStore(store).all()]
    assert [head.number for head in found] == [1, 2, 3, 4, 5]
    assert await found[0].store.read(found[0].path) == first
    assert (await HeadsStore(store).newest() or first).number == 5
    await HeadsStore(store).add(first)  # again: nothing happens
    verdict = await both.verify()
    assert (verdict.findings, verdict.heads) == ([], 10)


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A bucket behind S3's protocol; its address."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT": f"http://{host}:{port}",
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "tests",
        "AWS_SECRET_ACCESS_KEY": "tests-only",
        "AWS_REGION": "eu-central-1",
    }.items():
        monkeypatch.setenv(name, value)
    httpx2.put(f"http://{host}:{port}/heads").raise_for_status()
    yield "s3://heads/here"
    server.stop()


async def test_heads_go_to_s3_and_what_is_gone_here_is_found_there(
    log: SealedLog, s3: str, superuser: asyncpg.Connection
) -> None:
    far = SealedLog(log.settings.model_copy(update={"audit_heads_url": s3}), log.pool, log.clock)
    for _ in range(3):
        await far.write()
        await far.seal()
    store = HeadsStore(s3)
    newest = await store.newest()
    assert newest is not None
    assert newest.number == 3
    await store.add(newest)  # is there already
    assert [head.number async for head in store.all()] == [1, 2, 3]
    assert (await far.verify()).findings == []

    await superuser.execute("DELETE FROM audit_seals WHERE number = 3")
    await superuser.execute("DELETE FROM audit_log WHERE seq = 3")
    log.settings.effective_audit_heads_file.unlink()
    assert [(one.kind, one.seal) for one in (await far.verify()).findings] == [(FindingKind.CUT_TAIL, 3)]


async def test_a_store_that_is_away_holds_up_no_seal_and_gets_its_heads_later(log: SealedLog, tmp_path: Path) -> None:
    (tmp_path / "in the way").write_text("no folder")
    away = log.settings.model_copy(update={"audit_heads_url": (tmp_path / "in the way" / "heads").as_uri()})
    far = SealedLog(away, log.pool, log.clock)
    await far.write()
    assert len(await far.seal()) == 1
    (tmp_path / "in the way").unlink()
    await far.seal()
    assert (await far.verify()).heads == 2


async def test_a_new_key_seals_and_the_old_one_still_counts(log: SealedLog) -> None:
    await log.write()
    (first,) = await log.seal()
    old, new = audit_keys.rotate(log.settings)
    await log.write()
    (second,) = await log.seal()
    assert (first.key, second.key) == (old, new)
    assert (await log.verify()).findings == []
    assert log.settings.audit_key_file.stat().st_mode & 0o777 == 0o600

    log.settings.audit_retired_file.unlink()
    assert [finding.kind for finding in (await log.verify()).findings] == [FindingKind.UNKNOWN_KEY]
    assert (await log.verify(keys=frozenset({old}))).findings == []


async def test_a_key_of_the_environment_is_changed_there(log: SealedLog, database_url: str, tmp_path: Path) -> None:
    first = api_settings(
        database_url, tmp_path, audit_seal_interval=0, audit_key="a first key of more than thirty-two characters"
    )
    with pytest.raises(audit_keys.KeyIsGiven):
        audit_keys.rotate(first)
    old = AuditKey.of(first).public
    await log.write()
    await SealedLog(first, log.pool, log.clock).seal()
    values = {"audit_key": "another key of thirty-two characters", "audit_retired_keys": f" {old.hex()} ,"}
    second = api_settings(database_url, tmp_path, audit_seal_interval=0, **values)
    await log.write()
    await SealedLog(second, log.pool, log.clock).seal()
    assert (await SealedLog(second, log.pool, log.clock).verify()).findings == []


async def test_what_is_written_after_a_restore_is_sealed_behind_all_of_before(
    log: SealedLog, superuser: asyncpg.Connection
) -> None:
    """A restore by pg_restore brings rows of transaction ids that this server has not reached, and will give again."""
    await superuser.execute("ALTER TABLE audit_log ALTER xid SET DEFAULT '7000000000'::xid8")
    await log.write(2)
    async with log.pool.acquire() as connection:
        # Sealed by the server of before, to which these ids lay in the past.
        await connection.execute("UPDATE log_epoch SET audit_era = 2")
        await seal_next(connection, key=AuditKey.of(log.settings), now=log.clock.now(), most=1)
        await connection.execute("UPDATE log_epoch SET audit_era = 1")
    await superuser.execute("ALTER TABLE audit_log ALTER xid SET DEFAULT pg_current_xact_id()")

    with pytest.raises(EraNotBegun, match="UPDATE log_epoch"):
        await log.seal()
    async with log.pool.acquire() as connection:
        await connection.execute("UPDATE log_epoch SET epoch = gen_random_uuid()")
    await log.write(3)
    sealed = await log.seal()
    assert [(seal.number, seal.last.era, seal.row_count) for seal in sealed] == [(2, 1, 1), (3, 2, 3)]
    await log.write(1)
    await log.seal()
    verdict = await log.verify()
    assert (verdict.findings, verdict.rows) == ([], 6)


async def test_seals_that_a_restore_lost_are_told_until_it_is_accepted(
    log: SealedLog, superuser: asyncpg.Connection
) -> None:
    for _ in range(3):
        await log.write()
        await log.seal()
    # Back to what a backup of after the first seal held.
    await superuser.execute("DELETE FROM audit_seals WHERE number > 1")
    await superuser.execute("DELETE FROM audit_log WHERE seq > 1")
    await superuser.execute("SET session_replication_role = origin")
    await superuser.execute("UPDATE log_epoch SET epoch = gen_random_uuid()")
    for _ in range(3):
        await log.write()
        await log.seal()
    verdict = await log.verify()
    assert {(finding.kind, finding.seal) for finding in verdict.findings} == {
        (FindingKind.LOST_IN_RESTORE, 2),
        (FindingKind.LOST_IN_RESTORE, 3),
    }
    assert (await log.verify(accepted_era=2)).findings == []


async def test_the_sealer_says_that_the_newest_seal_is_forged_and_seals_on(
    log: SealedLog, superuser: asyncpg.Connection
) -> None:
    await log.write()
    await log.seal()
    await superuser.execute("UPDATE audit_seals SET signature = $1", bytes(64))
    await log.write()
    (second,) = await log.seal()
    async with log.pool.acquire() as connection:
        last: Seal | None = await last_seal(connection)
    assert last == second
    assert FindingKind.SIGNATURE in {finding.kind for finding in (await log.verify()).findings}


async def test_a_clock_that_was_set_back_holds_up_no_seal(log: SealedLog) -> None:
    hourly = log.settings.model_copy(update={"audit_seal_interval": timedelta(hours=1)})
    patient = SealedLog(hourly, log.pool, log.clock)
    log.clock.ahead = timedelta(days=2)
    await log.write()
    await patient.seal()
    log.clock.ahead = timedelta(0)
    await log.write()
    assert len(await patient.seal()) == 1
    await log.write()
    assert await patient.seal() == []


async def test_the_doctor_says_that_nobody_seals(log: SealedLog, superuser: asyncpg.Connection) -> None:
    async with log.pool.acquire() as connection:
        assert (await check_audit_log(connection)).state is State.OK
        await log.write(2)
        assert (await check_audit_log(connection)).state is State.OK
        await superuser.execute("UPDATE audit_log SET occurred_at = occurred_at - interval '16 minutes'")
        found = await check_audit_log(connection)
        assert (found.state, found.detail.startswith("2 entries wait")) == (State.DEGRADED, True)
        await log.seal()
        assert (await check_audit_log(connection)).detail.startswith("sealed: seal 1 of ")


async def test_one_of_several_sealers_is_active_and_another_takes_over(log: SealedLog) -> None:
    """As the scheduler runs them: for ever, under a lease."""
    sealers = [AuditSealing(log.settings, log.pool, clock=log.clock) for _ in range(2)]
    running = [asyncio.create_task(sealer.run()) for sealer in sealers]
    try:
        await log.write(2)
        for _ in range(100):
            if await _count_seals(log):
                break
            await asyncio.sleep(0.05)
        async with log.pool.acquire() as connection:
            assert await connection.fetchval("SELECT count(*) FROM leases WHERE name = 'audit sealer'") == 1
    finally:
        await end_tasks(running)
    assert (await log.verify()).rows == 2
