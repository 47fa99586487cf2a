"""Is a file known by its bytes, and is nothing taken that a browser would run?"""

import pytest

from domain.alerts.attachments import ALLOWED_TYPES, MAX_FILE_NAME, checked_file_name, object_key, sniff
from domain.errors import InvalidInput
from domain.ids import new_id


@pytest.mark.parametrize(
    ("head", "name", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00", "graph.png", "image/png"),
        (b"\xff\xd8\xff\xe0", "x", "image/jpeg"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "x", "image/webp"),
        (b"%PDF-1.7\n", "report.pdf", "application/pdf"),
        (b"PK\x03\x04\x14\x00", "logs.zip", "application/zip"),
        (
            b"PK\x03\x04\x14\x00",
            "Costs.XLSX",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ),
        (b"\x1f\x8b\x08", "core.gz", "application/gzip"),
        (b"\x00\x00\x00\x18ftypmp42", "screen.mp4", "video/mp4"),
        (b"\xd4\xc3\xb2\xa1\x02\x00", "eth0.pcap", "application/vnd.tcpdump.pcap"),
        (b"12:00 \x1b[31mERROR\x1b[0m disk full\n", "app.log", "text/plain"),
        ("Größe,Wert\n".encode(), "data.csv", "text/csv"),
        (b'{"a": 1}', "state.json", "application/json"),
        (b"", "empty.txt", "text/plain"),
        ("é".encode()[:1], "cut.txt", "text/plain"),
    ],
)
def test_a_file_is_what_its_bytes_say(head: bytes, name: str, kind: str) -> None:
    assert sniff(head, file_name=name) == kind
    assert kind in ALLOWED_TYPES


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"<!DOCTYPE html><html>", "page.html"),
        (b"\n  <HTML lang=en>", "notes.txt"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>", "logo.png"),
        (b"<?xml version='1.0'?><x:svg xmlns:x='http://www.w3.org/2000/svg'/>", "x.xml"),
        (b"hello <script>alert(1)</script>", "log.txt"),
        (b"\x7fELF\x02\x01\x01\x00", "tool.txt"),
        (b"MZ\x90\x00\x03", "setup.exe"),
        (b"\xff\xfe<\x00h\x00t\x00m\x00l\x00", "utf16.txt"),
        (b"abc\x00def", "a.txt"),
        (b"\xe9t\xe9", "latin1.txt"),
    ],
)
def test_what_a_browser_would_run_and_what_nobody_can_name_is_refused(head: bytes, name: str) -> None:
    assert sniff(head, file_name=name) is None


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("graph.png", "graph.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\log.txt", "log.txt"),
        ('a"b\r\nX: y.txt', "a_b_X_ y.txt"),
        ("invoice\u202efdp.exe", "invoice_fdp.exe"),
        (" .hidden. ", "hidden"),
        ("Größe.csv", "Größe.csv"),
    ],
)
def test_a_name_keeps_nothing_that_fools_a_file_system_a_header_or_an_eye(name: str, kept: str) -> None:
    assert checked_file_name(name) == kept


def test_a_long_name_keeps_its_ending() -> None:
    kept = checked_file_name("x" * 300 + ".json")
    assert len(kept) == MAX_FILE_NAME
    assert kept.endswith("x.json")
    assert len(checked_file_name("y" * 300)) == MAX_FILE_NAME


@pytest.mark.parametrize("name", ["", "..", "/", "a\ud800"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        checked_file_name(name)
    assert refusal.value.path == ("fileName",)


def test_the_key_holds_nothing_the_sender_said() -> None:
    alert_id, attachment_id = new_id(), new_id()
    assert object_key(alert_id, attachment_id) == f"attachments/{alert_id}/{attachment_id}"
