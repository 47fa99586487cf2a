"""Which files may hang on an alert, and what are they? Known by their first bytes, never by what the sender claims.

A file is evidence: a screenshot, a log, a dump. It is never served as something a browser would run, so HTML and SVG
are refused outright, whatever they are called.
"""

import codecs
import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.errors import InvalidInput
from domain.text import check_storable

MAX_FILE_NAME = 200
MAX_FILES_PER_ALERT = 50
# As much of a file as is looked at to say what it is.
SNIFF_BYTES = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file on an alert. `content_type` is what its bytes say; `object_key` is where the object store keeps them."""

    id: UUID
    alert_id: UUID
    file_name: str
    content_type: str
    size_bytes: int
    sha256: bytes
    object_key: str
    uploaded_by: UUID
    created_at: datetime
    deleted_at: datetime | None = None


_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"(\xb5/\xfd", "application/zstd"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1a\x45\xdf\xa3", "video/webm"),
    (0, b"\xd4\xc3\xb2\xa1", "application/vnd.tcpdump.pcap"),
    (0, b"\xa1\xb2\xc3\xd4", "application/vnd.tcpdump.pcap"),
    (0, b"\x0a\x0d\x0d\x0a", "application/vnd.tcpdump.pcap"),
)
_OFFICE_BY_ENDING = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}
_TEXT_BY_ENDING = {"csv": "text/csv", "json": "application/json", "md": "text/markdown"}
_ACTIVE = re.compile(
    rb"<\s*(?:!doctype\s+html|html|head|body|script|iframe|svg|object|embed|[a-z]+:svg)\b", re.IGNORECASE
)
# Control characters that no text file holds; a terminal's log has tabs, form feeds, backspaces and escapes.
_BINARY = re.compile(rb"[\x00-\x07\x0b\x0e-\x1a\x1c-\x1f]")
_NOT_IN_A_NAME = re.compile(r'[\x00-\x1f\x7f"\\/:*?<>|\u200e\u200f\u202a-\u202e\u2066-\u2069]+')
ALLOWED_TYPES = tuple(
    sorted({*(kind for _, _, kind in _MAGIC), *_OFFICE_BY_ENDING.values(), *_TEXT_BY_ENDING.values(), "text/plain"})
)


def sniff(head: bytes, *, file_name: str) -> str | None:
    """The type of a file by its first SNIFF_BYTES, None when it is none we take.

    The name only chooses among types that look alike (a spreadsheet is a ZIP, CSV is text).
    """
    ending = file_name.rpartition(".")[2].lower()
    for offset, magic, kind in _MAGIC:
        if head[offset : offset + len(magic)] == magic:
            return _OFFICE_BY_ENDING.get(ending, kind) if kind == "application/zip" else kind
    if not _is_text(head) or _ACTIVE.search(head):
        return None
    return _TEXT_BY_ENDING.get(ending, "text/plain")


def _is_text(head: bytes) -> bool:
    if _BINARY.search(head):
        return False
    # Incremental, for the last character may be cut in half where the head ends.
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def checked_file_name(name: str) -> str:
    """The last part of the name, without what a file system, a header or a reader's eye could be fooled by."""
    bare = name.replace("\\", "/").rpartition("/")[2]
    clean = _NOT_IN_A_NAME.sub("_", bare).strip(" .")
    if not clean:
        raise InvalidInput(message="a file needs a name", path=("fileName",))
    check_storable(clean, path=("fileName",))
    if len(clean) <= MAX_FILE_NAME:
        return clean
    stem, dot, ending = clean.rpartition(".")
    if not dot or len(ending) > MAX_FILE_NAME // 10:
        return clean[:MAX_FILE_NAME]
    return stem[: MAX_FILE_NAME - len(ending) - 1] + dot + ending


def object_key(alert_id: UUID, attachment_id: UUID) -> str:
    """Where the bytes are kept: nothing of the sender's own words, so no name can lead elsewhere."""
    return f"attachments/{alert_id}/{attachment_id}"
