"""How does a module built on a newer glibc load on an older one? Its few newer symbols are bound to older twins.

Debian 13 builds TimescaleDB and Java against glibc 2.41; on glibc 2.36 the loader refuses them because of a few symbols
of version GLIBC_2.38. Each has an equal that every glibc has, or that the server exports itself:

  strlcpy, strlcat     left without a version: found in the `postgres` executable, which brings its own
  __isoc23_strtol, …   the same functions as strtol, … for all input but binary literals (0b…)
  fmod, fmodf          the same functions as before, which also set errno

Only the copy of the module in the test cache is changed. A module that needs anything else is refused, so that a new
upstream build fails with a clear message instead of misbehaving.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

OLDEST_SUPPORTED_MINOR = 36
BASE_VERSION = b"GLIBC_2.2.5"
C23_PREFIX = b"__isoc23_"
C23_FUNCTIONS = {b"strtol", b"strtoul", b"strtoll", b"strtoull", b"sscanf", b"fscanf", b"vsscanf"}
SAME_NAME = {b"fmod", b"fmodf"}
SERVER_PROVIDES = {b"strlcpy", b"strlcat"}
ANY_PROVIDER = 1  # VER_NDX_GLOBAL
SYMBOL_BYTES = 24


class UnknownSymbolError(Exception):
    """The module needs a symbol for which no older twin is known."""


@dataclass(frozen=True, slots=True)
class _Needed:
    """One required version of a library: where its record lies, its index, and where its name lies."""

    offset: int
    index: int
    name: int


def bridge(path: Path) -> int:
    """Rebind the newer symbols of the module at `path`; returns how many. Doing it twice changes nothing."""
    module = _Module(bytearray(path.read_bytes()))
    changed = module.rebind()
    if changed:
        path.write_bytes(module.image)
    return changed


class _Module:
    """A 64-bit little-endian ELF shared object, edited in memory."""

    def __init__(self, image: bytearray) -> None:
        if image[:6] != b"\x7fELF\x02\x01":
            raise UnknownSymbolError("not a 64-bit little-endian ELF module")
        self.image = image
        sections = self._sections()
        self._strings = sections[b".dynstr"][4]
        self._symbols = sections[b".dynsym"]
        self._version_indexes = sections[b".gnu.version"][4]
        self._needed = self._needed_versions(sections[b".gnu.version_r"][4])

    def rebind(self) -> int:
        newer = [
            record
            for version, records in self._needed.items()
            if version.startswith(b"GLIBC_2.") and int(version.split(b".")[1]) > OLDEST_SUPPORTED_MINOR
            for record in records
        ]
        if not newer:
            return 0
        base = self._needed[BASE_VERSION][0]
        indexes = {record.index for record in newer}
        changed = sum(self._rebind_symbol(number, indexes, base) for number in range(self._symbols[5] // SYMBOL_BYTES))
        for record in newer:  # nothing refers to the newer version any more: do not require it
            struct.pack_into("<I", self.image, record.offset, _elf_hash(BASE_VERSION))
            struct.pack_into("<I", self.image, record.offset + 8, base.name)
        return changed

    def _rebind_symbol(self, number: int, indexes: set[int], base: _Needed) -> bool:
        at_index = self._version_indexes + 2 * number
        if struct.unpack_from("<H", self.image, at_index)[0] & 0x7FFF not in indexes:
            return False
        at_symbol = self._symbols[4] + SYMBOL_BYTES * number
        (at_name,) = struct.unpack_from("<I", self.image, at_symbol)
        name = self._text(self._strings + at_name)
        if name in SERVER_PROVIDES:
            struct.pack_into("<H", self.image, at_index, ANY_PROVIDER)
        elif name in SAME_NAME:
            struct.pack_into("<H", self.image, at_index, base.index)
        elif name.startswith(C23_PREFIX) and name.removeprefix(C23_PREFIX) in C23_FUNCTIONS:
            # The older name is the tail of the newer one: point at it within the same string.
            struct.pack_into("<I", self.image, at_symbol, at_name + len(C23_PREFIX))
            struct.pack_into("<H", self.image, at_index, base.index)
        else:
            raise UnknownSymbolError(f"no older twin is known for {name.decode()}")
        return True

    def _text(self, offset: int) -> bytes:
        return bytes(self.image[offset : self.image.index(0, offset)])

    def _sections(self) -> dict[bytes, tuple[int, ...]]:
        (table,) = struct.unpack_from("<Q", self.image, 0x28)
        size, count, names = struct.unpack_from("<HHH", self.image, 0x3A)
        headers = [struct.unpack_from("<IIQQQQIIQQ", self.image, table + number * size) for number in range(count)]
        return {self._text(headers[names][4] + header[0]): header for header in headers}

    def _needed_versions(self, offset: int) -> dict[bytes, list[_Needed]]:
        found: dict[bytes, list[_Needed]] = {}
        while True:
            _, count, _, first, following = struct.unpack_from("<HHIII", self.image, offset)
            at = offset + first
            for _ in range(count):
                _, _, index, name, step = struct.unpack_from("<IHHII", self.image, at)
                found.setdefault(self._text(self._strings + name), []).append(_Needed(at, index, name))
                at += step
            if not following:
                return found
            offset += following


def _elf_hash(name: bytes) -> int:
    value = 0
    for character in name:
        value = (value << 4) + character
        high = value & 0xF0000000
        if high:
            value ^= high >> 24
        value &= ~high & 0xFFFFFFFF
    return value
