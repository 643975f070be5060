"""What a file of prices may hold at most, and the one refusal of a file."""

MAX_BYTES = 64 * 1024 * 1024
"""Bytes of all files of one upload together; a form around them may take a little more."""
MAX_FILES = 200
MAX_ROWS = 5_000_000
MAX_COLUMNS = 1_100
MAX_CELLS = 100_000_000
"""Rows times columns of a Parquet file; a CSV has no more cells than bytes."""
MAX_SYMBOLS = 1_000
MAX_BARS = 10_000_000
"""Bars of the calendar times symbols."""
MAX_CELL = 256
"""Characters of a cell."""
MAX_NAME = 120
"""Characters of a file's name that are kept, as a label only."""


class FileRefused(ValueError):
    """A file that is no file of prices, or does not fit its column map: one sentence, and the field it belongs to."""

    def __init__(self, sentence: str, field: str = "file") -> None:
        self.field = field
        super().__init__(sentence)
