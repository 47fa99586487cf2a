"""No secret reaches a log line, under whatever name or inside whatever text it comes (T9)."""

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from graphql_api.observability.logs import HIDDEN, configure_logging, hide_secrets, redact
from tests.api import api_settings


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("GET /webhooks/generic?key=tcs_abcdefghij HTTP/1.1", f"GET /webhooks/generic?key={HIDDEN} HTTP/1.1"),
        ("/x?a=1&key=s3cret&b=2", f"/x?a=1&key={HIDDEN}&b=2"),
        ("Authorization: Bearer abc.def-ghi", f"Authorization: Bearer {HIDDEN}"),
        ("basic dXNlcjpwYXNz", f"basic {HIDDEN}"),
        ("the key tcs_AAAABBBBCCCC was wrong", f"the key {HIDDEN} was wrong"),
        ("refresh tcr_AAAABBBBCCCC", f"refresh {HIDDEN}"),
        ("challenge tcc_AAAABBBBCCCC, key tck_AAAABBBBCCCC", f"challenge {HIDDEN}, key {HIDDEN}"),
        ("/auth/corp/callback?code=c0de&state=st4te", f"/auth/corp/callback?code={HIDDEN}&state={HIDDEN}"),
        ("/auth/corp/start?ticket=abc", f"/auth/corp/start?ticket={HIDDEN}"),
        ("token eyJhbGciOiJI.eyJzdWIiOiIx.sig", f"token {HIDDEN}"),
        ("postgresql://user:pa55@host/db", f"postgresql://user:{HIDDEN}@host/db"),
        ("monkey=banana and keyboards", "monkey=banana and keyboards"),
    ],
)
def test_secrets_inside_text_are_hidden(text: str, kept: str) -> None:
    assert redact(text) == kept


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "adminPassword",
        "passwd",
        "Authorization",
        "set-cookie",
        "access_token",
        "refreshToken",
        "apiKey",
        "key",
        "hmac_secret",
        "totpCode",
        "routing_key",
    ],
)
def test_values_under_a_secrets_name_are_hidden_at_any_depth(name: str) -> None:
    assert redact({"a": [{name: "s3cret"}]}) == {"a": [{name: HIDDEN}]}
    assert hide_secrets(None, "", {name: "s3cret"}) == {name: HIDDEN}


@pytest.mark.parametrize("name", ["dedup_key_recipe", "monkey", "keyboard", "status", "event"])
def test_other_names_are_not(name: str) -> None:
    assert redact({name: "x"}) == {name: "x"}


def test_nothing_is_followed_for_ever() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert HIDDEN in repr(redact(endless))
    assert redact(b"abc") == "3 bytes"
    assert redact({"n": 7, "none": None, "password": None}) == {"n": 7, "none": None, "password": None}


@pytest.fixture(autouse=True)
def set_up() -> Iterator[None]:
    """The test process's own set-up comes back after: tests to come read what is logged where it is written then."""
    root = logging.getLogger()
    before, level, config = root.handlers[:], root.level, structlog.get_config()
    yield
    root.handlers[:] = before
    root.setLevel(level)
    structlog.configure(**config)


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> io.StringIO:
    """The log as a process writes it."""
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    configure_logging(api_settings("postgresql://x@y/z", tmp_path))
    return written


def parsed(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def test_ours_and_the_librarys_lines_are_one_json_object_each(lines: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(request_id="r1"):
        structlog.get_logger("ours").info("something", receipt_id="x", password="s3cret")
    logging.getLogger("library").warning("GET /x?key=%s", "s3cret", extra={"token": "s3cret"})
    ours, library = parsed(lines)
    assert ours["event"] == "something"
    assert (ours["request_id"], ours["receipt_id"], ours["level"]) == ("r1", "x", "info")
    assert ours["timestamp"].endswith("Z")
    assert (library["event"], library["level"]) == (f"GET /x?key={HIDDEN}", "warning")
    assert "s3cret" not in lines.getvalue()


def test_a_traceback_shows_no_local_variables(lines: io.StringIO) -> None:
    def fail(password: str) -> None:
        message = "it failed"
        raise RuntimeError(message) if password else ValueError

    argument = "s3" + "cret"
    try:
        fail(argument)
    except RuntimeError:
        structlog.get_logger("ours").exception("broken")
    (line,) = parsed(lines)
    assert "RuntimeError: it failed" in line["exception"]
    assert "s3cret" not in lines.getvalue()


def test_what_libraries_say_of_sign_ins_while_debugging_is_not_written(tmp_path: Path) -> None:
    """ASVS 5 16.2.5: one writes PKCE's verifier down."""
    configure_logging(api_settings("postgresql://127.0.0.1/none", tmp_path, log_level="debug"))
    for name in ("authlib.integrations.base_client.sync_app", "websockets.server", "uvicorn.error"):
        assert not logging.getLogger(name).isEnabledFor(logging.DEBUG)


def test_what_the_client_of_http_says_of_addresses_is_not_written(tmp_path: Path) -> None:
    """An address of a webhook, or of a calendar, is a secret: whoever has it posts or reads."""
    configure_logging(api_settings("postgresql://127.0.0.1/none", tmp_path, log_level="debug"))
    for name in ("httpx2", "httpcore2.http11", "httpcore2.connection", "elastic_transport.transport"):
        assert not logging.getLogger(name).isEnabledFor(logging.INFO), name
        assert logging.getLogger(name).isEnabledFor(logging.WARNING), name


def test_the_level_is_kept(lines: io.StringIO) -> None:
    structlog.get_logger("ours").debug("quiet")
    logging.getLogger("library").debug("quiet")
    assert parsed(lines) == []
