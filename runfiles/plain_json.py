"""What a job wrote, made fit to be stored and sent: text that UTF-8 can carry, numbers that JSON has.

`json.loads` takes more than it should: lone surrogates, NaN, infinity and integers without end. One such value in a row
of the database would break every page and every answer that shows the row.
"""

import math
from typing import Any, Final

MAX_DEPTH: Final = 16
_WHOLE: Final = range(-(2**63), 2**63)


def plain(value: Any, depth: int = MAX_DEPTH) -> Any:
    """`value` out of `json.loads`, repaired: what UTF-8 cannot carry becomes `?`, what is no finite number null.

    So do integers beyond 64 bits, and what lies deeper than `depth` levels.
    """
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if value in _WHOLE else None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return _plain_tree(value, depth - 1) if depth > 0 else None


def _plain_tree(value: Any, depth: int) -> Any:
    if isinstance(value, list):
        return [plain(item, depth) for item in value]
    return {plain(key): plain(item, depth) for key, item in value.items()} if isinstance(value, dict) else None
