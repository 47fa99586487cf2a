"""The erasure ledger, in a bucket and in a folder: it only grows, and holds ids and times (T10)."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from domain.ids import new_id
from domain.privacy.erasure import Erasure, ErasureLedger
from persistence.erasure_ledger import FolderLedger, StoredLedger, open_ledger
from persistence.objects import Objects, ObjectStoreUnavailable
from tests.api import api_settings

MOMENT = datetime(2026, 11, 26, 4, 30, tzinfo=UTC)


@pytest.fixture(params=["bucket", "folder"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> ErasureLedger:
    return StoredLedger(Objects(MemoryStore())) if request.param == "bucket" else FolderLedger(tmp_path / "ledger")


async def lines(ledger: ErasureLedger) -> set[Erasure]:
    return {erasure async for erasure in ledger.entries()}


async def test_what_is_written_is_read_again(ledger: ErasureLedger) -> None:
    assert await lines(ledger) == set()
    written = {Erasure(user_id=new_id(), erased_at=MOMENT, comments=words) for words in (True, False)}
    for erasure in written:
        await ledger.append(erasure)
    assert await lines(ledger) == written


async def test_the_same_line_twice_is_one(ledger: ErasureLedger) -> None:
    erasure = Erasure(user_id=new_id(), erased_at=MOMENT, comments=False)
    await ledger.append(erasure)
    await ledger.append(erasure)
    assert await lines(ledger) == {erasure}


async def test_more_than_a_page_of_lines(ledger: ErasureLedger) -> None:
    written = {Erasure(user_id=new_id(), erased_at=MOMENT, comments=False) for _ in range(120)}
    for erasure in written:
        await ledger.append(erasure)
    assert await lines(ledger) == written


async def test_strange_files_are_passed_over(tmp_path: Path) -> None:
    ledger = FolderLedger(tmp_path)
    erasure = Erasure(user_id=new_id(), erased_at=MOMENT, comments=False)
    await ledger.append(erasure)
    for name in ("README", f"{new_id()}", f"{new_id()}.soon", f"{new_id()}.1.else", f"{new_id()}.{10**20}"):
        (tmp_path / name).write_text("x")
    assert await lines(ledger) == {erasure}


async def test_only_we_may_read_it(tmp_path: Path) -> None:
    await FolderLedger(tmp_path / "ledger").append(Erasure(user_id=new_id(), erased_at=MOMENT, comments=False))
    (line,) = (tmp_path / "ledger").iterdir()
    assert (line.stat().st_mode & 0o777, line.parent.stat().st_mode & 0o777) == (0o600, 0o700)


async def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    file = tmp_path / "a file"
    file.write_text("")
    with pytest.raises(ObjectStoreUnavailable, match="ledger"):
        await FolderLedger(file / "ledger").append(Erasure(user_id=new_id(), erased_at=MOMENT, comments=False))


def test_the_setting_says_where_and_looking_makes_nothing(tmp_path: Path) -> None:
    settings = api_settings("postgresql://nobody@127.0.0.1/none", tmp_path)
    assert open_ledger(settings) == FolderLedger(tmp_path / "erasures")
    there = api_settings("postgresql://nobody@127.0.0.1/none", tmp_path, erasure_ledger_url="file:///some%20where")
    assert open_ledger(there) == FolderLedger(Path("/some where"))
    assert not list(tmp_path.iterdir())
