"""How many sockets and streams one person may hold open: each costs the server a little for as long as it lasts."""

from collections import Counter
from typing import Any

SEATS = 50

_taken: Counter[Any] = Counter()


def take(user_id: Any) -> bool:
    """Whether there was a seat. Only called in the event loop, so that nobody comes in between."""
    if _taken[user_id] >= SEATS:
        return False
    _taken[user_id] += 1
    return True


def leave(user_id: Any) -> None:
    _taken[user_id] -= 1
    if _taken[user_id] <= 0:
        del _taken[user_id]
