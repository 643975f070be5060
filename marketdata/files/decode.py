"""The text of a CSV, piece by piece: what is too much is refused where it begins to be. Runs in the child only."""

import codecs
import io
from collections.abc import Iterator
from pathlib import Path

from marketdata.files.limits import MAX_CELL, MAX_COLUMNS, MAX_ROWS, FileRefused

PIECE = 1024 * 1024
MOST_HEADER = MAX_COLUMNS * MAX_CELL
_CODECS = {"utf-8": "utf-8-sig"}  # the others have no mark to be left out, or leave it out by themselves


def decoded(path: Path, label: str, encoding: str, *, most_rows: int = MAX_ROWS) -> bytes:
    """The file in UTF-8, without a byte order mark and with plain line ends.

    Raises FileRefused for other bytes, a NUL, a header that goes on and on, and the row after `most_rows`, before
    more of the file is read.
    """
    found, rows = bytearray(), 0
    for text in _pieces(path, label, encoding):
        nul = text.find("\0")
        if nul >= 0:
            row = rows + text.count("\n", 0, nul) + 1
            raise FileRefused(f"{label} holds a NUL character in row {row}; a CSV is text: save it as UTF-8.")
        if not rows and len(found) + len(text.split("\n", 1)[0]) > MOST_HEADER:
            raise FileRefused(
                f"{label} has a first line of more than {MOST_HEADER:,} characters; the names of at most "
                f"{MAX_COLUMNS:,} columns are right."
            )
        rows += text.count("\n")
        if rows > most_rows + 1:  # the header is one
            raise FileRefused(
                f"The files hold more than {MAX_ROWS:,} rows, reached in {label}, empty lines included; "
                "no more are taken."
            )
        found += text.encode()
    return bytes(found)


def fits(path: Path, encoding: str) -> bool:
    """Whether the whole file is written so."""
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as stream:
        try:
            while piece := stream.read(PIECE):
                decoder.decode(piece)
            decoder.decode(b"", final=True)
        except UnicodeError:
            return False
    return True


def _pieces(path: Path, label: str, encoding: str) -> Iterator[str]:
    """Texts with plain line ends. One that ends in a carriage return is held back until the next is there."""
    decoder = io.IncrementalNewlineDecoder(
        codecs.getincrementaldecoder(_CODECS.get(encoding, encoding))(), translate=True
    )
    rows = 0
    with path.open("rb") as stream:
        while True:
            piece = stream.read(PIECE)
            try:
                text = decoder.decode(piece, final=not piece)
            except UnicodeError as fault:
                row = rows + piece.count(b"\n", 0, getattr(fault, "start", 0)) + 1
                raise FileRefused(
                    f"{label} is not written in {encoding}: row {row} holds other bytes; save it as UTF-8.",
                    "columns.encoding",
                ) from fault
            rows += text.count("\n")
            yield text
            if not piece:
                return
