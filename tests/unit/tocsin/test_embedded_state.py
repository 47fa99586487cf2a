"""Are ports and passwords remembered whole, for us alone, and is a damaged memory said in one line?"""

import json
import socket
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from tocsin.embedded import state
from tocsin.embedded.state import EmbeddedState
from tocsin.errors import StartError


def test_what_is_saved_is_loaded_and_closed_to_others(tmp_path: Path) -> None:
    assert state.load(tmp_path) is None
    remembered = replace(EmbeddedState(), postgresql_port=5001, valkey_port=5002)
    state.save(tmp_path, remembered)
    assert state.load(tmp_path) == remembered
    assert stat.S_IMODE((tmp_path / state.FILE).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [state.FILE]


@pytest.mark.parametrize("text", ["", "{", "[]", json.dumps({"unknown": 1})])
def test_a_damaged_memory_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / state.FILE).write_text(text)
    with pytest.raises(StartError, match=r"embedded\.json is damaged"):
        state.load(tmp_path)


def test_ports_are_kept_while_they_are_free() -> None:
    first = EmbeddedState().with_free_ports()
    assert first.postgresql_port != first.valkey_port
    assert first.with_free_ports() == first
    with socket.create_server(("127.0.0.1", first.postgresql_port)):
        moved = first.with_free_ports()
    assert moved.postgresql_port != first.postgresql_port
    assert moved.valkey_port == first.valkey_port


def test_addresses_name_the_role_they_are_for() -> None:
    remembered = replace(EmbeddedState(), postgresql_port=5001, valkey_port=5002)
    assert remembered.owner_url == f"postgresql://tocsin_owner:{remembered.owner_password}@127.0.0.1:5001/tocsin"
    assert (
        remembered.application_url == f"postgresql://tocsin_app:{remembered.application_password}@127.0.0.1:5001/tocsin"
    )
    assert remembered.valkey_url == f"redis://:{remembered.valkey_password}@127.0.0.1:5002/0"
