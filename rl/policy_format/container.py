"""The zip of a policy, read so that there is only one way to read it, and written so that the same members are the
same bytes.

Zip readers differ in what they take for the truth: the directory at the end, or the headers in between. Here both must
say the same, and members must follow each other without a gap from the first byte of the file to the directory, and the
directory to the end record, which is the last thing in the file.
"""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from rl.policy_format.fault import PolicyFileFault

FIRST_DATE = (1980, 1, 1, 0, 0, 0)
STORED, DEFLATED = 0, 8
MOST_RATIO = 100

_END, _DIRECTORY, _LOCAL, _DESCRIPTOR = b"PK\5\6", b"PK\1\2", b"PK\3\4", b"PK\7\x08"
_END_64, _LOCATOR_64 = b"PK\6\6", b"PK\6\7"
_END_SIZE, _END_64_SIZE, _LOCATOR_SIZE = 22, 56, 20
_FULL = 0xFFFFFFFF
_DESCRIBED, _UTF8, _DEFLATE_LEVEL = 0x08, 0x800, 0x06
_EXTRAS = frozenset({0x0001, 0x5455, 0x5855, 0x7875, 0x000A, 0x4246})
"""Zip64 sizes, times and owners of three kinds, torch's padding. Others, such as a second name, are refused."""


@dataclass(frozen=True)
class Rules:
    """What a zip may hold: bytes in all, members, and of each name its most bytes, None for a name that is refused."""

    most_bytes: int
    most_members: int
    most_of: Callable[[str], int | None]
    methods: frozenset[int] = frozenset({STORED, DEFLATED})


@dataclass(frozen=True)
class _Entry:
    """What the directory says of one member."""

    name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int


def read(content: bytes, rules: Rules) -> dict[str, bytes]:
    """The members by name, in their order. Raises PolicyFileFault."""
    if len(content) > rules.most_bytes:
        _refuse(f"it is larger than {rules.most_bytes // 2**20} MiB", "too_large")
    start, end, count = _directory(content)
    if count > rules.most_members:
        _refuse(f"it holds {count} members; at most {rules.most_members} are taken", "too_large")
    entries = _entries(content, start, end, count)
    found: dict[str, bytes] = {}
    folded: set[str] = set()
    place = 0
    for entry in sorted(entries, key=lambda entry: entry.offset):
        name = _name(entry.name)
        if name.casefold() in folded:
            _refuse(f"two members are named {name}")
        folded.add(name.casefold())
        _check(entry, name, rules)
        if entry.offset != place:
            _refuse("its members overlap, or bytes lie between them")
        found[name], place = _member(content, entry, name)
    if place != start:
        _refuse("bytes lie between its members and its directory")
    return {_name(entry.name): found[_name(entry.name)] for entry in entries}


