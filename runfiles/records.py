"""The framing of TensorBoard's event files (TFRecord), each record with the checksums of its length and its content.

A record is its length (8 bytes, little-endian), the masked CRC-32C of those 8 bytes, the content, and the content's
masked CRC-32C. What a process was writing when it was killed is a torn record at the end; what a power cut leaves may
be anything, NUL bytes above all, of which every sixteen would pass for an empty record without the checksums.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

_HEAD, _FOOT = struct.Struct("<QI"), struct.Struct("<I")
_LENGTH = 8
_WORD = 0xFFFFFFFF


class RecordFault(ValueError):
    """Bytes that are no record; the message is a clause."""


class Record(NamedTuple):
    """`end`: the byte behind its framing."""

    content: bytes
    end: int


def records(block: bytes) -> Iterator[Record]:
    """The records of `block`, one after the other, up to its end or to one that is not all there.

    Raises RecordFault at the first that does not have its checksums.
    """
    place = 0
    while place + _HEAD.size <= len(block):
        length, sum_of_length = _HEAD.unpack_from(block, place)
        if masked_crc32c(block[place : place + _LENGTH]) != sum_of_length:
            raise RecordFault("a record's length does not have its checksum")
        begin = place + _HEAD.size
        end = begin + length
        if end + _FOOT.size > len(block):
            return
        content = block[begin:end]
        if masked_crc32c(content) != _FOOT.unpack_from(block, end)[0]:
            raise RecordFault("a record's content does not have its checksum")
        place = end + _FOOT.size
        yield Record(content, place)


def masked_crc32c(content: bytes) -> int:
    """CRC-32C (Castagnoli), turned right by 15 bits and added to a constant, as TFRecord stores it."""
    crc = _WORD
    for byte in content:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= _WORD
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & _WORD


def _remainder(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    return byte


_TABLE = tuple(_remainder(byte) for byte in range(256))
