"""TFRecord's framing: what TensorBoard's own writer wrote is read, and nothing that is torn, damaged or foreign."""

import random
from pathlib import Path

import pytest
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c as peer
from tensorboard.summary.writer.record_writer import RecordWriter

from runfiles.records import RecordFault, masked_crc32c, records

CONTENTS = [b"one", b"", bytes(range(40)), b"\0" * 12, b"the last"]


@pytest.fixture
def block(tmp_path: Path) -> bytes:
    with (tmp_path / "file").open("wb") as stream:
        writer = RecordWriter(stream)
        for content in CONTENTS:
            writer.write(content)
        writer.flush()
    return (tmp_path / "file").read_bytes()


def read(block: bytes) -> tuple[list[bytes], bool]:
    """The contents, and whether the reader ended without a fault."""
    found: list[bytes] = []
    try:
        for record in records(block):
            found.append(record.content)
    except RecordFault:
        return found, False
    return found, True


def ends_of(block: bytes) -> list[int]:
    return [record.end for record in records(block)]


def test_the_checksum_is_that_of_the_peer() -> None:
    """And of RFC 3720 B.4, before the mask: 32 NUL bytes have the CRC-32C 8a9136aa."""
    crc = 0x8A9136AA
    assert masked_crc32c(b"\0" * 32) == ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
    for size in (0, 1, 2, 8, 255, 4096):
        content = random.Random(size).randbytes(size)
        assert masked_crc32c(content) == peer(content)


def test_all_records_with_their_ends(block: bytes) -> None:
    assert read(block) == (CONTENTS, True)
    assert ends_of(block)[-1] == len(block) and ends_of(block)[0] == len(CONTENTS[0]) + 16


def test_torn_at_any_byte_what_is_whole_is_read(block: bytes) -> None:
    ends = ends_of(block)
    for size in range(len(block)):
        assert read(block[:size]) == (CONTENTS[: sum(end <= size for end in ends)], True)


@pytest.mark.parametrize("change", [0x01, 0x80, 0xFF])
def test_a_byte_that_is_another_ends_it_before_its_record(block: bytes, change: int) -> None:
    ends = ends_of(block)
    for place in range(len(block)):
        damaged = bytearray(block)
        damaged[place] ^= change
        assert read(bytes(damaged)) == (CONTENTS[: sum(end <= place for end in ends)], False)


def test_nul_bytes_are_no_records(block: bytes) -> None:
    ends = ends_of(block)
    for place in range(len(block)):
        found, _ = read(block[:place] + b"\0" * 120)
        whole = CONTENTS[: sum(end <= place for end in ends)]
        torn = block[:place] + b"\0" * 120
        assert found[: len(whole)] == whole
        assert found == whole or torn[: ends[len(whole)]] == block[: ends[len(whole)]]  # its last bytes were NUL


@pytest.mark.parametrize("length", [2**40, 2**63, 2**64 - 1])
def test_a_length_beyond_the_file_is_a_torn_record(length: int) -> None:
    head = length.to_bytes(8, "little")
    assert read(head + peer(head).to_bytes(4, "little") + b"more") == ([], True)