def write(members: Mapping[str, bytes], order: Sequence[str]) -> bytes:
    """A stored zip with one date, one mode and the members in `order`, those that it names and that are there."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in order:
            if name in members:
                entry = zipfile.ZipInfo(name, FIRST_DATE)
                entry.create_system = 3  # the same byte on every platform
                entry.external_attr = 0o640 << 16
                archive.writestr(entry, members[name])
    return buffer.getvalue()


def _directory(content: bytes) -> tuple[int, int, int]:
    """First byte and end of the directory, and how many members it names."""
    if not content.startswith(_LOCAL):
        _refuse("it does not begin as a zip does")
    at = len(content) - _END_SIZE
    if at < 0 or content[at : at + 4] != _END:
        _refuse("it does not end with the end record of a zip")
    disk, first, here, count, size, start, comment = struct.unpack("<4H2LH", content[at + 4 :])
    if disk or first or comment or here != count or count == 0xFFFF or _FULL in (size, start):
        _refuse("its end record is none of a plain zip")
    end = start + size
    if end != at and not _is_end_64(content[end:at], count, size, start, end):
        _refuse("bytes lie between its directory and its end record")
    return start, end, count


def _is_end_64(content: bytes, count: int, size: int, start: int, at: int) -> bool:
    """Whether these are the two further end records that torch writes always, saying what the plain one says."""
    if len(content) != _END_64_SIZE + _LOCATOR_SIZE:
        return False
    record = struct.unpack("<4sQ2H2L4Q", content[:_END_64_SIZE])
    locator = struct.unpack("<4sLQL", content[_END_64_SIZE:])
    said = (_END_64, _END_64_SIZE - 12, 0, 0, count, count, size, start)
    return (record[:2] + record[4:]) == said and locator == (_LOCATOR_64, 0, at, 1)


def _entries(content: bytes, start: int, end: int, count: int) -> list[_Entry]:
    entries, place = [], start
    for _ in range(count):
        signature, _, system, flags, method, _, crc, packed, size, name, extra, comment, disk, _, mode, offset = (
            _unpack("<4s2B2x2H4s3L5H2L", content, place, end)
        )
        if signature != _DIRECTORY or comment or disk:
            _refuse("its directory is none of a plain zip")
        if system not in (0, 3) or stat.S_IFMT(mode >> 16) not in (0, stat.S_IFREG) or mode & 0x10:
            _refuse("a member is no regular file")
        after = place + 46
        _check_extras(content[after + name : after + name + extra])
        entries.append(_Entry(content[after : after + name], flags, method, crc, packed, size, offset))
        place = after + name + extra
    if place != end:
        _refuse("its directory does not end where it says")
    return entries


def _check(entry: _Entry, name: str, rules: Rules) -> None:
    most = rules.most_of(name)
    if most is None:
        _refuse(f"it holds {name}, which no policy file has")
    if entry.flags & ~(_DESCRIBED | _UTF8 | _DEFLATE_LEVEL):
        _refuse(f"{name} is encrypted or patched")
    if entry.method not in rules.methods:
        _refuse(f"{name} is packed by a method that is not read")
    if entry.size > most:
        _refuse(f"{name} is larger than {most:,} bytes", "too_large")
    if entry.method == STORED and entry.packed != entry.size:
        _refuse(f"{name} is stored with two sizes")
    if entry.size > MOST_RATIO * entry.packed + 1024:
        _refuse(f"{name} unpacks to more than {MOST_RATIO} times its size", "too_large")


def _member(content: bytes, entry: _Entry, name: str) -> tuple[bytes, int]:
    """The content of a member, and where the next one must begin."""
    header = _unpack("<4s2x2H4x3L2H", content, entry.offset, len(content))
    signature, flags, method, crc, packed, size, name_size, extra_size = header
    begin = entry.offset + 30 + name_size
    extras = content[begin : begin + extra_size]
    if (
        signature != _LOCAL
        or (flags, method) != (entry.flags, entry.method)
        or content[entry.offset + 30 : begin] != entry.name
    ):
        _refuse(f"{name} is told otherwise at its place than in the directory")
    _check_extras(extras)
    if _FULL in (packed, size):
        packed, size = _sizes_64(extras, name)
    told, true = (crc, packed, size), (entry.crc, entry.packed, entry.size)
    described = bool(entry.flags & _DESCRIBED)
    if told != true and not (described and told == (0, 0, 0)):
        _refuse(f"{name} has another size or checksum at its place than in the directory")
    start = begin + extra_size
    end = start + entry.packed
    data = _unpacked(content[start:end], entry, name)
    return data, end + (_descriptor(content, end, true, name) if described else 0)


def _unpacked(packed: bytes, entry: _Entry, name: str) -> bytes:
    if entry.method == DEFLATED:
        inflate = zlib.decompressobj(-15)
        try:
            data = inflate.decompress(packed, entry.size + 1)
        except zlib.error as error:
            raise PolicyFileFault(f"{name} cannot be unpacked", "container") from error
        if not inflate.eof or inflate.unused_data:
            _refuse(f"{name} does not unpack to what the directory says")
    else:
        data = packed
    if len(data) != entry.size or zlib.crc32(data) != entry.crc:
        _refuse(f"{name} is damaged: its size or checksum is wrong")
    return data


def _descriptor(content: bytes, at: int, true: tuple[int, int, int], name: str) -> int:
    """Size of the record behind a member whose sizes are told there."""
    for layout in ("<3L", "<L2Q"):
        record = _DESCRIPTOR + struct.pack(layout, *true)
        if content[at : at + len(record)] == record:
            return len(record)
    _refuse(f"{name} has another size or checksum behind it than in the directory")


def _sizes_64(extras: bytes, name: str) -> tuple[int, int]:
    """(packed, size) of the zip64 extra field, as Python writes it in front of a member that it streams."""
    if len(extras) != 20 or struct.unpack_from("<2H", extras) != (1, 16):
        _refuse(f"{name} does not tell its size")
    size, packed = struct.unpack_from("<2Q", extras, 4)
    return packed, size


def _check_extras(extras: bytes) -> None:
    place = 0
    while place < len(extras):
        kind, size = _unpack("<2H", extras, place, len(extras))
        if kind not in _EXTRAS:
            _refuse("a member carries a field that no policy file has")
        place += 4 + size
    if place != len(extras):
        _refuse("a member carries a broken field")


def _name(raw: bytes) -> str:
    name = raw.decode("latin-1")
    if not name.isascii() or not name.isprintable() or not name:
        _refuse("a member has a name that no policy file has")
    return name[:80]


def _unpack(layout: str, content: bytes, place: int, end: int) -> tuple[Any, ...]:
    if place < 0 or place + struct.calcsize(layout) > end:
        _refuse("it is cut off")
    return struct.unpack_from(layout, content, place)


def _refuse(what: str, code: str = "container") -> NoReturn:
    raise PolicyFileFault(f"the zip is not taken: {what}", code)
