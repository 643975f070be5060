"""The container: what Python's zipfile writes and reads is read alike, and what is written is fixed to the byte."""

import io
import struct
import zipfile

import pytest

from rl.policy_format import container
from rl.policy_format.container import Rules
from rl.policy_format.fault import PolicyFileFault

FILES = {"data": b"{}", "b": bytes(range(256)) * 40, "empty": b""}
RULES = Rules(1 << 20, 5, lambda name: 20_000 if name in FILES else None)


def zipped(method: int = zipfile.ZIP_STORED, *, stream: bool = False) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in FILES.items():
            if stream:
                with archive.open(name, "w", force_zip64=True) as member:
                    member.write(content)
            else:
                archive.writestr(name, content)
    return buffer.getvalue()


class Pipe(io.RawIOBase):
    """A stream that cannot go back: sizes then stand behind each member."""

    def __init__(self) -> None:
        self.content = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, content: bytes) -> int:  # type: ignore[override]
        self.content += content
        return len(content)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("stream", [False, True])
def test_it_reads_what_zipfile_writes(method: int, stream: bool) -> None:
    found = container.read(zipped(method, stream=stream), RULES)
    assert found == FILES and list(found) == list(FILES)


def test_it_reads_sizes_behind_members() -> None:
    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[arg-type]
        for name, content in FILES.items():
            archive.writestr(name, content)
    assert container.read(bytes(pipe.content), RULES) == FILES


def test_zipfile_reads_what_it_writes_in_order_with_one_date() -> None:
    content = container.write(FILES, ("b", "absent", "data"))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.namelist() == ["b", "data"] and archive.testzip() is None
        assert {(each.date_time, each.create_system, each.external_attr) for each in archive.infolist()} == {
            ((1980, 1, 1, 0, 0, 0), 3, 0o640 << 16)
        }
    assert container.read(content, RULES) == {"b": FILES["b"], "data": FILES["data"]}
    assert container.write(dict(reversed(FILES.items())), ("b", "data")) == content


def test_no_changed_byte_of_a_stored_zip_changes_what_is_read() -> None:
    """Each bit of headers and directory, one by one: the same members, or a refusal."""
    content = zipped()
    for place in range(len(content)):
        if content[place : place + 1] in FILES["b"] and 200 < place < len(content) - 300:
            continue  # inside the long member, which the checksum covers: two of its bytes below
        for bit in (1, 128):
            broken = bytearray(content)
            broken[place] ^= bit
            try:
                assert container.read(bytes(broken), RULES) == FILES
            except PolicyFileFault:
                continue
    for place in (300, 5000):
        broken = bytearray(content)
        broken[place] ^= 1
        with pytest.raises(PolicyFileFault, match="damaged"):
            container.read(bytes(broken), RULES)


@pytest.mark.parametrize("cut", [1, 21, 22, 100, 9000])
def test_a_cut_is_refused(cut: int) -> None:
    with pytest.raises(PolicyFileFault) as caught:
        container.read(zipped()[:-cut], RULES)
    assert caught.value.code == "container"


def with_gap(at: str) -> bytes:
    """Seven bytes in front of the member `at`, which every offset behind them counts; Python's zipfile reads it."""
    content = bytearray(zipped())
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = archive.infolist()
    gap = next(entry.header_offset for entry in entries if entry.filename == at)
    place = content.rindex(b"PK\x05\x06")
    start = struct.unpack_from("<I", content, place + 16)[0]
    struct.pack_into("<I", content, place + 16, start + 7)
    for entry in entries:
        if entry.header_offset >= gap:
            struct.pack_into("<I", content, start + 42, entry.header_offset + 7)
        start += 46 + len(entry.filename)
    return bytes(content[:gap] + b"secrets" + content[gap:])


@pytest.mark.parametrize("at", ["b", "empty"])
def test_bytes_between_members_are_refused(at: str) -> None:
    content = with_gap(at)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == FILES
    with pytest.raises(PolicyFileFault, match="bytes lie between them"):
        container.read(content, RULES)
